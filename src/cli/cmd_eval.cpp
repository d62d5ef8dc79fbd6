// audio-reasoner eval: scores predictions files as the benchmarks' own scripts do, and compares two runs.
#include "cli/cmd_eval.h"

#include <fmt/format.h>

#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/flag_checks.h"
#include "base/hash.h"
#include "base/json.h"
#include "cli/commands.h"
#include "eval/compare.h"
#include "eval/functions.h"
#include "eval/mmau.h"
#include "eval/score.h"

namespace areason {
namespace {

struct EvalFlags {
  ScoreOptions score;
  PredictionFiles files;
  std::string stage = "raw", reply_key, swapped, file_b;
  double record_mib = 16;
  bool keep_duplicates = false, json = false, samples = false;

  void add_to(CLI::App& app) {
    app.add_option("--benchmark", score.benchmark, "whose scorer")->required()->check(CLI::IsMember(benchmark_names()));
    app.add_option("--data", files.data,
                   "the benchmark's own file: items are joined by id, those without a prediction count, its hash is named")
        ->type_name("FILE");
    app.add_option(
           "--stage", stage,
           "what the original's rule is given: the reply as it is, its RESPONSE section, or the option or label that it names")
        ->capture_default_str()
        ->check(CLI::IsMember({"raw", "response", "mapped"}));
    app.add_option("--reply-key", reply_key, "the field with the model's reply (default: the benchmark's own)")
        ->type_name("NAME");
    app.add_option("--tokenizer", score.tokenizer, "covost2: auto goes by the target language in \"source\"")
        ->capture_default_str()
        ->check(CLI::IsMember({"auto", "13a", "zh"}));
    app.add_flag("--keep-duplicates", keep_duplicates, "score every line of a repeated id (default: the first one counts)");
    app.add_option("--max-record", record_mib, "MiB; longer lines are left out and counted")
        ->capture_default_str()
        ->check(CLI::Range(0.001, 1024.0));
    app.add_option("--resamples", score.bootstrap.resamples, "of the bootstrap; 0: none")
        ->capture_default_str()
        ->check(CLI::Range(0, 1000000));
    app.add_option("--seed", score.bootstrap.seed, "of the bootstrap")->check(kNotNegative)->capture_default_str();
    app.add_flag("--json", json, "print one JSON object");
  }

  void finish() {
    score.stage = parse_stage(stage);
    files.reply_keys = reply_key.empty() ? reply_keys(score.benchmark) : std::vector<std::string>{reply_key};
    files.limits.bytes = static_cast<std::size_t>(record_mib * 1048576);
    if (keep_duplicates) files.duplicates = PredictionFiles::Duplicates::kKeep;
    if (!swapped.empty() && score.benchmark != "airbench-chat")
      throw Error(ErrorCode::kUsage, "--swapped belongs to airbench-chat", "leave it out");
  }
};

// The judge's replies of the swapped order by item.
std::map<std::string, Json> read_swapped(const EvalFlags& flags, Counts& counts) {
  std::map<std::string, Json> replies;
  if (flags.swapped.empty()) return replies;
  PredictionFiles files = flags.files;
  files.paths = {flags.swapped};
  read_predictions(files, counts, [&](Prediction&& p) { replies[p.id] = p.reply ? Json(*p.reply) : Json(); });
  return replies;
}

BenchmarkScore run_scorer(const EvalFlags& flags) {
  Counts counts;
  const auto swapped = read_swapped(flags, counts);
  const auto scorer = make_scorer(flags.score);
  read_predictions(flags.files, counts, [&](Prediction&& p) {
    if (!flags.swapped.empty()) {
      const auto found = swapped.find(p.id);
      p.item["gpt-score-swapped"] = found == swapped.end() ? Json() : found->second;
    }
    scorer->add(p);
  });
  BenchmarkScore score = scorer->finish(counts);
  if (!flags.files.data.empty()) {
    const std::string hash = sha256_file(flags.files.data);
    score.details["data_sha256"] = hash;
    if (flags.score.benchmark == "mmau" && !mmau_version_of_file(hash).empty())
      score.details["mmau_version"] = std::string(mmau_version_of_file(hash));
  }
  return score;
}

void add_eval_score(CLI::App& eval) {
  auto flags = std::make_shared<EvalFlags>();
  CLI::App* app = eval.add_subcommand("score", "score predictions with a benchmark's own rules; needs no model");
  app->add_option("predictions", flags->files.paths,
                  "JSON lines or one JSON array, the benchmark's fields and the reply; \"-\": standard input")
      ->required()
      ->type_name("FILE");
  flags->add_to(*app);
  app->add_option("--swapped", flags->swapped, "airbench-chat: the judge's replies of the swapped order")->type_name("FILE");
  app->add_flag("--samples", flags->samples, "with --json: the verdict of every sample");
  app->callback([flags] {
    flags->finish();
    const BenchmarkScore score = run_scorer(*flags);
    if (flags->json) {
      std::cout << dump_json(score_to_json(score, flags->samples ? WithSamples::kYes : WithSamples::kNo), 2) << "\n";
    } else {
      std::cout << score_to_text(score);
    }
  });
}

void add_compare(CLI::App& eval) {
  auto flags = std::make_shared<EvalFlags>();
  flags->files.paths.resize(1);
  CLI::App* app = eval.add_subcommand("compare", "two runs over the same items: differences, intervals, paired tests");
  app->add_option("a", flags->files.paths[0], "predictions of run A")->required()->type_name("A");
  app->add_option("b", flags->file_b, "predictions of run B")->required()->type_name("B");
  flags->add_to(*app);
  app->callback([flags] {
    flags->finish();
    const BootstrapOptions bootstrap = flags->score.bootstrap;
    flags->score.bootstrap.resamples = 0;  // the runs' own intervals are not shown
    const BenchmarkScore a = run_scorer(*flags);
    flags->files.paths[0] = flags->file_b;
    const BenchmarkScore b = run_scorer(*flags);
    const Comparison comparison = compare_scores(a, b, bootstrap);
    std::cout << (flags->json ? dump_json(comparison_to_json(comparison), 2) + "\n" : comparison_to_text(comparison));
  });
}

// For tools/fuzz_scorers.py: one call a line, one answer a line.
void add_function(CLI::App& eval) {
  CLI::App* app = eval.add_subcommand("function", "call scoring functions: {\"function\": NAME, …} a line of standard input");
  app->group("");
  app->callback([] {
    std::string line;
    while (std::getline(std::cin, line)) {
      try {
        std::cout << dump_json(eval_function(parse_json(line, "a call"))) << std::endl;
      } catch (const Error& e) {
        std::cout << dump_json(Json{{"error", e.what()}}) << std::endl;
      }
    }
  });
}

}  // namespace

void register_eval(CLI::App& app) {
  CLI::App* eval = app.add_subcommand("eval", "benchmarks: run a model, score predictions, judge, compare, report");
  eval->require_subcommand(1);
  add_eval_run(*eval);
  add_eval_judge(*eval);
  add_eval_report(*eval);
  add_eval_score(*eval);
  add_compare(*eval);
  add_function(*eval);
}

}  // namespace areason
