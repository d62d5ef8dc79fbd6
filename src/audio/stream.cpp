#include "audio/stream.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"

namespace areason {
namespace {
// Wider than anything that is sold; narrower than what makes a resampler's filter explode.
constexpr int kMinRate = 100;
constexpr int kMaxRate = 768000;
// Full scale is 1; files with integers stored as floats reach 2^31. Far beyond, the power spectrum would overflow a float.
constexpr float kLoudest = 1e10f;
}  // namespace

void FrameSink::start(const StreamFormat& format) {
  if (format.channels < 1 || format.channels > 1024)
    throw Error(ErrorCode::kInput, fmt::format("{} claims {} channels", name_, format.channels),
                "the file is broken: export it again");
  if (format.sample_rate < kMinRate || format.sample_rate > kMaxRate)
    throw Error(ErrorCode::kInput, fmt::format("{} claims a sample rate of {} Hz", name_, format.sample_rate),
                "rates from 100 Hz to 768 kHz are read: the file is broken or needs its rate set");
  format_ = format;
  on_start(format);
}

void FrameSink::frames(std::span<const float> interleaved) {
  const auto channels = static_cast<std::size_t>(format_.channels);
  for (std::size_t i = 0; i < interleaved.size(); ++i) {
    if (std::abs(interleaved[i]) <= kLoudest) continue;  // false for NaN too
    const double at = static_cast<double>(total_frames_ + i / channels) / format_.sample_rate;
    throw Error(ErrorCode::kInput, fmt::format("{} holds an impossible sample ({}) at {:.3f} s", name_, interleaved[i], at),
                "export the clip again as 16-bit PCM");
  }
  total_frames_ += interleaved.size() / channels;
  if (static_cast<double>(total_frames_) > max_seconds_ * format_.sample_rate) fail_too_long();
  on_frames(interleaved);
}

void FrameSink::fail_too_long() const {
  throw Error(ErrorCode::kInput, fmt::format("{} is longer than {:g} s", name_, max_seconds_),
              "cut the part that matters into a clip of its own");
}

}  // namespace areason
