#pragma once
// What the HTTP APIs have in common: how long to wait, what an error answer means, reading JSON that may hold anything.
// Used by gemini.cpp, openai.cpp and transcription.cpp. Units: seconds. Thread rule: free functions without state.
#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_fwd.h"
#include "llm/http.h"
#include "llm/message.h"

namespace areason::llm {

// "30s", "1.5s", "1h16m0.667s", "200ms": google.protobuf.Duration and Go's notation. None for anything else.
std::optional<double> parse_duration(std::string_view text);
// The headers Retry-After (RFC 9110, 10.2.3: seconds or an HTTP date) and retry-after-ms (OpenAI). None without either; a date
// in the past is 0.
std::optional<double> retry_after(const HttpResponse& response, std::time_t now);

// A reply for a response that is no usable answer: transport trouble, or a status that is not 200. Reads the error object of
// Gemini ({"error": {code, status, message, details}}) and of OpenAI ({"error": {message, type, code}}); `api` opens the
// message.
Reply error_reply(const HttpResponse& response, const std::string& api, const std::string& model);
// For a 200 that does not hold what it should; the body is kept.
Reply malformed_reply(const HttpResponse& response, const std::string& api, const std::string& why);
// The reply of a 200 before its content is read: status, latency, raw.
Reply reply_of(const HttpResponse& response);
// Removes the key from what was parsed out of the body: escapes inside JSON may have hidden it there.
Reply without_key(Reply reply, const Secret& key);
// The body as a JSON object, or none when it is anything else.
std::optional<Json> parse_object(const std::string& body);

// Members that may be missing or of another type.
std::string text_member(const Json& object, const char* name);
std::int64_t count_member(const Json& object, const char* name);  // 0 unless a number in [0, 1e12]
const Json& member(const Json& object, const char* name);         // a null without it

// Merges GenerationParameters::extra_json into `body`. Throws Error(kUsage) when it is no JSON object.
void merge_extra(Json& body, const GenerationParameters& parameters);

}  // namespace areason::llm
