#pragma once
// Asks a language model once for each of many items, on several threads, and appends what it made of each to a JSONL file, so
// that nothing is paid for twice and a stopped run goes on. Called by script_teacher.h and statement_reader.h. Thread rule:
// ask_and_keep() starts its own threads and returns when they are done. Errors: Error(kRemote) when the provider refuses every
// further request (key, quota, budget) or several in a row reach no server, Error(kInterrupted); what was answered until then
// is kept.
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "cota/annotate.h"
#include "cota/stage_prompt.h"
#include "llm/provider.h"

namespace areason {

// `done`: answered or given up in this run, of `total`.
using AskedProgress = std::function<void(std::size_t done, std::size_t total, double seconds)>;

struct AskedModelOptions {
  llm::ProviderPtr provider;
  std::string model;
  llm::GenerationParameters parameters;  // temperature and length: the prompt's, where it has them
  double timeout_seconds = 600;
  StagePrompt prompt;
  int workers = 4;
  int max_tries = 3;       // answers that may be refused before an item is given up
  AskedProgress progress;  // called by one thread at a time; may be empty
};

struct KeptCounts {
  int written = 0, known = 0, refused_answers = 0;
  std::vector<std::string> given_up;  // ids, sorted
  std::string last_refusal;           // why an answer could not be used
};

struct AskedItem {
  std::string id;
  PromptValues values;
  // The line to keep, or why the answer cannot be used, which the model is told. Called from any thread.
  std::function<Parsed<Json>(std::string_view answer)> read;
};
// `what` begins messages: "the scripts' teacher".
KeptCounts ask_and_keep(const std::string& file, const std::vector<AskedItem>& items, const AskedModelOptions& options,
                        const std::string& what);

// Throws Error(kRemote) where items were asked for and nothing came, now or before.
void require_some_answer(const KeptCounts& counts, const std::string& what);

// Every whole line of the file; nothing without one. `what`: "a script".
void each_kept(const std::string& file, const std::string& what,
               const std::function<void(const std::string& id, const Json& line, const std::string& where)>& each);

}  // namespace areason
