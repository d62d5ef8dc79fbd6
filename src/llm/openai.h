#pragma once
// OpenAI's wire formats, as OpenAI, vLLM, llama.cpp and our own server speak them: chat completions with `input_audio` parts,
// and audio transcriptions (for the cascade baseline: speech to text, then a text model). Built by config.h. Thread rule:
// complete() from any number of threads. One call is one attempt; governed.h adds retries and limits.
#include <memory>
#include <string>

#include "llm/http.h"
#include "llm/provider.h"
#include "llm/secret.h"

namespace areason::llm {

// How a clip is written into the message.
enum class AudioField {
  kInputAudio,         // {"type": "input_audio", "input_audio": {"data": base64, "format": "wav"}}: OpenAI, vLLM
  kInputAudioDataUrl,  // the same with a data: URL in "data": some compatible servers
  kAudioUrl,           // {"type": "audio_url", "audio_url": {"url": "data:…"}}: vLLM's own
};

// OpenAI's newer models know only max_completion_tokens, older servers only max_tokens.
enum class TokenField { kByHost, kMaxTokens, kMaxCompletionTokens };

struct OpenAiOptions {
  std::string url = "https://api.openai.com/v1";  // an address without a path gets /v1
  Secret key;                                     // may be empty for a server of one's own
  AudioField audio_field = AudioField::kInputAudio;
  TokenField token_field = TokenField::kByHost;
  HttpOptions http;
};

// POST /chat/completions.
ProviderPtr make_openai_chat(const OpenAiOptions& options);
// POST /audio/transcriptions: the first clip of the request is transcribed; its text parts, when there are any, are the API's
// `prompt`; the reply's text is the transcript. extra_json gives further form fields ({"language": "en"}).
ProviderPtr make_openai_transcription(const OpenAiOptions& options);

}  // namespace areason::llm
