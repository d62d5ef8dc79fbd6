// audio-reasoner eval judge: a language model rates a run's answers (AIR-Bench chat, MMAR's rubrics).
#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "base/interrupt.h"
#include "base/log.h"
#include "cli/cmd_eval.h"
#include "cli/llm_flags.h"
#include "cli/progress_line.h"
#include "eval/judge.h"

namespace areason {
namespace {

struct JudgeFlags {
  std::string folder;
  LlmFlags judge;
  BudgetFlags budget;
  JudgeOptions options;
  bool one_order = false, json = false;
  int resamples = 1000;
};

BenchmarkScore judged_score(const JudgeFlags& flags, const EvalRun& run) {
  const BootstrapOptions bootstrap{flags.resamples, 1};
  if (run.benchmark == "mmar") return score_rubrics(run, bootstrap);
  RunScoreOptions options;
  options.score = {run.benchmark, ScoreStage::kRaw, "auto", bootstrap};
  Counts ignored;
  options.extra = chat_verdicts(run, ignored);
  write_chat_scores(run);
  return score_run(run, options);
}

void judge_folder(JudgeFlags& flags) {
  const EvalRun run = reopen_run(flags.folder);
  expect_judged(run);
  if (flags.judge.given()) {
    const auto budget = flags.budget.build();
    flags.options.judge = flags.judge.build(budget, "");
    flags.options.orders = flags.one_order ? JudgeOptions::Orders::kPlainOnly : JudgeOptions::Orders::kBoth;
    auto line = std::make_shared<ProgressLine>();
    flags.options.progress = [line](std::size_t done, std::size_t total, double seconds) {
      (*line)({total, done, done, seconds, ""});
    };
    const JudgeStats stats = judge_run(run, flags.options);
    std::string outcomes;
    for (const auto& [name, n] : stats.outcomes.all()) outcomes += fmt::format(", {} {}", n, name);
    log_info(fmt::format("{} verdicts wanted: {} before, {} now ({} of them unread), {} not{}", stats.wanted, stats.there,
                         stats.judged, stats.unread, stats.failed, outcomes));
    log_info(spent_line(*budget));
  }
  throw_if_interrupted();
  const BenchmarkScore score = judged_score(flags, run);
  std::cout << (flags.json ? dump_json(score_to_json(score, WithSamples::kNo), 2) + "\n" : score_to_text(score));
}

}  // namespace

void add_eval_judge(CLI::App& eval) {
  auto flags = std::make_shared<JudgeFlags>();
  CLI::App* app =
      eval.add_subcommand("judge", "let a language model rate a run's answers (airbench-chat, mmar); then the score");
  app->add_option("run", flags->folder, "a folder that eval run made; without --judge-api only its verdicts are scored")
      ->required()
      ->type_name("DIR");
  flags->judge.parameters.max_output_tokens = 1024;  // as AIR-Bench's script
  flags->judge.add_to(*app, "judge-", "the judge");
  app->add_option("--tries", flags->options.tries, "so often a judge is asked until its reply can be read")
      ->check(CLI::Range(1, 20))
      ->capture_default_str();
  app->add_flag("--one-order", flags->one_order, "airbench-chat: not the swapped order (half the price, not comparable)");
  app->add_option("--resamples", flags->resamples, "of the bootstrap")->capture_default_str()->check(CLI::Range(0, 1000000));
  app->add_flag("--json", flags->json, "print one JSON object");
  flags->budget.add_to(*app);
  app->callback([flags] { judge_folder(*flags); });
}

}  // namespace areason
