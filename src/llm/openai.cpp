#include "llm/openai.h"

#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "cot/sections.h"
#include "llm/wire.h"

namespace areason::llm {
namespace {

constexpr const char* kChatApi = "chat completions";

// "audio/wav" -> "wav". OpenAI takes wav and mp3 alone; what other servers take is theirs to say.
std::string format_of(const AudioData& audio) {
  if (audio.mime_type == "audio/mpeg") return "mp3";
  const auto slash = audio.mime_type.find('/');
  return slash == std::string::npos ? audio.mime_type : audio.mime_type.substr(slash + 1);
}

Json audio_json(const AudioData& audio, AudioField field) {
  const std::string data = base64(audio.bytes), url = "data:" + audio.mime_type + ";base64,";
  if (field == AudioField::kAudioUrl) return {{"type", "audio_url"}, {"audio_url", {{"url", url + data}}}};
  return {
      {"type", "input_audio"},
      {"input_audio", {{"data", field == AudioField::kInputAudioDataUrl ? url + data : data}, {"format", format_of(audio)}}}};
}

Json message_json(const Message& message, AudioField field) {
  constexpr const char* kRoles[] = {"system", "user", "assistant"};
  Json out = {{"role", kRoles[static_cast<int>(message.role)]}};
  bool has_audio = false;
  for (const Part& part : message.parts) has_audio |= part.audio != nullptr;
  if (!has_audio) {  // a plain string is what every server takes
    std::string text;
    for (const Part& part : message.parts) text += part.text;
    out["content"] = text;
    return out;
  }
  out["content"] = Json::array();
  for (const Part& part : message.parts)
    out["content"].push_back(part.audio ? audio_json(*part.audio, field) : Json{{"type", "text"}, {"text", part.text}});
  return out;
}

Usage chat_usage(const Json& usage) {
  Usage out;
  out.known = member(usage, "prompt_tokens").is_number();
  out.input = count_member(usage, "prompt_tokens");
  out.output = count_member(usage, "completion_tokens");
  out.audio = count_member(member(usage, "prompt_tokens_details"), "audio_tokens");
  out.thinking = count_member(member(usage, "completion_tokens_details"), "reasoning_tokens");
  return out;
}

// A string, or a list of {"type": "text"} parts as some servers send it.
std::string content_text(const Json& content) {
  if (content.is_string()) return content.get<std::string>();
  std::string out;
  if (content.is_array())
    for (const Json& part : content) out += text_member(part, "text");
  return out;
}

// Audio-Reasoner's own server (src/serve) sends the four sections of a chain beside the RESPONSE. Whoever asks through this
// client (the stages of `data`, `eval`) reads a chain with all five, so they are put together again. The thoughts of other
// models stay out.
std::string whole_text(const Json& message) {
  std::string content = content_text(member(message, "content"));
  const std::string chain = text_member(message, "reasoning_content");
  return chain.find("<PLANNING>") == std::string::npos ? content : join_chain(chain, content);
}

Finish chat_finish(const std::string& reason, const std::string& text) {
  if (reason == "length" || reason == "max_tokens") return Finish::kLength;
  if (reason == "content_filter") return Finish::kBlocked;
  if (reason == "abort" || reason == "error") return Finish::kServerError;  // vLLM: the engine gave up
  return text.empty() ? Finish::kEmpty : Finish::kStop;                     // stop, eos, tool_calls, what is yet to come
}

Reply read_answer(const HttpResponse& response, const std::string& model) {
  const auto root = parse_object(response.body);
  if (!root) return malformed_reply(response, kChatApi, "the answer is not JSON");
  const Json& choices = member(*root, "choices");
  if (!choices.is_array() || choices.empty()) {
    // Gateways report the error of the server behind them with status 200.
    if (!member(*root, "error").is_object()) return malformed_reply(response, kChatApi, "the answer has no choices");
    HttpResponse inner = response;
    const std::int64_t code = count_member((*root)["error"], "code");
    inner.status = code >= 400 && code < 600 ? static_cast<int>(code) : 500;
    return error_reply(inner, kChatApi, model);
  }
  const Json& message = member(choices[0], "message");
  if (!message.is_object()) return malformed_reply(response, kChatApi, "the answer's first choice has no message");
  Reply reply = reply_of(response);
  reply.usage = chat_usage(member(*root, "usage"));
  reply.detail = text_member(choices[0], "finish_reason");
  reply.text = whole_text(message);
  reply.finish = chat_finish(reply.detail, reply.text);
  const std::string refusal = text_member(message, "refusal");
  if (!refusal.empty()) {
    reply.finish = Finish::kRefused;
    reply.text = refusal;
  }
  if (reply.finish == Finish::kServerError)
    reply.error = "chat completions: the server ended the answer with \"" + reply.detail + "\"";
  return reply;
}

class OpenAiChat : public Provider {
 public:
  explicit OpenAiChat(const OpenAiOptions& options)
      : options_(options),
        base_(parse_base_url(options.url, "/v1", options.http.plain_http)),
        http_(options.http, options.key) {}

  Reply complete(const Request& request) override {
    const std::string body = dump_json(body_json(request));
    HttpRequest http;
    http.url = base_.whole() + "/chat/completions";
    http.headers = {"Content-Type: application/json"};
    if (!options_.key.empty()) http.headers.push_back(options_.key.header("Authorization", "Bearer "));
    http.body = body;
    http.timeout_seconds = request.timeout_seconds;
    const HttpResponse response = http_.send(http);
    const bool answered = response.transport == Transport::kOk && response.status == 200;
    return without_key(answered ? read_answer(response, request.model) : error_reply(response, kChatApi, request.model),
                       options_.key);
  }

  std::string name() const override { return "openai " + base_.whole(); }

 private:
  Json body_json(const Request& request) const {
    const GenerationParameters& parameters = request.parameters;
    Json body = {{"model", request.model}, {"messages", Json::array()}};
    for (const Message& message : request.messages) body["messages"].push_back(message_json(message, options_.audio_field));
    if (parameters.max_output_tokens > 0) body[token_field()] = parameters.max_output_tokens;
    if (parameters.temperature) body["temperature"] = *parameters.temperature;
    if (parameters.top_p) body["top_p"] = *parameters.top_p;
    if (parameters.top_k) body["top_k"] = *parameters.top_k;
    if (parameters.seed) body["seed"] = *parameters.seed;
    if (!parameters.stop.empty()) body["stop"] = parameters.stop;
    merge_extra(body, parameters);
    return body;
  }
  const char* token_field() const {
    const bool newer = options_.token_field == TokenField::kMaxCompletionTokens ||
                       (options_.token_field == TokenField::kByHost && base_.origin == "https://api.openai.com");
    return newer ? "max_completion_tokens" : "max_tokens";
  }

  OpenAiOptions options_;
  BaseUrl base_;
  HttpClient http_;
};

}  // namespace

ProviderPtr make_openai_chat(const OpenAiOptions& options) { return std::make_shared<OpenAiChat>(options); }

}  // namespace areason::llm
