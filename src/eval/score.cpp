#include "eval/score.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "eval/response.h"
#include "eval/scorers.h"

namespace areason {
namespace {

struct Benchmark {
  const char* name;
  std::unique_ptr<Scorer> (*make)(const ScoreOptions&);
  std::vector<std::string> reply_keys;
};

const std::vector<Benchmark>& benchmarks() {
  // The scripts' own keys first; MMAU's README says model_prediction where its code reads model_output.
  static const std::vector<Benchmark> all = {
      {"mmau", make_choice_scorer, {"model_output", "model_prediction", "response", "prediction"}},
      {"mmar", make_choice_scorer, {"answer_prediction", "response", "prediction"}},
      {"airbench-foundation", make_foundation_scorer, {"response", "prediction"}},
      {"airbench-chat", make_chat_scorer, {"gpt-score", "gen"}},
      {"covost2", make_translation_scorer, {"response", "prediction"}},
      {"meld", make_emotion_scorer, {"response", "prediction"}},
  };
  return all;
}

const Benchmark& find_benchmark(std::string_view name) {
  for (const Benchmark& b : benchmarks())
    if (b.name == name) return b;
  std::string names;
  for (const Benchmark& b : benchmarks()) names += std::string(names.empty() ? "" : ", ") + b.name;
  throw Error(ErrorCode::kUsage, "there is no benchmark " + std::string(name), "one of " + names);
}

}  // namespace

std::string_view stage_name(ScoreStage stage) {
  return stage == ScoreStage::kRaw ? "raw" : stage == ScoreStage::kResponse ? "response" : "mapped";
}

ScoreStage parse_stage(std::string_view name) {
  for (const ScoreStage stage : {ScoreStage::kRaw, ScoreStage::kResponse, ScoreStage::kMapped})
    if (stage_name(stage) == name) return stage;
  throw Error(ErrorCode::kUsage, "there is no stage " + std::string(name), "one of raw, response, mapped");
}

std::vector<std::string> benchmark_names() {
  std::vector<std::string> names;
  for (const Benchmark& b : benchmarks()) names.emplace_back(b.name);
  return names;
}

std::vector<std::string> reply_keys(std::string_view benchmark) { return find_benchmark(benchmark).reply_keys; }

std::unique_ptr<Scorer> make_scorer(const ScoreOptions& options) { return find_benchmark(options.benchmark).make(options); }

BenchmarkScore score_files(const PredictionFiles& files, const ScoreOptions& options) {
  const auto scorer = make_scorer(options);
  Counts counts;
  read_predictions(files, counts, [&](Prediction&& p) { scorer->add(p); });
  return scorer->finish(counts);
}

BenchmarkScore opened_score(const ScoreOptions& options, Counts& own, const Counts& of_reader) {
  own.add(of_reader);
  BenchmarkScore score;
  score.benchmark = options.benchmark;
  score.stage = options.stage;
  return score;
}

Figure proportion_figure(std::string name, long k, long n) {
  const Interval interval = wilson_interval(k, n);
  const double share = n > 0 ? static_cast<double>(k) / static_cast<double>(n) : 0;
  return {std::move(name), 100 * share, n, 100 * proportion_error(k, n), {100 * interval.low, 100 * interval.high}, "wilson"};
}

Figure bootstrap_figure(const Metric& metric, std::size_t samples, const BootstrapOptions& options) {
  std::vector<std::uint32_t> all(samples);
  std::iota(all.begin(), all.end(), 0U);
  const Bootstrap spread = bootstrap(samples, metric.figure, options);
  const bool drawn = samples > 0 && options.resamples > 0;
  return {metric.name, metric.figure(all), static_cast<long>(samples), spread.error, spread.interval, drawn ? "bootstrap" : ""};
}

Metric mean_metric(std::string name, const std::vector<SampleScore>& samples, double unit) {
  auto values = std::make_shared<std::vector<double>>();
  for (const SampleScore& s : samples) values->push_back(s.value * unit);
  return {std::move(name), [values](std::span<const std::uint32_t> picks) {
            double sum = 0;
            for (const std::uint32_t i : picks) sum += (*values)[i];
            return picks.empty() ? 0 : sum / static_cast<double>(picks.size());
          }};
}

std::vector<GroupFigure> group_proportions(const std::vector<SampleScore>& samples) {
  struct Count {
    std::string by, name;
    long right = 0, n = 0;
  };
  std::vector<Count> counts;
  std::map<std::pair<std::string, std::string>, std::size_t> index;
  for (const SampleScore& s : samples) {
    if (s.outcome == "invalid") continue;
    for (const auto& group : s.groups) {
      const auto [at, is_new] = index.try_emplace(group, counts.size());
      if (is_new) counts.push_back({group.first, group.second});
      Count& count = counts[at->second];
      ++count.n;
      if (s.value == 1) ++count.right;
    }
  }
  std::vector<GroupFigure> out;
  for (const Count& c : counts) out.push_back({c.by, c.name, proportion_figure("accuracy", c.right, c.n)});
  std::vector<std::string> order;  // kinds of groups as the items name them
  for (const Count& c : counts)
    if (std::find(order.begin(), order.end(), c.by) == order.end()) order.push_back(c.by);
  const auto place = [&](const GroupFigure& g) { return std::find(order.begin(), order.end(), g.by) - order.begin(); };
  std::stable_sort(out.begin(), out.end(), [&](const GroupFigure& a, const GroupFigure& b) { return place(a) < place(b); });
  return out;
}

std::string response_of(const std::string& reply, Counts& counts) {
  ExtractedResponse extracted = extract_response(reply);
  if (extracted.how == ExtractedResponse::How::kNoTags) return reply;
  counts.add(extraction_name(extracted.how));
  if (!extracted.complete) counts.add("chain_incomplete");
  return std::move(extracted.text);
}

}  // namespace areason
