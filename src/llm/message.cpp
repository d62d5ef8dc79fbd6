#include "llm/message.h"

#include <array>
#include <utility>

#include "base/error.h"

namespace areason::llm {
namespace {

struct Name {
  Finish finish;
  const char* word;
};

constexpr std::array kNames = {
    Name{Finish::kStop, "stop"},
    Name{Finish::kLength, "length"},
    Name{Finish::kBlocked, "blocked"},
    Name{Finish::kRefused, "refused"},
    Name{Finish::kEmpty, "empty"},
    Name{Finish::kRateLimited, "rate_limited"},
    Name{Finish::kServerError, "server_error"},
    Name{Finish::kTimeout, "timeout"},
    Name{Finish::kUnreachable, "unreachable"},
    Name{Finish::kCutOff, "cut_off"},
    Name{Finish::kMalformed, "malformed"},
    Name{Finish::kRejected, "rejected"},
    Name{Finish::kTooLarge, "too_large"},
    Name{Finish::kNotRecorded, "not_recorded"},
    Name{Finish::kUnauthorised, "unauthorised"},
    Name{Finish::kNoSuchModel, "no_such_model"},
    Name{Finish::kQuota, "quota"},
    Name{Finish::kBudget, "budget"},
};

}  // namespace

bool is_answer(Finish finish) { return finish <= Finish::kEmpty; }
bool is_transient(Finish finish) { return finish >= Finish::kRateLimited && finish <= Finish::kMalformed; }
bool stops_run(Finish finish) { return finish >= Finish::kUnauthorised; }

const char* finish_name(Finish finish) {
  for (const Name& name : kNames)
    if (name.finish == finish) return name.word;
  return "unknown";
}

Finish finish_from_name(const std::string& name, const std::string& what) {
  for (const Name& known : kNames)
    if (name == known.word) return known.finish;
  throw Error(ErrorCode::kInput, what + ": unknown outcome \"" + name + "\"", "see Finish in src/llm/message.h");
}

Message text_message(Role role, std::string text) { return {role, {Part{std::move(text), nullptr}}}; }

Part audio_part(AudioPtr audio, std::string description) { return {std::move(description), std::move(audio)}; }

}  // namespace areason::llm
