#pragma once
// Other models over a benchmark: anything behind llm::Provider that hears clips, text models that are told what another model
// heard (the paper's cascade and caption baselines), and the two baselines without a model. Answers go where run.h puts them.
// Called by `eval run`. Errors: Error(kRemote) when the provider ends the run (key, quota, budget); what one item gets wrong is
// counted and asked again at the next call. Thread rule: one thread; requests run on workers.
#include <functional>
#include <map>
#include <string>

#include "eval/run.h"
#include "llm/provider.h"

namespace areason {

struct AskedModel {
  llm::ProviderPtr provider;
  std::string model;
  llm::GenerationParameters parameters;
  std::string system_prompt;  // empty: none
  double timeout_seconds = 600;
  int workers = 4;
};
// Items done and in all, seconds.
using RunProgress = std::function<void(std::size_t, std::size_t, double)>;

// What was heard in every clip of the run, by path: from FOLDER/heard.jsonl, and asked of `listener` where it is not there yet.
// `question` is what a model that hears is asked ("" for a transcription endpoint).
struct ListenerUse {
  AskedModel listener;
  std::string question;
};
std::map<std::string, std::string> hear_clips(const EvalRun& run, const ListenerUse& listening, Counts& outcomes,
                                              const RunProgress& progress);

struct LlmRun {
  AskedModel asked;
  // Set: the model gets these words instead of the sound; clips without words are not asked about.
  std::optional<std::map<std::string, std::string>> heard;
  RunProgress progress;
};
RunStats run_llm(EvalRun& run, const LlmRun& options);

// kChance: an even guess among the options by the item's id and the seed. kMajority: the most frequent place (or label) of the
// right answers, which looks at them. Throws Error(kUsage) for benchmarks without options.
enum class Baseline { kChance, kMajority };
RunStats run_baseline(EvalRun& run, Baseline baseline, std::uint64_t seed);

}  // namespace areason
