#pragma once
// A benchmark's scorer as the commands and the runner see it: predictions go in one by one, a BenchmarkScore comes out with
// figures, their uncertainty, groups, what the original script would print, and a verdict a sample for paired tests and the
// report. Values of figures are in the benchmark's own unit (percent, or points of the judge). Thread rule: one thread a
// scorer; a BenchmarkScore is a value.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "eval/counts.h"
#include "eval/predictions.h"
#include "eval/script_run.h"
#include "eval/statistics.h"

namespace areason {

// Which text the original's rule is given. kRaw: the reply as it is. kResponse: its RESPONSE section. kMapped: the option text
// (MMAU, MMAR), letter (AIR-Bench foundation) or label (MELD) that the response names; where it names none, the response.
enum class ScoreStage { kRaw, kResponse, kMapped };
std::string_view stage_name(ScoreStage stage);
// Throws Error(kUsage).
ScoreStage parse_stage(std::string_view name);

struct Figure {
  std::string name;
  double value = 0;
  long n = 0;  // samples behind it
  double error = 0;
  Interval interval;   // 95 %
  const char* method;  // "wilson", "bootstrap" or "" (no interval)
};

struct GroupFigure {
  std::string by, name;  // "task", "sound"
  Figure figure;
};

struct SampleScore {
  std::string id;
  double value = 0;     // 1 or 0; the judge's mean points; sentence BLEU
  std::string outcome;  // right, wrong, unread, missing, invalid
  std::string answer;   // what was scored
  std::vector<std::pair<std::string, std::string>> groups;
};

// A figure that can be computed again from any samples (by their index in BenchmarkScore::samples).
struct Metric {
  std::string name;
  PickedFigure figure;
};

struct BenchmarkScore {
  std::string benchmark;
  ScoreStage stage = ScoreStage::kRaw;
  Counts counts;
  std::vector<Figure> figures;  // the first one is the benchmark's own
  std::vector<Figure> stages;   // the first figure at each stage, where there are stages
  std::vector<GroupFigure> groups;
  std::vector<SampleScore> samples;
  std::vector<Metric> metrics;
  ScriptRun official;         // what the original prints for the items it can take
  std::string official_stop;  // why the original would have ended before that; else empty
  std::vector<std::string> warnings;
  Json details;  // of the benchmark: data version, BLEU lines, …
};

struct ScoreOptions {
  std::string benchmark;
  ScoreStage stage = ScoreStage::kRaw;
  std::string tokenizer = "auto";  // covost2: auto (by the source's target language), 13a, zh
  BootstrapOptions bootstrap;
};

class Scorer {
 public:
  virtual ~Scorer() = default;
  virtual void add(const Prediction& prediction) = 0;
  // Called once, after the last add(). `counts` are those of the reader and stay in the BenchmarkScore.
  virtual BenchmarkScore finish(const Counts& counts) = 0;
};

// "mmau", "mmar", "airbench-foundation", "airbench-chat", "covost2", "meld".
std::vector<std::string> benchmark_names();
// The keys under which a benchmark's predictions carry the reply.
std::vector<std::string> reply_keys(std::string_view benchmark);
// Throws Error(kUsage) for an unknown benchmark.
std::unique_ptr<Scorer> make_scorer(const ScoreOptions& options);
// Reads and scores.
BenchmarkScore score_files(const PredictionFiles& files, const ScoreOptions& options);

enum class WithSamples { kNo, kYes };
Json score_to_json(const BenchmarkScore& score, WithSamples with_samples);
// The original's text, then figures with their intervals, stages, groups and counts.
std::string score_to_text(const BenchmarkScore& score);

}  // namespace areason
