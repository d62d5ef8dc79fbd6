#pragma once
// A conversation as it goes on: messages, the clips that belong to them, the prompt for the next answer. A value: a copy made
// before a question restores the conversation when the question fails. Called by the session and the batch. Thread rule: one
// thread.
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "chat/prompt.h"
#include "infer/engine.h"
#include "reason/clips.h"
#include "reason/session.h"

namespace areason {

using HeardClips = std::vector<std::shared_ptr<const HeardClip>>;

class Dialogue {
 public:
  Dialogue();
  // The system prompt; nothing when the conversation has begun.
  void begin(const AskOptions& options);
  void add_user(const HeardClips& clips, const std::string& question);
  void add_assistant(const std::string& text);
  // Clips that the next question takes with it.
  void set_waiting(HeardClips clips) { waiting_ = std::move(clips); }
  HeardClips take_waiting() { return std::exchange(waiting_, {}); }
  const HeardClips& waiting() const { return waiting_; }

  // Throws Error(kInput) as build_prompt() does.
  Prompt prompt(const Tokenizer& tokenizer, const AskOptions& options) const;
  // One per audio of the prompt.
  std::vector<PromptAudio> audio(const Prompt& prompt) const;
  int audio_tokens() const;
  const Json& transcript() const { return transcript_; }

 private:
  Conversation conversation_;
  // One per audio part of the conversation: a window of a clip.
  std::vector<std::pair<std::shared_ptr<const HeardClip>, std::size_t>> windows_;
  HeardClips waiting_;
  Json transcript_;
};

}  // namespace areason
