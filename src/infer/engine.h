#pragma once
// Many answers from one model at once (continuous batching): requests join and leave between steps, each step passes over the
// weights once for all answers in progress. A request that begins like an earlier one computes only what is new. What an
// answer says does not depend on what else runs: passes have at most ModelBackend::pass_rows() rows, prompts are computed
// in pieces of their own. Called by reason (one question, samples, files, a server's requests).
// Thread rule: one thread owns an engine, its model, and all sinks and callbacks; they are called from step() and cancel() and
// may submit.
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "infer/drafts.h"
#include "infer/generator.h"
#include "infer/prefix_store.h"
#include "model/backend.h"

namespace areason {

struct EngineLimits {
  int running = 16;        // answers written at the same time; the others wait
  int drafted = 0;         // most tokens drafted for a pass (drafts.h); 0: no speculation
  PrefixLimits kept = {};  // computed prompts that stay in memory
};

// Audio in a prompt.
struct PromptAudio {
  int begin = 0;  // position of its first token
  std::shared_ptr<const AudioEmbeddings> embeddings;
  std::uint64_t content = 0;  // names it: equal numbers, equal embeddings
};

struct EngineAnswer {
  Generation generation;
  int reused_tokens = 0;        // of the prompt
  double prefill_seconds = 0;   // from the start of the prompt to the first token's logits
  double generate_seconds = 0;  // the rest
  std::exception_ptr error;     // set: the request failed, the fields above are empty
};

enum class KeepPrefix { kPrompt, kAnswer };  // kAnswer: the next turn will come

struct EngineRequest {
  std::vector<int> ids;  // the prompt
  std::vector<PromptAudio> audio;
  GenerateOptions how;
  std::shared_ptr<GuideLayout> own_layout;  // keeps how.layout alive, where it is this request's own
  KeepPrefix keep = KeepPrefix::kPrompt;
  TextSink sink;
  std::function<void(EngineAnswer&&)> done;  // called once; what it throws leaves step(), and the engine is of no more use
};

struct EngineStats {
  long passes = 0, rows = 0;       // of answers in progress, without prompts
  long drafted = 0, accepted = 0;  // tokens
};

class Engine {
 public:
  Engine(ModelBackend& model, const Tokenizer& tokenizer, const EngineLimits& limits = {});
  ~Engine();

  // Queues a request and returns its number (> 0).
  int submit(EngineRequest request);
  // One piece of a prompt and one token of every answer in progress. False: nothing is left to do.
  bool step();
  // Ends an answer as "interrupted". Nothing when it has already ended. Not from a callback: how.stop is for that.
  void cancel(int request);
  bool idle() const;

  PrefixStore& prefixes() { return prefixes_; }
  const EngineStats& stats() const { return stats_; }

 private:
  struct Sequence;
  struct Turn;
  void start(std::unique_ptr<Sequence> sequence);
  void prefill();
  void run(std::unique_ptr<Sequence> sequence, std::vector<float> logits);
  void decode();
  std::vector<int> draft(Sequence& sequence, int room);
  void pass(std::vector<Turn>& turns);
  void take(Turn& turn, std::span<float> logits);
  void forget_taken_back(Sequence& sequence);
  void finish(Sequence& sequence);
  void fail(Sequence& sequence, const std::exception_ptr& error);

  ModelBackend* model_;
  const Tokenizer* tokenizer_;
  EngineLimits limits_;
  PrefixStore prefixes_;
  NgramDrafts finished_;  // texts of earlier answers
  int next_request_ = 1;
  std::deque<std::unique_ptr<Sequence>> waiting_;
  std::unique_ptr<Sequence> filling_;  // its prompt is being computed
  std::list<std::unique_ptr<Sequence>> running_;
  EngineStats stats_;
};

}  // namespace areason
