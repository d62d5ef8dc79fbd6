#include "train/policy.h"

#include <algorithm>
#include <cmath>

namespace areason::train {
namespace {

constexpr double kSmall = 1e-4;   // added to the deviation, as R1-AQA and TRL have it
constexpr double kSame = 1e-9;    // rewards are sums of a few fractions
constexpr double kFarthest = 20;  // of two log-probabilities, so that their ratio stays finite

}  // namespace

bool equal_rewards(std::span<const double> rewards) {
  if (rewards.empty()) return true;
  const auto [low, high] = std::minmax_element(rewards.begin(), rewards.end());
  return *high - *low < kSame;
}

double mean_of(std::span<const double> values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

double deviation_of(std::span<const double> values) {
  if (values.size() < 2) return 0;
  const double mean = mean_of(values);
  double sum = 0;
  for (const double v : values) sum += (v - mean) * (v - mean);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

std::vector<double> advantages(std::span<const double> rewards, AdvantageScale scale) {
  std::vector<double> out(rewards.size(), 0.0);
  if (equal_rewards(rewards)) return out;
  const double mean = mean_of(rewards);
  const double by = scale == AdvantageScale::kDeviation ? deviation_of(rewards) + kSmall : 1;
  std::transform(rewards.begin(), rewards.end(), out.begin(), [&](double r) { return (r - mean) / by; });
  return out;
}

PolicyTerm policy_term(const ChosenToken& t, const PolicyLimits& limits) {
  PolicyTerm out;
  const double ratio = std::exp(std::clamp(t.now - t.old, -kFarthest, kFarthest));
  const double clipped = std::clamp(ratio, 1 - limits.ratio_low, 1 + limits.ratio_high);
  // The smaller gain counts: a token that has become too likely (or too unlikely) already gets no further push, the other way
  // it may always go.
  out.clipped = clipped * t.advantage < ratio * t.advantage;
  out.loss = -std::min(ratio * t.advantage, clipped * t.advantage);
  out.slope = out.clipped ? 0 : -ratio * t.advantage;
  if (limits.kl <= 0) return out;
  const double d = std::clamp(t.reference - t.now, -kFarthest, kFarthest);
  out.kl = std::exp(d) - d - 1;
  out.loss += limits.kl * out.kl;
  out.slope += limits.kl * (1 - std::exp(d));
  return out;
}

}  // namespace areason::train
