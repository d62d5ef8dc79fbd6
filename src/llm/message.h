#pragma once
// What is asked of a language model and what comes back, the same for every provider. Written by eval (judges, models under
// test) and the data stages (teachers); read by the providers of this folder.
// Units: seconds, tokens. Thread rule: plain values; audio is shared read-only.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "llm/audio_data.h"

namespace areason::llm {

enum class Role { kSystem, kUser, kAssistant };

// Text, or a clip when `audio` is set. For a clip, `text` is what a model that cannot hear is told instead (text_only.h):
// labels, a transcript, a timeline. Models that hear are not shown it.
struct Part {
  std::string text;
  AudioPtr audio;
};

struct Message {
  Role role = Role::kUser;
  std::vector<Part> parts;
};

struct GenerationParameters {
  int max_output_tokens = 2048;  // always sent: rate limits and budgets reserve it
  std::optional<double> temperature;
  std::optional<double> top_p;
  std::optional<int> top_k;
  std::optional<std::int64_t> seed;
  std::vector<std::string> stop;
  // A JSON object merged into the request's body (RFC 7396), for what only one server knows; "" for nothing.
  std::string extra_json;
};

struct Request {
  std::string model;
  std::vector<Message> messages;
  GenerationParameters parameters;
  double timeout_seconds = 600;  // of one attempt, whole answer included (the OpenAI SDK's default)
  // The how-manieth independent answer to the same prompt is wanted. Tells recordings apart (replay.h); never sent.
  int sample = 0;
};

// How an answer, or the attempt to get one, ended.
enum class Finish {
  // Answers: final, recorded by replay, paid for.
  kStop,     // complete
  kLength,   // cut by the token limit; the text may even be empty
  kBlocked,  // the provider's filter stopped the prompt or the answer
  kRefused,  // the model itself declined; its words are the text
  kEmpty,    // finished without any text
  // Errors that may go away: the client tries again.
  kRateLimited,  // 429
  kServerError,  // 408, 409, 5xx
  kTimeout,      // no whole answer within Request::timeout_seconds
  kUnreachable,  // no connection (nor one in time), no name, no TLS: nothing was sent
  kCutOff,       // the connection ended inside the answer
  kMalformed,    // 200, but not what the API promises
  // Errors that stay for this request.
  kRejected,     // 4xx: the request is wrong for this server
  kTooLarge,     // the request or its answer is over a limit
  kNotRecorded,  // replay has no such answer
  // Errors that stop the run: every further request would end the same way.
  kUnauthorised,  // 401, 403: the key
  kNoSuchModel,   // 404: model or address
  kQuota,         // the provider's day quota or credit is used up
  kBudget,        // our own limit of money or tokens (budget.h)
};

struct Usage {
  bool known = false;       // the provider said how many; otherwise all are 0
  std::int64_t input = 0;   // prompt, audio included
  std::int64_t output = 0;  // answer, thinking included
  std::int64_t audio = 0;   // the part of `input` that is audio, where the provider says so
  std::int64_t thinking = 0;
  std::int64_t total() const { return input + output; }
};

struct Reply {
  Finish finish = Finish::kServerError;
  std::string text;
  std::string detail;  // the provider's own word: "STOP", "RECITATION", "insufficient_quota" …
  std::string error;   // one line for people when finish is no answer; never holds a key
  Usage usage;         // of all attempts together
  std::string raw;     // the last attempt's body as it came, keys removed; "" when there was none
  int http_status = 0;
  int attempts = 1;
  double latency_seconds = 0;  // of the last attempt
  std::optional<double> retry_after_seconds;
  bool replayed = false;
};

// Is it one of the answers (kStop … kEmpty)?
bool is_answer(Finish finish);
// Is it worth another try?
bool is_transient(Finish finish);
// Would every further request fail as well?
bool stops_run(Finish finish);
// "stop", "length", "blocked" …: the word in files and statistics.
const char* finish_name(Finish finish);
// The inverse. Throws Error(kInput) naming `what`.
Finish finish_from_name(const std::string& name, const std::string& what);

// Conveniences for the common shapes.
Message text_message(Role role, std::string text);
Part audio_part(AudioPtr audio, std::string description = "");

}  // namespace areason::llm
