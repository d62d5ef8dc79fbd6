#pragma once
// One run of a model over a benchmark: which items (limit, shard), which prompt, where the answers go, what is recorded about
// it, and the score of what has been answered. Predictions are JSON lines with the item's own fields and the reply under the
// benchmark's own key, appended as they come, so that a killed run goes on where it was. Called by `eval run`, the judges and
// the report. Errors: Error(kUsage) when the folder holds another run. Thread rule: one thread; the writers of lines take
// turns.
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "eval/items.h"
#include "eval/score.h"
#include "reason/batch.h"

namespace areason {

struct Shard {
  int index = 1, count = 1;
};
// "2/4". Throws Error(kUsage).
Shard parse_shard(const std::string& text);

struct RunOptions {
  ItemSource source;
  std::string out;
  std::string prompt = "ours";  // a preset
  std::string prompt_file;      // or a template of the user
  long limit = 0;               // the first so many items; 0: all
  Shard shard;
  bool listens = false;  // warn of clips that are missing
  Json model;            // for the manifest: what answers
  Json generation;       // and how
};

struct RunItem {
  const BenchmarkItem* item;
  std::string prompt;  // empty: it cannot be asked (counted)
};

struct EvalRun {
  EvalRun() = default;
  EvalRun(EvalRun&&) = default;  // not copied: items point into data
  EvalRun& operator=(EvalRun&&) = default;
  std::string benchmark, folder, predictions;  // `predictions`: this shard's file
  Shard shard;
  Json manifest;
  BenchmarkItems data;
  std::vector<RunItem> all;    // within the limit, every shard
  std::vector<RunItem> items;  // of this shard
  Counts counts;               // of the data
};

// Reads data and prompt, makes the folder, writes manifest.json (or finds the same one there). Throws Error(kInput) where a
// model that listens would find none of the clips, as under a wrong ItemSource::audio.
EvalRun open_run(const RunOptions& options);
// The run that a folder holds, read from its manifest, for judges and reports.
EvalRun reopen_run(const std::string& folder);

// What a model said about an item, and how it ended.
struct RunReply {
  std::string text, finish;
  Json usage;  // may be null
  Json more;   // further members of the line, an object or null
};
std::string prediction_line(const EvalRun& run, const RunItem& item, const RunReply& reply);

struct Predictions {
  std::map<std::string, Json> lines;  // by id; the first of an id counts
  int shards_found = 0, shards = 1;
  Counts counts;
};
// Of all shards that are there.
Predictions read_run(const EvalRun& run);

struct RunScoreOptions {
  ScoreOptions score;
  // Judges' verdicts by id for benchmarks that are judged; members are added to the item.
  std::map<std::string, Json> extra;
};
// The run's answers in the order of the data. Items of shards that are not there are left out; items without an answer count
// as missing. Counted beside the scorer's: finish_stop, finish_length …
BenchmarkScore score_run(const EvalRun& run, const RunScoreOptions& options);

// Held while answers are added: a second process on the same file would ask everything twice. Throws Error(kUsage) when
// another one holds it.
class RunLock {
 public:
  explicit RunLock(const EvalRun& run);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int descriptor_ = -1;
};

// Our own engine, in process.
struct EngineOptions {
  BatchOptions batch;
  std::function<void(const BatchStats&)> progress;
};
struct RunStats {
  std::size_t items = 0, skipped = 0, answered = 0, failed = 0;
  double seconds = 0;
  std::map<std::string, long> outcomes;  // of this call: missing_audio, unusable_audio, no_prompt_field, finishes
};
RunStats run_engine(EvalRun& run, const EngineOptions& options);

// Name, hashes and sizes of a checkpoint's files for the manifest; weights over `hash_limit` bytes are named by size alone.
Json describe_model(const std::string& dir, std::uint64_t hash_limit = std::uint64_t{1} << 30);

}  // namespace areason
