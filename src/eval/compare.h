#pragma once
// Two runs over the same items: every figure of both, the difference with its paired bootstrap interval, McNemar's exact test
// where samples are right or wrong, and a plain word where the difference is inside the noise. Called by `eval compare` and the
// report. Thread rule: values and free functions.
#include <string>
#include <vector>

#include "eval/score.h"

namespace areason {

struct MetricComparison {
  std::string name;
  double a = 0, b = 0;
  PairedBootstrap difference;  // of b - a
  bool noise = true;           // the interval holds zero
};
struct VerdictComparison {
  std::string by, name;  // both empty: all items
  long n = 0, only_a = 0, only_b = 0;
  double p = 1;  // McNemar, exact, two-sided
};
struct Comparison {
  std::string benchmark;
  long common = 0, only_in_a = 0, only_in_b = 0;  // items by id
  std::vector<MetricComparison> metrics;
  std::vector<VerdictComparison> verdicts;  // empty for figures without right and wrong
  std::vector<std::string> warnings;
};

// Throws Error(kInput) when no item is in both, Error(kUsage) when the benchmarks differ.
Comparison compare_scores(const BenchmarkScore& a, const BenchmarkScore& b, const BootstrapOptions& options);
Json comparison_to_json(const Comparison& comparison);
std::string comparison_to_text(const Comparison& comparison);

}  // namespace areason
