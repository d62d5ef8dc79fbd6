#pragma once
// Voices of a speech server over HTTP: CosyVoice2's FastAPI runtime (its /inference_zero_shot takes over the timbre of a short
// recording, timbres.h) and OpenAI's /v1/audio/speech, which other servers speak too. Retries, back-off, Retry-After and rate
// limits are those of llm/governed.h. Both answer 200 with little or no sound when they fail inside, so an answer is judged by
// what can be heard in it: too short or too long for its text, or silent, is asked for again.
// Thread rule: as VoiceBank. Errors: Error(kUsage) for a bad address or voice list, Error(kRemote) when the server gives up.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/governed.h"
#include "llm/http.h"
#include "llm/secret.h"
#include "synth/timbres.h"
#include "synth/voice_bank.h"

namespace areason {

struct SpeechServerOptions {
  std::string url;
  llm::Secret key;          // may be empty; sent as a bearer token
  int sample_rate = 24000;  // of raw samples: CosyVoice2 and 3 and OpenAI's "pcm" have 24,000, CosyVoice 1 has 22,050
  double timeout_seconds = 120;
  llm::HttpOptions http;
  llm::GovernedOptions governed;
};

// POST URL/inference_zero_shot, a multipart form of tts_text, prompt_text, prompt_wav; raw 16-bit little-endian samples come
// back. The readers of `timbres` are the voices; recordings of 3 to 12 s are preferred as prompts (the engine refuses over 30).
std::unique_ptr<VoiceBank> make_cosyvoice(const SpeechServerOptions& options, std::vector<Timbre> timbres);

struct SpeechApiOptions {
  SpeechServerOptions server;
  std::string model = "tts-1";
  std::string format = "wav";       // what is asked for: wav, flac, mp3, or pcm (raw samples)
  std::vector<std::string> voices;  // "alloy", or "alloy:woman" where the gender is known; every fourth is test-unseen's
};
// POST URL/audio/speech with {"model", "input", "voice", "response_format"}.
std::unique_ptr<VoiceBank> make_speech_api(const SpeechApiOptions& options);

// ---- for tests ----
// 16-bit little-endian samples. CosyVoice casts without limiting, so that +1.0 turns into -1.0: a lone full-scale value between
// neighbours of the other sign is put right.
std::vector<float> raw_samples(std::string_view bytes);
// Why these samples cannot be `text` spoken; "" when they can.
std::string speech_trouble(const Waveform& spoken, const std::string& text);

}  // namespace areason
