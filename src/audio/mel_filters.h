#pragma once
// The Slaney-style mel filter bank that Whisper's feature extractor uses (transformers audio_utils.py: mel_filter_bank with
// norm="slaney", mel_scale="slaney", 0 Hz to half the rate), built in double. Used by log_mel.cpp.
#include <vector>

namespace areason {

// One triangle: weights for spectrum bins first … first + weights.size() - 1.
struct MelFilter {
  int first = 0;
  std::vector<float> weights;
};

// `bins` triangles over the n_fft / 2 + 1 spectrum bins of a signal of `sample_rate` Hz.
std::vector<MelFilter> slaney_mel_filters(int bins, int n_fft, int sample_rate);

}  // namespace areason
