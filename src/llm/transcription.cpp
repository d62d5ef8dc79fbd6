// POST /v1/audio/transcriptions (OpenAI; vLLM and whisper servers speak it too).
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "llm/openai.h"
#include "llm/wire.h"

namespace areason::llm {
namespace {

constexpr const char* kTranscriptionApi = "transcriptions";

// gpt-4o-transcribe says {"type": "tokens", "input_tokens", "output_tokens", "input_token_details": {"audio_tokens"}};
// whisper-1 says {"type": "duration", "seconds"} or nothing.
Usage transcription_usage(const Json& usage) {
  Usage out;
  out.known = member(usage, "input_tokens").is_number();
  out.input = count_member(usage, "input_tokens");
  out.output = count_member(usage, "output_tokens");
  out.audio = count_member(member(usage, "input_token_details"), "audio_tokens");
  return out;
}

const AudioData& clip_of(const Request& request) {
  for (const Message& message : request.messages)
    for (const Part& part : message.parts)
      if (part.audio) return *part.audio;
  throw Error(ErrorCode::kUsage, "a transcription was asked for without a clip", "give the request an audio part");
}

std::vector<FormField> form_of(const Request& request) {
  const AudioData& clip = clip_of(request);
  const std::string extension = clip.mime_type.substr(clip.mime_type.find('/') + 1);
  std::string prompt;
  for (const Message& message : request.messages)
    for (const Part& part : message.parts)
      if (!part.audio) prompt += part.text;
  std::vector<FormField> form = {{"model", request.model, "", ""},
                                 {"response_format", "json", "", ""},
                                 {"file", clip.bytes, "clip." + extension, clip.mime_type}};
  if (!prompt.empty()) form.push_back({"prompt", prompt, "", ""});
  if (request.parameters.temperature) form.push_back({"temperature", Json(*request.parameters.temperature).dump(), "", ""});
  Json extra = Json::object();
  merge_extra(extra, request.parameters);
  for (const auto& [name, value] : extra.items())
    form.push_back({name, value.is_string() ? value.get<std::string>() : dump_json(value), "", ""});
  return form;
}

Reply read_transcript(const HttpResponse& response) {
  const auto root = parse_object(response.body);
  if (!root) return malformed_reply(response, kTranscriptionApi, "the answer is not JSON");
  if (!member(*root, "text").is_string()) return malformed_reply(response, kTranscriptionApi, "the answer has no text");
  Reply reply = reply_of(response);
  reply.text = text_member(*root, "text");
  reply.finish = reply.text.empty() ? Finish::kEmpty : Finish::kStop;
  reply.usage = transcription_usage(member(*root, "usage"));
  return reply;
}

class OpenAiTranscription : public Provider {
 public:
  explicit OpenAiTranscription(const OpenAiOptions& options)
      : key_(options.key),
        base_(parse_base_url(options.url, "/v1", options.http.plain_http)),
        http_(options.http, options.key) {}

  Reply complete(const Request& request) override {
    HttpRequest http;
    http.url = base_.whole() + "/audio/transcriptions";
    if (!key_.empty()) http.headers.push_back(key_.header("Authorization", "Bearer "));
    http.form = form_of(request);
    http.timeout_seconds = request.timeout_seconds;
    const HttpResponse response = http_.send(http);
    const bool answered = response.transport == Transport::kOk && response.status == 200;
    return without_key(answered ? read_transcript(response) : error_reply(response, kTranscriptionApi, request.model), key_);
  }

  std::string name() const override { return "transcription " + base_.whole(); }

 private:
  Secret key_;
  BaseUrl base_;
  HttpClient http_;
};

}  // namespace

ProviderPtr make_openai_transcription(const OpenAiOptions& options) { return std::make_shared<OpenAiTranscription>(options); }

}  // namespace areason::llm
