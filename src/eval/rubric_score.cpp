// What the raters' verdicts on MMAR's rubrics give, and the tables that evaluation_rubrics.py prints of them.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "eval/judge.h"
#include "eval/judge_jobs.h"
#include "eval/mmar_rubrics.h"
#include "eval/scorers.h"

namespace areason {
namespace {

constexpr const char* kRubricRule = "******************************\n";

std::string group_name(const BenchmarkItem& item, const char* key) {
  Counts ignored;
  return text_field(item.fields, key, ignored).value_or("None");
}

SampleScore score_item(const BenchmarkItem& item, const Json* line, const std::map<std::string, Json>& verdicts) {
  SampleScore sample{item.id, 0, "missing", "", {}};
  for (const char* group : {"modality", "category", "sub-category"}) sample.groups.emplace_back(group, group_name(item, group));
  if (line == nullptr) return sample;
  Counts ignored;
  const RubricAnswer answer = rubric_answer(item, text_field(*line, "answer_prediction", ignored).value_or(""));
  sample.answer = answer.answer.substr(0, 2000);
  sample.outcome = "wrong";
  if (!answer.right) return sample;
  std::vector<double> points;
  for (int rater = 1; rater <= kRubricRaters; ++rater) {
    const auto verdict = verdicts.find(rater_id(item.id, rater));
    if (verdict != verdicts.end() && verdict->second.value("parsed", false))
      points.push_back(verdict->second.value("score", 0.0));
  }
  sample.outcome = points.size() < kRubricRaters ? "unread" : "judged";
  sample.value = trimmed_mean(points);
  return sample;
}

struct Row {
  double points = 0;
  long right = 0, n = 0;
  void add(const SampleScore& sample) {
    points += sample.value;
    right += sample.outcome == "judged" ? 1 : 0;
    ++n;
  }
  double share(double of) const { return n > 0 ? of / static_cast<double>(n) * 100 : 0; }
};

// In the order of the data; the script's is that in which its requests come back. Items whose raters have not all answered
// are not evaluated to it.
std::string tables(const std::vector<SampleScore>& samples) {
  constexpr std::pair<const char*, std::size_t> kTables[] = {{"Modality", 25}, {"Category", 18}, {"Sub-category", 40}};
  const auto evaluated = [](const SampleScore& s) { return s.outcome == "judged" || s.outcome == "wrong"; };
  std::string out;
  for (std::size_t table = 0; table < 3; ++table) {
    std::vector<std::pair<std::string, Row>> rows;
    for (const SampleScore& sample : samples) {
      if (!evaluated(sample)) continue;
      const std::string& name = sample.groups[table].second;
      auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.first == name; });
      if (row == rows.end()) row = rows.insert(rows.end(), {name, Row()});
      row->second.add(sample);
    }
    out += fmt::format("{}{}-wise Score & Accuracy:\n", kRubricRule, kTables[table].first);
    for (const auto& [name, row] : rows)
      out += fmt::format("{:<{}}  score={:3.2f}, acc={:3.2f}% over {:>3} samples\n", name, kTables[table].second,
                         row.share(row.points), row.share(static_cast<double>(row.right)), row.n);
  }
  Row all;
  for (const SampleScore& sample : samples)
    if (evaluated(sample)) all.add(sample);
  return out +
         fmt::format(
             "{}Total Accuracy: {:.2f}% over {} samples\nTotal Score: {:.2f} over {} samples\n{}No prediction count: {}\n",
             kRubricRule, all.share(static_cast<double>(all.right)), all.n, all.share(all.points), all.n, kRubricRule,
             static_cast<long>(samples.size()) - all.n);
}

}  // namespace

BenchmarkScore score_rubrics(const EvalRun& run, const BootstrapOptions& bootstrap) {
  BenchmarkScore score;
  score.benchmark = "mmar-rubrics";
  const Predictions predictions = read_run(run);
  const auto verdicts = read_verdicts(run.folder, score.counts);
  long right = 0;
  for (const RunItem& item : run.all) {
    if (!has_rubric(*item.item)) {
      score.counts.add("no_rubric");
      continue;
    }
    const auto line = predictions.lines.find(item.item->id);
    score.samples.push_back(score_item(*item.item, line == predictions.lines.end() ? nullptr : &line->second, verdicts));
    const std::string& outcome = score.samples.back().outcome;
    right += outcome == "judged" || outcome == "unread" ? 1 : 0;
    if (outcome == "unread") score.counts.add("items_with_fewer_raters");
  }
  score.official.out = tables(score.samples);
  score.metrics.push_back(mean_metric("rubric_score", score.samples, 100));
  score.figures.push_back(bootstrap_figure(score.metrics.back(), score.samples.size(), bootstrap));
  score.figures.push_back(proportion_figure("accuracy", right, static_cast<long>(score.samples.size())));
  if (score.counts.of("items_with_fewer_raters") > 0)
    score.warnings.push_back("items whose five raters have not all answered: run eval judge again");
  return score;
}

}  // namespace areason
