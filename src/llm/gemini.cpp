#include "llm/gemini.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "llm/gemini_files.h"
#include "llm/wire.h"

namespace areason::llm {
namespace {

constexpr const char* kGeminiApi = "Gemini";
// ai.google.dev, "Safety settings".
constexpr std::array kHarmCategories = {"HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT",
                                        "CIVIC_INTEGRITY"};

// "gemini-2.0-flash" or "models/…", "tunedModels/…": it becomes part of the address.
std::string model_path(const std::string& model) {
  const bool good = !model.empty() && std::all_of(model.begin(), model.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '-' || c == '_' || c == '.' || c == '/';
  });
  if (!good || model.find("..") != std::string::npos)
    throw Error(ErrorCode::kUsage, "\"" + model + "\" is not the name of a Gemini model", "for example gemini-2.0-flash");
  return model.find('/') == std::string::npos ? "models/" + model : model;
}

Json generation_config(const GenerationParameters& parameters) {
  Json config = Json::object();
  if (parameters.temperature) config["temperature"] = *parameters.temperature;
  if (parameters.top_p) config["topP"] = *parameters.top_p;
  if (parameters.top_k) config["topK"] = *parameters.top_k;
  if (parameters.max_output_tokens > 0) config["maxOutputTokens"] = parameters.max_output_tokens;
  if (parameters.seed) config["seed"] = *parameters.seed;
  if (!parameters.stop.empty()) config["stopSequences"] = parameters.stop;
  return config;
}

Usage gemini_usage(const Json& usage) {
  Usage out;
  out.known = member(usage, "promptTokenCount").is_number();
  out.input = count_member(usage, "promptTokenCount");
  out.thinking = count_member(usage, "thoughtsTokenCount");
  out.output = count_member(usage, "candidatesTokenCount") + out.thinking;
  const Json& details = member(usage, "promptTokensDetails");
  if (details.is_array())
    for (const Json& detail : details)
      if (text_member(detail, "modality") == "AUDIO") out.audio += count_member(detail, "tokenCount");
  return out;
}

std::string text_of(const Json& content) {
  std::string out;
  const Json& parts = member(content, "parts");
  if (!parts.is_array()) return out;
  for (const Json& part : parts) {
    const Json& thought = member(part, "thought");
    if (!(thought.is_boolean() && thought.get<bool>())) out += text_member(part, "text");
  }
  return out;
}

Finish gemini_finish(const std::string& reason, const std::string& text) {
  constexpr std::array kBlocked = {"SAFETY", "RECITATION", "LANGUAGE",  "BLOCKLIST",  "PROHIBITED_CONTENT",
                                   "SPII",   "OTHER",      "JAILBREAK", "MODEL_ARMOR"};
  if (reason == "MAX_TOKENS") return Finish::kLength;
  if (std::find(kBlocked.begin(), kBlocked.end(), reason) != kBlocked.end() || reason.starts_with("IMAGE_"))
    return Finish::kBlocked;
  return text.empty() ? Finish::kEmpty : Finish::kStop;  // STOP, and whatever the enumeration grows to
}

Reply read_answer(const HttpResponse& response) {
  const auto root = parse_object(response.body);
  if (!root) return malformed_reply(response, kGeminiApi, "the answer is not JSON");
  Reply reply = reply_of(response);
  reply.usage = gemini_usage(member(*root, "usageMetadata"));
  const Json& candidates = member(*root, "candidates");
  if (!candidates.is_array() || candidates.empty()) {
    reply.detail = text_member(member(*root, "promptFeedback"), "blockReason");
    if (reply.detail.empty())
      return malformed_reply(response, kGeminiApi, "the answer has neither candidates nor a block reason");
    reply.finish = Finish::kBlocked;
    return reply;
  }
  reply.detail = text_member(candidates[0], "finishReason");
  reply.text = text_of(member(candidates[0], "content"));
  reply.finish = gemini_finish(reply.detail, reply.text);
  return reply;
}

bool mentions_file(const std::string& error) {
  return error.find("File") != std::string::npos || error.find("file") != std::string::npos;
}

class Gemini : public Provider {
 public:
  explicit Gemini(const GeminiOptions& options)
      : options_(options),
        base_(parse_base_url(options.url, "/v1beta", options.http.plain_http)),
        http_(options.http, options.key),
        files_(http_, options_, base_) {}

  Reply complete(const Request& request) override {
    try {
      return without_key(attempt(request), options_.key);
    } catch (UploadFailure& failure) {
      return without_key(std::move(failure.reply), options_.key);
    }
  }

  std::string name() const override { return "gemini " + base_.whole(); }

 private:
  enum class Carry { kInline, kFiles };

  Reply attempt(const Request& request) {
    const std::string address = base_.whole() + "/" + model_path(request.model) + ":generateContent";
    const Carry carry = carry_for(request);
    const std::string body = dump_json(body_json(request, carry));
    HttpRequest http;
    http.url = address;
    http.headers = {"Content-Type: application/json", options_.key.header("x-goog-api-key", "")};
    http.body = body;
    http.timeout_seconds = request.timeout_seconds;
    const HttpResponse response = http_.send(http);
    if (response.transport == Transport::kOk && response.status == 200) return read_answer(response);
    Reply reply = error_reply(response, kGeminiApi, request.model);
    // An uploaded file that is gone is reported as forbidden or not found; the next attempt uploads it again.
    if (carry == Carry::kFiles && (response.status == 403 || response.status == 404) && mentions_file(reply.error)) {
      for_each_clip(request, [&](const AudioData& clip) { files_.forget(clip); });
      reply.finish = Finish::kServerError;
    }
    return reply;
  }

  template <typename Visit>
  static void for_each_clip(const Request& request, const Visit& visit) {
    for (const Message& message : request.messages)
      for (const Part& part : message.parts)
        if (part.audio) visit(*part.audio);
  }

  Carry carry_for(const Request& request) const {
    std::uint64_t bytes = 1000;  // braces and names
    for (const Message& message : request.messages)
      for (const Part& part : message.parts)
        bytes += part.audio ? part.audio->bytes.size() / 3 * 4 + 100 : part.text.size() + 50;
    return bytes > options_.inline_limit_bytes ? Carry::kFiles : Carry::kInline;
  }

  Json part_json(const Part& part, Carry carry, double timeout_seconds) {
    if (!part.audio) return {{"text", part.text}};
    const std::string& mime = part.audio->mime_type;
    if (carry == Carry::kInline) return {{"inlineData", {{"mimeType", mime}, {"data", base64(part.audio->bytes)}}}};
    return {{"fileData", {{"fileUri", files_.uri_of(*part.audio, timeout_seconds)}, {"mimeType", mime}}}};
  }

  Json body_json(const Request& request, Carry carry) {
    Json system = Json::array(), contents = Json::array();
    for (const Message& message : request.messages) {
      Json parts = Json::array();
      for (const Part& part : message.parts) parts.push_back(part_json(part, carry, request.timeout_seconds));
      if (message.role == Role::kSystem)
        system.insert(system.end(), parts.begin(), parts.end());
      else
        contents.push_back({{"role", message.role == Role::kUser ? "user" : "model"}, {"parts", std::move(parts)}});
    }
    Json body = Json::object();
    if (!system.empty()) body["systemInstruction"] = {{"parts", std::move(system)}};
    body["contents"] = std::move(contents);
    body["generationConfig"] = generation_config(request.parameters);
    if (!options_.safety_threshold.empty()) {
      body["safetySettings"] = Json::array();
      for (const char* category : kHarmCategories)
        body["safetySettings"].push_back(
            {{"category", std::string("HARM_CATEGORY_") + category}, {"threshold", options_.safety_threshold}});
    }
    merge_extra(body, request.parameters);
    return body;
  }

  GeminiOptions options_;
  BaseUrl base_;
  HttpClient http_;
  GeminiFiles files_;
};

}  // namespace

ProviderPtr make_gemini(const GeminiOptions& options) { return std::make_shared<Gemini>(options); }

}  // namespace areason::llm
