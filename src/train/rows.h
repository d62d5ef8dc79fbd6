#pragma once
// Rows of training files, whatever their form: this project's samples (cota/sample.h) and what ms-swift users have: `messages`
// + `audios`, `query`/`response`/`history`, ShareGPT, Alpaca; JSON lines, a JSON array or CSV; `path#N` takes N rows. Facts:
// ms-swift's preprocessor/core.py and Custom-dataset.md. Called by trainer.cpp. Bad rows are named, counted and left out.
// Errors: Error(kInput) naming the file (and the row, with BadRows::kStop). Thread rule: free functions, values.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "chat/conversation.h"

namespace areason::train {

enum class Target { kChain, kAnswer };  // kAnswer: the response alone, without the chain (the ablation)
enum class Rounds { kEvery, kLast };    // which assistant turns are learned (per-message "loss" aside)
enum class BadRows { kLeaveOut, kStop };

struct TrainingRow {
  std::string id;             // its own, or "file, line 12"
  std::string task;           // what accuracy is reported by: kind, task or channel; may be empty
  Conversation conversation;  // audio parts hold paths, absolute or relative to the working directory
  // One per assistant message: what its loss counts ("loss": false is 0, "loss_scale": x is x). Never all 0.
  std::vector<float> weights;
};

struct RowOptions {
  Target target = Target::kChain;
  Rounds rounds = Rounds::kEvery;
  BadRows bad_rows = BadRows::kLeaveOut;
  std::uint64_t seed = 1;  // which rows `path#N` takes
};

// One row of any form. `base`: the folder that relative audio paths are relative to. Throws Error(kInput) beginning with
// `where`.
TrainingRow row_from_json(const Json& json, const std::string& where, const std::string& base, const RowOptions& options);

struct RowSet {
  std::vector<TrainingRow> rows;
  std::int64_t bad = 0;
};
RowSet read_training_rows(const std::vector<std::string>& files, const RowOptions& options);

// Every line of a file that is not blank, with where it stands ("rows.jsonl, line 7").
void each_line(const std::string& path, const std::function<void(const std::string& text, const std::string& where)>& each);

// The conversation as the template takes it: one audio part per window of each clip (`windows`: how many each clip has), and
// the run's system prompt where it has none of its own.
Conversation with_windows(const Conversation& conversation, const std::vector<int>& windows, const std::string& system_prompt);

// Every distinct audio path of `rows`, in order.
std::vector<std::string> audio_paths(const std::vector<TrainingRow>& rows);

}  // namespace areason::train
