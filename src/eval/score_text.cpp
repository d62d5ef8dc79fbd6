// How a BenchmarkScore is written: JSON and text.
#include <fmt/format.h>

#include "eval/score.h"

namespace areason {
namespace {

Json figure_to_json(const Figure& f) {
  Json out = {{"value", f.value}, {"n", f.n}};
  if (*f.method != 0) {
    out["standard_error"] = f.error;
    out["interval95"] = {f.interval.low, f.interval.high};
    out["interval_method"] = f.method;
  }
  return out;
}

std::string figure_line(const std::string& label, const Figure& f) {
  std::string out = fmt::format("  {:<44} {:>8.2f}", label, f.value);
  if (*f.method != 0) out += fmt::format("  ± {:.2f}  [{:.2f}, {:.2f}] {}", f.error, f.interval.low, f.interval.high, f.method);
  return out + fmt::format("  n = {}\n", f.n);
}

}  // namespace

Json score_to_json(const BenchmarkScore& score, WithSamples with_samples) {
  Json out = {{"benchmark", score.benchmark}, {"stage", stage_name(score.stage)}, {"samples", score.samples.size()}};
  for (const Figure& f : score.figures) out["figures"][f.name] = figure_to_json(f);
  for (const Figure& f : score.stages) out["stages"][f.name] = figure_to_json(f);
  for (const GroupFigure& g : score.groups) out["groups"][g.by][g.name] = figure_to_json(g.figure);
  out["counts"] = Json::object();
  for (const auto& [name, n] : score.counts.all()) out["counts"][name] = n;
  out["official"] = {{"stdout", score.official.out}};
  if (!score.official_stop.empty()) out["official"]["would_stop"] = score.official_stop;
  if (!score.details.is_null()) out["details"] = score.details;
  out["warnings"] = score.warnings;
  if (with_samples == WithSamples::kNo) return out;
  out["verdicts"] = Json::array();
  for (const SampleScore& s : score.samples)
    out["verdicts"].push_back({{"id", s.id}, {"outcome", s.outcome}, {"value", s.value}, {"answer", s.answer}});
  return out;
}

std::string score_to_text(const BenchmarkScore& score) {
  std::string out = score.official.out;
  out += fmt::format("\n{} (stage {}; value ± standard error [95 % interval])\n", score.benchmark, stage_name(score.stage));
  for (const Figure& f : score.figures) out += figure_line(f.name, f);
  if (!score.stages.empty()) out += "stages (the same rule on the reply, on its RESPONSE, on the answer it names)\n";
  for (const Figure& f : score.stages) out += figure_line(f.name, f);
  std::string by;
  for (const GroupFigure& g : score.groups) {
    if (g.by != by) out += "by " + g.by + "\n";
    by = g.by;
    out += figure_line(g.name, g.figure);
  }
  if (score.details.contains("sources")) {
    for (const auto& [name, source] : score.details["sources"].items()) {
      const auto& c = source["cumulative_bleu1_4"];
      out +=
          fmt::format("{}\n  {}\n  {}\n  cumulative BLEU-1..4 = {:.2f} {:.2f} {:.2f} {:.2f}; mean of the precisions = {:.2f}\n",
                      name, source["printed"].get<std::string>(), source["signature"].get<std::string>(), c[0].get<double>(),
                      c[1].get<double>(), c[2].get<double>(), c[3].get<double>(), source["precisions_mean"].get<double>());
    }
  }
  for (const char* key : {"mmau_version", "data_sha256", "items_sha256"})
    if (score.details.contains(key)) out += fmt::format("{}: {}\n", key, score.details[key].get<std::string>());
  if (!score.counts.all().empty()) out += "counts\n";
  for (const auto& [name, n] : score.counts.all()) out += fmt::format("  {:<44} {:>8}\n", name, n);
  if (!score.official_stop.empty()) out += "the original script would have stopped: " + score.official_stop + "\n";
  for (const std::string& warning : score.warnings) out += "note: " + warning + "\n";
  return out;
}

}  // namespace areason
