#pragma once
// A conversation as users and files write it: the `messages` form of transformers, ms-swift and cases.json. Called by reason,
// probe, the trainer. Thread rule: values.
#include <string>
#include <vector>

#include "base/json_fwd.h"

namespace areason {

// The system prompt the released model was trained on (inference.py of xzf-thu/Audio-Reasoner).
extern const char* const kReasonerSystemPrompt;
// The template's default when a conversation has none ("You are a helpful assistant.").
extern const char* const kTemplateSystemPrompt;

struct Part {
  enum class Kind { kText, kAudio } kind = Kind::kText;
  std::string value;  // the text, or the audio's path
};

struct Message {
  std::string role;  // "system", "user", "assistant"
  std::vector<Part> parts;
};

struct Conversation {
  std::vector<Message> messages;
  // Paths of all audio parts in order.
  std::vector<std::string> audio_paths() const;
};

// content: a string, or a list of {"type":"text","text":…} and {"type":"audio","audio_url"|"audio"|"path":…}.
// Throws Error(kInput) naming the message's index.
Conversation conversation_from_json(const Json& messages);

}  // namespace areason
