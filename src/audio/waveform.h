#pragma once
// Samples as the rest of the project sees them. Produced by audio/decode.h and src/synth, consumed by audio/log_mel.h.
// Values are in [-1, 1] (a float file may exceed that), time runs in samples. Thread rule: plain values.
#include <cstdint>
#include <string>
#include <vector>

namespace areason {

// Any rate, any number of channels, interleaved: frame f, channel c is samples[f * channels + c].
struct DecodedAudio {
  std::vector<float> samples;
  int channels = 1;
  int sample_rate = 16000;
};

// One channel.
struct Waveform {
  std::vector<float> samples;
  int sample_rate = 16000;
  double seconds() const { return static_cast<double>(samples.size()) / sample_rate; }
};

}  // namespace areason
