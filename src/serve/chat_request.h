#pragma once
// The body of POST /v1/chat/completions as this server reads it: OpenAI's fields, vLLM's and llama.cpp's names for what OpenAI
// has none for (top_k, min_p, repetition_penalty, guided_choice, structured_outputs.choice, reasoning_format), and our own
// (structure, choices, section_budget, long_audio). A field that would change the answer and is not supported is refused;
// others are ignored. Called by the server's request handlers. Errors: RequestError naming the field. Thread rule: values and a
// pure function.
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "reason/session.h"

namespace areason::serve {

// A body that cannot be answered (HTTP 400). `param` is the field, as OpenAI's error object names it.
class RequestError : public Error {
 public:
  RequestError(std::string param, const std::string& what, std::string hint)
      : Error(ErrorCode::kInput, param + " " + what, std::move(hint)), param_(std::move(param)) {}
  // What another layer found out about a field.
  RequestError(const Error& error, std::string param) : Error(error), param_(std::move(param)) {}
  const std::string& param() const { return param_; }

 private:
  std::string param_;
};

struct RequestClip {
  std::string name;       // where it stands: "messages[1].content[0]"
  std::string bytes;      // the encoded file
  std::string extension;  // "wav"; letters and digits only
};

enum class Speaker { kUser, kAssistant };

struct RequestTurn {
  Speaker speaker = Speaker::kUser;
  std::string text;  // an assistant's whole text, with its chain when the client sent it back
  std::vector<RequestClip> clips;
};

// Where the chain goes: into `reasoning_content` (llama.cpp's and vLLM's "deepseek"), or with its tags into `content` ("none").
enum class Reasoning { kSeparate, kInline };

struct ChatRequest {
  std::string model;               // "": whatever is served
  std::vector<RequestTurn> turns;  // the last one is the user's
  AskOptions options;
  int answers = 1;
  bool stream = false;
  bool include_usage = false;  // a last chunk with the usage
  Reasoning reasoning = Reasoning::kSeparate;
};

// What the body leaves out is as in `defaults`; a drawn answer without "seed" gets a random one.
ChatRequest parse_chat_request(std::string_view body, const AskOptions& defaults);

}  // namespace areason::serve
