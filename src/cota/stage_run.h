#pragma once
// The three stages as jobs of a store: planning (which clip, question or chain needs what), asking a teacher on many threads,
// reading the answers, and handing on: an annotation that counts brings the think jobs of its questions with it, a chain brings
// its review, in the same transaction. Any number of processes may run on one store. Called by the CLI and tests.
// Thread rule: run_stages() starts its own threads and returns when they are done. Errors: Error(kInterrupted) after Ctrl-C
// (what was answered is kept, what was begun is given back), others as thrown.
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cota/import_clip.h"
#include "cota/stage_prompt.h"
#include "cota/stage_teacher.h"
#include "store/job_store.h"

namespace areason {

// What an item of a job's payload is: the clip, and from the second stage on the sample that grows.
struct StageItem {
  SourceClip clip;
  Sample sample;    // think: question and answer; review: the chain too
  int attempt = 0;  // answers that came before; tells recordings of them apart
};
// Throws Error(kInput) naming the job.
StageItem read_payload(const store::Job& job);

// ---- planning: adds the jobs that are missing, and says how many were new ----
// One annotate job a clip of `clips_file` that `where` (keys as in store::JobFilter) lets through; at most `limit` clips, 0:
// all.
struct PlanOptions {
  std::map<std::string, std::string> where;
  std::int64_t limit = 0;
};
std::size_t plan_annotations(store::JobStore& store, const PromptLibrary& prompts, const std::string& clips_file,
                             const PlanOptions& options);
// Think jobs of all annotations, review jobs of all chains (of the prompts' present versions): needed after a prompt of a later
// stage was changed. Reads all answers then, one page at a time, and nothing when the store knows that none is missing.
std::size_t plan_follow_ups(store::JobStore& store, const PromptLibrary& prompts, Stage stage);

struct StageProgress {
  std::int64_t done = 0, refused = 0, failed = 0, late = 0;  // answers of this run
  store::JobCost cost;
  double seconds = 0;
};

struct StageRunOptions {
  std::vector<Stage> stages = {Stage::kAnnotate, Stage::kThink, Stage::kReview};
  std::map<std::string, std::string> where;
  std::int64_t limit = 0;  // jobs of the first of `stages`; 0: all
  int workers = 4;
  int batch = 1;      // jobs a worker takes, and answers it stores, at a time
  int max_tries = 3;  // answers that may be refused before a job is given up
  double lease_seconds = 600;
  std::function<void(const StageProgress&)> progress;  // about twice a second, from one thread
};

struct StageRunReport {
  StageProgress totals;
  // Why the run ended early (key, quota, budget, no server: what is not answered then is open); "" otherwise.
  std::string stopped_by;
  llm::Finish stopped_how = llm::Finish::kStop;
};
StageRunReport run_stages(store::JobStore& store, const PromptLibrary& prompts, Teacher& teacher,
                          const StageRunOptions& options);

// The prompt of a job as the teacher gets it; `reason` is why the last answer was refused.
std::string stage_prompt_text(const StagePrompt& prompt, Stage stage, const StageItem& item, const std::string& reason);
Stage stage_of(const store::Job& job);

// Reads an answer of `stage`; the sample or samples that follow, or a refusal.
struct StageResult {
  std::vector<Sample> samples;
  std::string refusal;
};
StageResult read_stage_answer(Stage stage, const StageItem& item, const std::string& text, const StagePrompt& prompt);

}  // namespace areason
