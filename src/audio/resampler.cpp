#include "audio/resampler.h"

#include <fmt/format.h>
#include <soxr.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace areason {
namespace {
constexpr std::size_t kPiece = 1 << 16;
}

Resampler::Resampler(int from_rate, int to_rate) : from_rate_(from_rate), to_rate_(to_rate) {
  if (from_rate < 1 || to_rate < 1)
    throw Error(ErrorCode::kInput, fmt::format("cannot resample from {} Hz to {} Hz", from_rate, to_rate),
                "give positive sample rates");
  if (from_rate == to_rate) return;
  soxr_error_t error = nullptr;
  const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  soxr_ = soxr_create(from_rate, to_rate, 1, &error, &io, &quality, nullptr);
  if (error != nullptr || soxr_ == nullptr)
    throw Error(ErrorCode::kInput,
                fmt::format("cannot resample from {} Hz to {} Hz: {}", from_rate, to_rate, error ? error : "no memory"),
                "convert the clip to 16 kHz first");
}

Resampler::~Resampler() {
  if (soxr_ != nullptr) soxr_delete(static_cast<soxr_t>(soxr_));
}

// `in` null flushes.
void Resampler::pull(const float* in, std::size_t count) {
  for (;;) {
    const std::size_t had = out_.size();
    out_.resize(had + kPiece);
    std::size_t taken = 0;
    std::size_t given = 0;
    const soxr_error_t error = soxr_process(static_cast<soxr_t>(soxr_), in, count, &taken, out_.data() + had, kPiece, &given);
    out_.resize(had + given);
    if (error != nullptr)
      throw Error(ErrorCode::kFailure, fmt::format("resampling failed: {}", error), "convert the clip to 16 kHz first");
    if (in != nullptr) {
      in += taken;
      count -= taken;
    }
    if (given == 0 && (in == nullptr || count == 0 || taken == 0)) return;
  }
}

void Resampler::push(std::span<const float> samples) {
  pushed_ += samples.size();
  if (soxr_ == nullptr)
    out_.insert(out_.end(), samples.begin(), samples.end());
  else if (!samples.empty())
    pull(samples.data(), samples.size());
}

std::vector<float> Resampler::finish() {
  if (soxr_ == nullptr) return std::move(out_);
  if (pushed_ > 0) pull(nullptr, 0);
  // librosa: int(ceil(n * ratio)) with ratio = float(target) / orig, rounded as double arithmetic rounds it.
  const double ratio = static_cast<double>(to_rate_) / from_rate_;
  out_.resize(static_cast<std::size_t>(std::ceil(static_cast<double>(pushed_) * ratio)), 0.0f);
  return std::move(out_);
}

}  // namespace areason
