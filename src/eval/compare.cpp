#include "eval/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/error.h"

namespace areason {
namespace {

constexpr double kAlpha = 0.05;

struct Pairs {
  std::vector<std::uint32_t> a, b;  // indices of the same item in both runs
};

Pairs match(const BenchmarkScore& a, const BenchmarkScore& b, Comparison& out) {
  std::map<std::string_view, std::uint32_t> in_b;
  for (std::size_t i = 0; i < b.samples.size(); ++i) in_b.emplace(b.samples[i].id, static_cast<std::uint32_t>(i));
  Pairs pairs;
  for (std::size_t i = 0; i < a.samples.size(); ++i) {
    const auto found = in_b.find(a.samples[i].id);
    if (found == in_b.end()) continue;
    pairs.a.push_back(static_cast<std::uint32_t>(i));
    pairs.b.push_back(found->second);
    in_b.erase(found);
  }
  out.common = static_cast<long>(pairs.a.size());
  out.only_in_a = static_cast<long>(a.samples.size()) - out.common;
  out.only_in_b = static_cast<long>(b.samples.size()) - out.common;
  return pairs;
}

PickedFigure through(const PickedFigure& figure, const std::vector<std::uint32_t>& indices) {
  return [&figure, &indices](std::span<const std::uint32_t> picks) {
    std::vector<std::uint32_t> own(picks.size());
    for (std::size_t i = 0; i < picks.size(); ++i) own[i] = indices[picks[i]];
    return figure(own);
  };
}

bool has_verdicts(const BenchmarkScore& score) {
  for (const SampleScore& s : score.samples)
    if (s.outcome == "judged" || s.outcome == "scored") return false;
  return score.benchmark != "covost2" && score.benchmark != "airbench-chat";
}

std::vector<VerdictComparison> verdicts(const BenchmarkScore& a, const BenchmarkScore& b, const Pairs& pairs) {
  std::vector<VerdictComparison> out = {{}};
  std::map<std::pair<std::string, std::string>, std::size_t> index;
  const auto add = [](VerdictComparison& v, bool right_a, bool right_b) {
    ++v.n;
    if (right_a && !right_b) ++v.only_a;
    if (right_b && !right_a) ++v.only_b;
  };
  for (std::size_t i = 0; i < pairs.a.size(); ++i) {
    const SampleScore& in_a = a.samples[pairs.a[i]];
    const bool right_a = in_a.value == 1, right_b = b.samples[pairs.b[i]].value == 1;
    add(out[0], right_a, right_b);
    for (const auto& group : in_a.groups) {
      const auto [at, is_new] = index.try_emplace(group, out.size());
      if (is_new) {
        out.emplace_back();
        out.back().by = group.first;
        out.back().name = group.second;
      }
      add(out[at->second], right_a, right_b);
    }
  }
  for (VerdictComparison& v : out) v.p = mcnemar_exact(v.only_a, v.only_b);
  std::vector<std::string> order;  // kinds of groups as the items name them
  for (const VerdictComparison& v : out)
    if (std::find(order.begin(), order.end(), v.by) == order.end()) order.push_back(v.by);
  const auto place = [&](const VerdictComparison& v) { return std::find(order.begin(), order.end(), v.by) - order.begin(); };
  std::stable_sort(out.begin(), out.end(), [&](const auto& x, const auto& y) { return place(x) < place(y); });
  return out;
}

std::string p_text(double p) { return p < 0.001 ? "p < 0.001" : fmt::format("p = {:.3f}", p); }

}  // namespace

Comparison compare_scores(const BenchmarkScore& a, const BenchmarkScore& b, const BootstrapOptions& options) {
  if (a.benchmark != b.benchmark)
    throw Error(ErrorCode::kUsage, "the runs are of " + a.benchmark + " and " + b.benchmark, "compare runs of one benchmark");
  Comparison out;
  out.benchmark = a.benchmark;
  const Pairs pairs = match(a, b, out);
  if (pairs.a.empty())
    throw Error(ErrorCode::kInput, "the two runs have no item in common",
                "items are matched by their id: are these the same data?");
  std::vector<std::uint32_t> all(pairs.a.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint32_t>(i);
  for (const Metric& metric : a.metrics) {
    for (const Metric& other : b.metrics) {
      if (other.name != metric.name) continue;
      const PickedFigure of_a = through(metric.figure, pairs.a), of_b = through(other.figure, pairs.b);
      MetricComparison c{metric.name, of_a(all), of_b(all), paired_bootstrap(all.size(), of_a, of_b, options), true};
      c.noise = c.difference.interval.low <= 0 && c.difference.interval.high >= 0;
      if (c.noise) out.warnings.push_back(c.name + ": the difference is inside the noise (the 95 % interval holds zero)");
      out.metrics.push_back(std::move(c));
    }
  }
  if (has_verdicts(a) && has_verdicts(b)) {
    out.verdicts = verdicts(a, b, pairs);
    if (out.verdicts[0].p >= kAlpha)
      out.warnings.push_back(fmt::format("McNemar: {}, the runs do not differ beyond the noise", p_text(out.verdicts[0].p)));
  }
  if (out.only_in_a + out.only_in_b > 0)
    out.warnings.push_back(
        fmt::format("{} items are in A only and {} in B only; they are left out", out.only_in_a, out.only_in_b));
  return out;
}

Json comparison_to_json(const Comparison& c) {
  Json out = {{"benchmark", c.benchmark}, {"common", c.common}, {"only_in_a", c.only_in_a}, {"only_in_b", c.only_in_b}};
  for (const MetricComparison& m : c.metrics)
    out["metrics"][m.name] = {{"a", m.a},
                              {"b", m.b},
                              {"difference", m.b - m.a},
                              {"interval95", {m.difference.interval.low, m.difference.interval.high}},
                              {"interval_method", "paired bootstrap"},
                              {"p", m.difference.p},
                              {"inside_noise", m.noise}};
  out["mcnemar"] = Json::array();
  for (const VerdictComparison& v : c.verdicts)
    out["mcnemar"].push_back(
        {{"by", v.by}, {"name", v.name}, {"n", v.n}, {"only_a_right", v.only_a}, {"only_b_right", v.only_b}, {"p", v.p}});
  out["warnings"] = c.warnings;
  return out;
}

std::string comparison_to_text(const Comparison& c) {
  std::string out = fmt::format("{}: {} items in both runs\n  {:<32} {:>8} {:>8} {:>8}  95 % interval (paired bootstrap)\n",
                                c.benchmark, c.common, "", "A", "B", "B - A");
  for (const MetricComparison& m : c.metrics)
    out += fmt::format("  {:<32} {:>8.2f} {:>8.2f} {:>+8.2f}  [{:+.2f}, {:+.2f}]  {}{}\n", m.name, m.a, m.b, m.b - m.a,
                       m.difference.interval.low, m.difference.interval.high, p_text(m.difference.p),
                       m.noise ? "  inside the noise" : "");
  if (!c.verdicts.empty()) out += fmt::format("  {:<44} {:>6} {:>8} {:>8}  McNemar, exact\n", "", "n", "only A", "only B");
  for (const VerdictComparison& v : c.verdicts)
    out += fmt::format("  {:<44} {:>6} {:>8} {:>8}  {}\n", v.by.empty() ? "all" : v.by + ": " + v.name, v.n, v.only_a, v.only_b,
                       p_text(v.p));
  for (const std::string& warning : c.warnings) out += "note: " + warning + "\n";
  return out;
}

}  // namespace areason
