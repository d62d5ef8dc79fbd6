#pragma once
// One channel through libsoxr HQ piece by piece, with the length rule of librosa.resample. Used by decode.cpp.
// Thread rule: one thread at a time.
#include <cstdint>
#include <span>
#include <vector>

namespace areason {

class Resampler {
 public:
  // Throws Error(kInput) for rates soxr cannot do. Equal rates copy.
  Resampler(int from_rate, int to_rate);
  ~Resampler();
  Resampler(const Resampler&) = delete;
  Resampler& operator=(const Resampler&) = delete;

  void push(std::span<const float> samples);
  // The rest of the filter, then cut or zero-padded to ceil(n * to / from). Ends the use of this object.
  std::vector<float> finish();

 private:
  void pull(const float* in, std::size_t count);
  int from_rate_;
  int to_rate_;
  void* soxr_ = nullptr;
  std::uint64_t pushed_ = 0;
  std::vector<float> out_;
};

}  // namespace areason
