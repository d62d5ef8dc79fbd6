#include "chat/conversation.h"

#include "base/error.h"
#include "base/json.h"

namespace areason {

const char* const kReasonerSystemPrompt =
    "You are an audio deep-thinking model. Upon receiving a question, please respond in two parts: <THINK> and <RESPONSE>. The "
    "<THINK> section should be further divided into four parts: <PLANNING>, <CAPTION>, <REASONING>, and <SUMMARY>.";
const char* const kTemplateSystemPrompt = "You are a helpful assistant.";

namespace {

[[noreturn]] void bad(std::size_t message, const std::string& what) {
  throw Error(ErrorCode::kInput, "message " + std::to_string(message) + ": " + what,
              "a message is {\"role\": \"system|user|assistant\", \"content\": TEXT or [{\"type\": \"text\", \"text\": …}, "
              "{\"type\": \"audio\", \"audio_url\": PATH}]}");
}

const Json* string_field(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? &*it : nullptr;
}

// A value is a path or, as ms-swift and OpenAI clients write it, {"url": path}.
bool read_audio(const Json& item, Part& part) {
  for (const char* key : {"audio_url", "audio", "path"}) {
    const auto it = item.find(key);
    if (it == item.end()) continue;
    const Json* value = it->is_object() ? string_field(*it, "url") : (it->is_string() ? &*it : nullptr);
    if (value == nullptr) return false;
    part = {Part::Kind::kAudio, value->get<std::string>()};
    return true;
  }
  return false;
}

Part read_part(const Json& item, std::size_t index) {
  Part part;
  if (item.is_string()) return {Part::Kind::kText, item.get<std::string>()};
  if (!item.is_object()) bad(index, "a content item is neither a string nor an object");
  if (read_audio(item, part)) return part;
  const Json* text = string_field(item, "text");
  if (text == nullptr) bad(index, "a content item has neither a text nor an audio path");
  return {Part::Kind::kText, text->get<std::string>()};
}

Message read_message(const Json& json, std::size_t index) {
  if (!json.is_object()) bad(index, "is not an object");
  Message message;
  const Json* role = string_field(json, "role");
  if (role == nullptr) bad(index, "has no role");
  message.role = role->get<std::string>();
  if (message.role != "system" && message.role != "user" && message.role != "assistant") {
    bad(index, "unknown role \"" + message.role + "\"");
  }
  const auto content = json.find("content");
  if (content == json.end()) bad(index, "has no content");
  if (content->is_string()) {
    message.parts.push_back({Part::Kind::kText, content->get<std::string>()});
  } else if (content->is_array()) {
    for (const Json& item : *content) message.parts.push_back(read_part(item, index));
  } else {
    bad(index, "content is neither a string nor a list");
  }
  if (message.role == "assistant") {
    for (const Part& part : message.parts) {
      if (part.kind == Part::Kind::kAudio) bad(index, "an assistant message cannot hold audio");
    }
  }
  return message;
}

}  // namespace

std::vector<std::string> Conversation::audio_paths() const {
  std::vector<std::string> paths;
  for (const Message& message : messages) {
    for (const Part& part : message.parts) {
      if (part.kind == Part::Kind::kAudio) paths.push_back(part.value);
    }
  }
  return paths;
}

Conversation conversation_from_json(const Json& messages) {
  if (!messages.is_array()) bad(0, "the messages are not a list");
  Conversation conversation;
  for (std::size_t i = 0; i < messages.size(); ++i) conversation.messages.push_back(read_message(messages[i], i));
  return conversation;
}

}  // namespace areason
