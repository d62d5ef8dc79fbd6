#pragma once
// What a user says about a provider (flags, a file) and the stack that follows from it: HTTP, then retries with limits and
// budget, then recording, then the replacement of clips by text. Called by eval, the data stages and `llm ping`.
// Thread rule: values; build_provider() is called once a run. Errors: Error(kUsage) for what contradicts itself or lacks a key.
#include <memory>
#include <string>

#include "llm/gemini.h"
#include "llm/governed.h"
#include "llm/openai.h"
#include "llm/provider.h"
#include "llm/replay.h"

namespace areason::llm {

enum class Api { kGemini, kOpenAi, kTranscription, kReplay };
enum class Ears { kAudio, kTextOnly };

struct ProviderConfig {
  Api api = Api::kOpenAi;
  std::string url;           // "" for the API's own
  std::string key_variable;  // "" for GEMINI_API_KEY or OPENAI_API_KEY
  Ears ears = Ears::kAudio;
  std::string recording;  // kReplay reads it; with any other API answers are recorded there ("" records nothing)
  AudioField audio_field = AudioField::kInputAudio;
  TokenField token_field = TokenField::kByHost;
  std::string safety_threshold;  // Gemini
  HttpOptions http;
  RetryPolicy retry;
  RateLimits rates;
  std::shared_ptr<RateGate> gate;  // limits shared with other processes; may be null
  std::shared_ptr<Budget> budget;
  std::shared_ptr<Purse> purse;  // a budget shared with other processes; may be null
  std::shared_ptr<Clock> clock = real_clock();
};

ProviderPtr build_provider(const ProviderConfig& config);
// "gemini", "openai", "transcription", "replay". Throws Error(kUsage).
Api api_from_name(const std::string& name);

}  // namespace areason::llm
