#include "serve/wire.h"

#include "base/json.h"
#include "cot/sections.h"

namespace areason::serve {
namespace {

std::string tag(std::string_view mark, Section section) { return std::string(mark) + std::string(section_tag(section)) + ">"; }

Json usage_of(std::span<const Answer> answers) {
  // All answers of a request have one prompt.
  const Answer& first = answers.front();
  int written = 0;
  for (const Answer& answer : answers) written += answer.completion_tokens;
  return {{"prompt_tokens", first.prompt_tokens},
          {"completion_tokens", written},
          {"total_tokens", first.prompt_tokens + written},
          {"prompt_tokens_details", {{"cached_tokens", first.reused_tokens}, {"audio_tokens", first.audio_tokens}}}};
}

// What OpenAI's format has no place for.
Json own_object(const Answer& answer) {
  Json out = answer_to_json(answer, "");
  for (const char* elsewhere : {"text", "model", "usage", "finish_reason"}) out.erase(elsewhere);
  return out;
}

Json object(const ReplyHead& head, const char* kind) {
  return {{"id", head.id}, {"object", kind}, {"created", head.created}, {"model", head.model}};
}

}  // namespace

AnswerText text_of(const SectionEvent& event) {
  if (event.section == Section::kResponse) return {event.kind == SectionEvent::Kind::kText ? event.text : "", ""};
  switch (event.kind) {
    case SectionEvent::Kind::kOpen:
      return {"", tag("<", event.section) + "\n"};
    case SectionEvent::Kind::kClose:
      return {"", tag("</", event.section) + "\n"};
    case SectionEvent::Kind::kText:
      break;
  }
  return {"", event.text};
}

AnswerText text_of(const Answer& answer, Reasoning how) {
  if (how == Reasoning::kInline) return {answer.text, ""};
  AnswerText out;
  SectionStream stream;
  const auto add = [&out](const std::vector<SectionEvent>& events) {
    for (const SectionEvent& event : events) {
      const AnswerText piece = text_of(event);
      out.content += piece.content;
      out.reasoning += piece.reasoning;
    }
  };
  add(stream.push(answer.text));
  add(stream.finish());
  return out;
}

std::string finish_reason(const Answer& answer) {
  return answer.finish_reason == "interrupted" ? "abort" : answer.finish_reason;
}

Json completion(const ReplyHead& head, std::span<const Answer> answers, Reasoning how) {
  Json out = object(head, "chat.completion");
  out["choices"] = Json::array();
  for (const Answer& answer : answers) {
    const AnswerText text = text_of(answer, how);
    Json message = {{"role", "assistant"}, {"content", text.content}};
    if (!text.reasoning.empty()) message["reasoning_content"] = text.reasoning;
    out["choices"].push_back({{"index", out["choices"].size()},
                              {"message", std::move(message)},
                              {"logprobs", nullptr},
                              {"finish_reason", finish_reason(answer)},
                              {"audio_reasoner", own_object(answer)}});
  }
  out["usage"] = usage_of(answers);
  return out;
}

Json chunk(const ReplyHead& head, int index, const Json& delta, const Json& finish) {
  Json out = object(head, "chat.completion.chunk");
  out["choices"] = Json::array({{{"index", index}, {"delta", delta}, {"logprobs", nullptr}, {"finish_reason", finish}}});
  return out;
}

Json last_chunk(const ReplyHead& head, std::span<const Answer> answers, bool include_usage) {
  Json out = object(head, "chat.completion.chunk");
  out["choices"] = Json::array();
  if (include_usage) out["usage"] = usage_of(answers);
  out["audio_reasoner"] = Json::array();
  for (const Answer& answer : answers) out["audio_reasoner"].push_back(own_object(answer));
  return out;
}

Json error_object(int status, const std::string& message, const std::string& param) {
  const char* type = status == 401   ? "authentication_error"
                     : status == 429 ? "rate_limit_error"
                     : status < 500  ? "invalid_request_error"
                                     : "server_error";
  Json out = {{"message", message}, {"type", type}, {"param", nullptr}, {"code", status}};
  if (!param.empty()) out["param"] = param;
  return {{"error", std::move(out)}};
}

}  // namespace areason::serve
