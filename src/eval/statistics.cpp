#include "eval/statistics.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/random.h"

namespace areason {
namespace {

constexpr double kZ = 1.959963984540054;  // 97.5 % quantile of the normal distribution

// 2.5 % and 97.5 % of the sorted values, the indices that sacreBLEU takes too.
Interval percentiles(std::vector<double>& values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const std::size_t low = values.size() / 40;
  return {values[low], values[values.size() - low - 1]};
}

Bootstrap spread_of(std::vector<double>& values) {
  Bootstrap out;
  double mean = 0, squares = 0;
  for (const double v : values) mean += v;
  mean /= static_cast<double>(values.size());
  for (const double v : values) squares += (v - mean) * (v - mean);
  if (values.size() > 1) out.error = std::sqrt(squares / static_cast<double>(values.size() - 1));
  out.interval = percentiles(values);
  return out;
}

template <typename F>
void resample(std::size_t samples, const BootstrapOptions& options, F&& each) {
  Random random(options.seed);
  std::vector<std::uint32_t> picks(samples);
  for (int r = 0; r < options.resamples; ++r) {
    for (auto& pick : picks) pick = random.below(static_cast<std::uint32_t>(samples));
    each(std::span<const std::uint32_t>(picks));
  }
}

}  // namespace

Interval wilson_interval(long k, long n) {
  if (n <= 0) return {0, 1};
  const auto count = static_cast<double>(n);
  const double p = static_cast<double>(k) / count;
  const double scale = 1 + kZ * kZ / count;
  const double centre = (p + kZ * kZ / (2 * count)) / scale;
  const double half = kZ / scale * std::sqrt(p * (1 - p) / count + kZ * kZ / (4 * count * count));
  // The ends at no and at all successes are 0 and 1 but for rounding.
  return {k == 0 ? 0 : std::max(0.0, centre - half), k == n ? 1 : std::min(1.0, centre + half)};
}

double proportion_error(long k, long n) {
  if (n < 2) return 0;
  const double p = static_cast<double>(k) / static_cast<double>(n);
  return std::sqrt(p * (1 - p) / static_cast<double>(n - 1));
}

std::vector<Bootstrap> bootstrap_each(std::size_t samples, const PickedFigures& figures, const BootstrapOptions& options) {
  if (samples == 0 || options.resamples < 1) return {};
  std::vector<std::vector<double>> values;  // by figure
  resample(samples, options, [&](std::span<const std::uint32_t> picks) {
    const std::vector<double> drawn = figures(picks);
    values.resize(drawn.size());
    for (std::size_t i = 0; i < drawn.size(); ++i) values[i].push_back(drawn[i]);
  });
  std::vector<Bootstrap> out;
  for (std::vector<double>& one : values) out.push_back(spread_of(one));
  return out;
}

Bootstrap bootstrap(std::size_t samples, const PickedFigure& figure, const BootstrapOptions& options) {
  const auto all = bootstrap_each(
      samples, [&](std::span<const std::uint32_t> picks) { return std::vector<double>{figure(picks)}; }, options);
  return all.empty() ? Bootstrap() : all.front();
}

double mcnemar_exact(long only_a, long only_b) {
  const long n = only_a + only_b, least = std::min(only_a, only_b);
  if (n == 0) return 1;
  const double log_all = static_cast<double>(n) * std::log(2.0);
  double sum = 0;
  for (long i = 0; i <= least; ++i) {
    const double log_ways = std::lgamma(static_cast<double>(n) + 1) - std::lgamma(static_cast<double>(i) + 1) -
                            std::lgamma(static_cast<double>(n - i) + 1);
    sum += std::exp(log_ways - log_all);
  }
  return std::min(1.0, 2 * sum);
}

PairedBootstrap paired_bootstrap(std::size_t samples, const PickedFigure& a, const PickedFigure& b,
                                 const BootstrapOptions& options) {
  PairedBootstrap out;
  if (samples == 0 || options.resamples < 1) return out;
  std::vector<double> values;
  resample(samples, options, [&](std::span<const std::uint32_t> picks) { values.push_back(b(picks) - a(picks)); });
  const auto below = std::count_if(values.begin(), values.end(), [](double v) { return v <= 0; });
  const auto above = std::count_if(values.begin(), values.end(), [](double v) { return v >= 0; });
  out.p = std::min(1.0, 2.0 * static_cast<double>(std::min(below, above) + 1) / static_cast<double>(values.size() + 1));
  out.interval = percentiles(values);
  return out;
}

}  // namespace areason
