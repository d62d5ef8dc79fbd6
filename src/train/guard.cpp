#include "train/guard.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"

namespace areason::train {
namespace {

constexpr std::int64_t kWarmUp = 20;  // steps before a mean means anything
constexpr double kKeep = 0.98;        // of the running mean a step
constexpr double kFloor = 2;          // nats above the mean, so that a small loss may vary

std::string named(const std::vector<std::string>& ids) {
  constexpr std::size_t kShown = 8;
  const std::vector<std::string> first(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, ids.size())));
  return fmt::format("{}{}", fmt::join(first, "; "),
                     ids.size() > kShown ? fmt::format("; and {} more", ids.size() - kShown) : "");
}

}  // namespace

std::string StepGuard::objection(double loss, const char* what) const {
  if (!std::isfinite(loss)) return fmt::format("its {} is not finite", what);
  if (options_.spike > 0 && seen_ >= kWarmUp && loss > options_.spike * mean_ && loss > mean_ + kFloor)
    return fmt::format("its {} {:.3f} is far above the running mean {:.3f}", what, loss, mean_);
  return "";
}

void StepGuard::accepted(double loss) {
  mean_ = seen_ == 0 ? loss : kKeep * mean_ + (1 - kKeep) * loss;
  ++seen_;
  in_a_row_ = 0;
}

void StepGuard::refused(std::int64_t step, const std::string& why, const std::vector<std::string>& ids) {
  ++skipped_;
  ++in_a_row_;
  const std::string what = fmt::format("step {} is skipped: {}; samples: {}", step, why, named(ids));
  log_message(LogLevel::kWarning, what);
  if (in_a_row_ < options_.limit) return;
  throw Error(ErrorCode::kFailure, fmt::format("{} steps in a row were skipped; the last: {}", in_a_row_, what),
              "look at these samples, lower --lr, or use --precision f32");
}

Json StepGuard::state() const {
  return {{"mean_loss", mean_}, {"seen", seen_}, {"skipped", skipped_}, {"in_a_row", in_a_row_}};
}

void StepGuard::restore(const Json& state) {
  mean_ = state.at("mean_loss");
  seen_ = state.at("seen");
  skipped_ = state.at("skipped");
  in_a_row_ = state.at("in_a_row");
}

}  // namespace areason::train
