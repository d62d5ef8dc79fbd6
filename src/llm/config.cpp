#include "llm/config.h"

#include <utility>

#include "base/error.h"
#include "llm/text_only.h"

namespace areason::llm {
namespace {

// A server at another address than OpenAI's own may want no key.
Secret openai_key(const ProviderConfig& config) {
  if (!config.key_variable.empty()) return Secret::required(config.key_variable);
  return config.url.empty() ? Secret::required("OPENAI_API_KEY") : Secret::optional("OPENAI_API_KEY");
}

ProviderPtr http_provider(const ProviderConfig& config) {
  if (config.api == Api::kGemini) {
    GeminiOptions options;
    if (!config.url.empty()) options.url = config.url;
    options.key = Secret::required(config.key_variable.empty() ? "GEMINI_API_KEY" : config.key_variable);
    options.safety_threshold = config.safety_threshold;
    options.http = config.http;
    options.clock = config.clock;
    return make_gemini(options);
  }
  OpenAiOptions options;
  if (!config.url.empty()) options.url = config.url;
  options.key = openai_key(config);
  options.audio_field = config.audio_field;
  options.token_field = config.token_field;
  options.http = config.http;
  return config.api == Api::kOpenAi ? make_openai_chat(options) : make_openai_transcription(options);
}

ProviderPtr answers_of(const ProviderConfig& config) {
  if (config.api == Api::kReplay) {
    if (config.recording.empty())
      throw Error(ErrorCode::kUsage, "replay needs the file of recorded answers", "--recording FILE");
    return make_replay(nullptr, config.recording, ReplayMode::kReplay);
  }
  GovernedOptions options;
  options.retry = config.retry;
  options.rates = config.rates;
  options.gate = config.gate;
  options.budget = config.budget;
  options.purse = config.purse;
  options.clock = config.clock;
  ProviderPtr provider = make_governed(http_provider(config), options);
  return config.recording.empty() ? provider : make_replay(std::move(provider), config.recording, ReplayMode::kRecord);
}

}  // namespace

ProviderPtr build_provider(const ProviderConfig& config) {
  // Outermost, so that a recording is found by what was really sent.
  ProviderPtr provider = answers_of(config);
  return config.ears == Ears::kTextOnly ? make_text_only(std::move(provider)) : provider;
}

Api api_from_name(const std::string& name) {
  if (name == "gemini") return Api::kGemini;
  if (name == "openai") return Api::kOpenAi;
  if (name == "transcription") return Api::kTranscription;
  if (name == "replay") return Api::kReplay;
  throw Error(ErrorCode::kUsage, "there is no provider \"" + name + "\"", "gemini, openai, transcription or replay");
}

}  // namespace areason::llm
