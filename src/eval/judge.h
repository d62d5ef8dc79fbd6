#pragma once
// Judges: language models that rate a run's answers. AIR-Bench chat (the judge's prompt of the benchmark, both orders) and
// MMAR's rubrics (five raters an answer that is right). Every prompt and reply is stored in FOLDER/judge/verdicts.jsonl; what
// is there is not asked again, so a stopped run goes on and a finished one is replayed. Called by `eval judge` and the report.
// Errors: Error(kRemote) when the provider ends the run. Thread rule: one thread; requests run on workers.
#include <map>
#include <string>

#include "eval/airbench_chat.h"
#include "eval/run_llm.h"

namespace areason {

struct JudgeOptions {
  AskedModel judge;
  int tries = 3;  // a reply that cannot be read is asked for again, in all so often; then the failure is the verdict
  enum class Orders { kBoth, kPlainOnly } orders = Orders::kBoth;
  RunProgress progress;
};

struct JudgeStats {
  std::size_t wanted = 0, there = 0, judged = 0, unread = 0;  // unread: of all verdicts, those whose reply says nothing
  std::size_t failed = 0;                                     // no verdict: the provider failed; asked again next time
  Counts outcomes;
};

// One prompt for a judge and how its reply is read.
struct JudgeJob {
  std::string id;  // "ITEM|plain", "ITEM|swapped", "ITEM|rater1"
  std::string item, system, prompt;
  int sample = 0;
  Json rubric;  // MMAR
};
// Every job of a run, in order. Throws Error(kUsage) for benchmarks that no judge rates.
// Throws Error(kUsage) for a run of a benchmark that no judge rates.
void expect_judged(const EvalRun& run);
std::vector<JudgeJob> judge_jobs(const EvalRun& run, JudgeOptions::Orders orders, Counts& counts);

JudgeStats judge_run(const EvalRun& run, const JudgeOptions& options);

// The verdicts of a folder by job, the first of each.
std::map<std::string, Json> read_verdicts(const std::string& folder, Counts& counts);
// AIR-Bench chat: "gpt-score" and "gpt-score-swapped" by item, for score_run(); also written as chat_score.json and
// chat_score_cir.json, the files of the benchmark's own scripts.
std::map<std::string, Json> chat_verdicts(const EvalRun& run, Counts& counts);
void write_chat_scores(const EvalRun& run);
// MMAR: the rubric score of every item (a wrong answer: 0; a right one: mean of the middle three of five raters).
BenchmarkScore score_rubrics(const EvalRun& run, const BootstrapOptions& bootstrap);

}  // namespace areason
