#pragma once
// Uncertainty of the figures: Wilson's interval for proportions, the percentile bootstrap over samples for everything else,
// McNemar's exact test and the paired bootstrap for two runs over the same items. Called by the scorers and by compare.h.
// Results depend on the seed only. Thread rule: free functions.
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace areason {

struct Interval {
  double low = 0, high = 0;
};

// 95 % interval of k successes out of n, Wilson 1927 (without continuity correction); [0, 1] for n = 0.
Interval wilson_interval(long k, long n);
// sqrt(p (1 - p) / (n - 1)), which is also that of the mean of zeros and ones; 0 for n < 2.
double proportion_error(long k, long n);

// Computes a figure from the samples that `picks` names (indices, with repetition).
using PickedFigure = std::function<double(std::span<const std::uint32_t>)>;

struct BootstrapOptions {
  int resamples = 1000;
  std::uint64_t seed = 1;
};
struct Bootstrap {
  double error = 0;  // standard deviation of the resampled figures
  Interval interval;
};
// `samples` is the number of samples to draw from (and to draw).
Bootstrap bootstrap(std::size_t samples, const PickedFigure& figure, const BootstrapOptions& options);

// Several figures of the same resamples, which are drawn and summed up once.
using PickedFigures = std::function<std::vector<double>(std::span<const std::uint32_t>)>;
std::vector<Bootstrap> bootstrap_each(std::size_t samples, const PickedFigures& figures, const BootstrapOptions& options);

// Two-sided exact p of McNemar's test: `only_a` and `only_b` are the items that only one run has right.
double mcnemar_exact(long only_a, long only_b);

struct PairedBootstrap {
  Interval interval;  // of b - a
  double p = 1;       // two-sided: twice the smaller share of resamples on one side of zero
};
// Both figures see the same picks.
PairedBootstrap paired_bootstrap(std::size_t samples, const PickedFigure& a, const PickedFigure& b,
                                 const BootstrapOptions& options);

}  // namespace areason
