#pragma once
// A loaded model with everything that turns dialogues into answers: tokenizer, heard clips, masks, the engine, the cache on
// disk. Called by the session and the batch. Thread rule: one thread.
#include <exception>
#include <functional>
#include <memory>
#include <string>

#include "infer/engine.h"
#include "reason/clips.h"
#include "reason/dialogue.h"
#include "reason/file_cache.h"
#include "reason/session.h"

namespace areason {

// A question on its way to an answer.
struct Asked {
  AskOptions options;
  Answer answer;  // what is known before: clips, seconds
  SectionSink sink;
  TextSink text;               // the same as it is generated, with the tags
  std::function<bool()> stop;  // true ends the answer
  KeepPrefix keep = KeepPrefix::kPrompt;
  // Exactly one of the two is called, from Engine::step().
  std::function<void(Answer&&)> done;
  std::function<void(std::exception_ptr)> failed;
};

class Reasoner {
 public:
  Reasoner(const std::string& model_dir, const SessionOptions& options);
  const std::string& dir() const { return dir_; }
  Engine& engine() { return engine_; }
  SessionStats stats() const;
  double load_seconds() const { return load_seconds_; }

  // Adds the clips to `answer.audio` and the time to `answer.seconds`.
  HeardClips hear(const std::vector<std::string>& paths, const AskOptions& options, Answer& answer);
  // Queues the answer to the dialogue's last question. Throws Error(kInput) when it does not fit into the context.
  void submit(const Dialogue& dialogue, Asked asked);

 private:
  int room(std::size_t prompt_tokens, const AskOptions& options, const GuideLayout* guide) const;
  void choose_layout(const AskOptions& options, EngineRequest& request);
  std::string prefix_name(std::span<const std::uint64_t> keys) const;
  void load_prefix(const PositionKeys& keys);
  void save_prefix(const PositionKeys& keys);

  std::string dir_;
  double started_;
  std::unique_ptr<ModelBackend> model_;
  Tokenizer tokenizer_;
  std::unique_ptr<FileCache> files_;  // null: no cache on disk
  std::string identity_;              // of the model
  ClipCache clips_;
  MaskVocabulary vocabulary_;
  GuideLayout layout_;
  Engine engine_;
  double load_seconds_;
};

}  // namespace areason
