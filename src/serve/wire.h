#pragma once
// What the server writes: OpenAI's chat completion objects and chunks, with the chain beside the content, and our own object
// ("audio_reasoner": sections, what was heard, timings). Called by the request handlers. Thread rule: pure functions.
#include <span>
#include <string>

#include "base/error.h"
#include "base/json_fwd.h"
#include "reason/session.h"
#include "serve/chat_request.h"

namespace areason::serve {

struct ReplyHead {
  std::string id;
  std::string model;
  long created = 0;  // Unix time
};

// One piece of an answer: either may be empty.
struct AnswerText {
  std::string content, reasoning;
};
// PLANNING to SUMMARY go into `reasoning`, with their tags; RESPONSE is the content.
AnswerText text_of(const SectionEvent& event);
// The whole of it, the sum of what a stream gives.
AnswerText text_of(const Answer& answer, Reasoning how);

Json completion(const ReplyHead& head, std::span<const Answer> answers, Reasoning how);
// `finish`: null until the answer's last chunk.
Json chunk(const ReplyHead& head, int index, const Json& delta, const Json& finish);
Json last_chunk(const ReplyHead& head, std::span<const Answer> answers, bool include_usage);
// "stop", "length", or "abort" for an answer that was ended from outside.
std::string finish_reason(const Answer& answer);
// {"error": {message, type, param, code}}
Json error_object(int status, const std::string& message, const std::string& param);

}  // namespace areason::serve
