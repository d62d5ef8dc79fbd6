#include "synth/speech_server.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>

#include "audio/decode.h"
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "llm/audio_data.h"
#include "llm/wire.h"

namespace areason {
namespace {

// Speech has 0.04 to 0.15 s a letter (facts of the engines); the limits leave room for slow voices and short answers.
constexpr double kLeastSecondsALetter = 0.025, kMostSecondsALetter = 0.4, kMostSecondsMore = 4;
constexpr double kSilentDb = -60;
constexpr double kShortPrompt = 3, kLongPrompt = 12, kLongestPrompt = 30;
constexpr int kMostPromptTries = 12;

int letters_in(const std::string& text) {
  int letters = 0;
  for (const unsigned char c : text) letters += std::isalnum(c) != 0 || c >= 0xC0 ? 1 : 0;  // one a UTF-8 sequence
  return letters;
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// What is common to both APIs: the answer's body is sound, judged against the text.
class SpeechProvider : public llm::Provider {
 public:
  SpeechProvider(const SpeechServerOptions& options, std::string api)
      : options_(options), api_(std::move(api)), http_(options.http, options.key) {}

  llm::Reply complete(const llm::Request& request) override {
    llm::HttpRequest http;
    std::string body;
    fill(request, http, body);
    http.body = body;
    http.timeout_seconds = options_.timeout_seconds;
    if (!options_.key.empty()) http.headers.push_back(options_.key.header("Authorization", "Bearer "));
    const llm::HttpResponse response = http_.send(http);
    if (response.transport != llm::Transport::kOk || response.status != 200)
      return llm::without_key(llm::error_reply(response, api_, request.model), options_.key);
    const int rate = rate_of(response);
    try {
      const std::string trouble = speech_trouble(decode(response.body, rate), request.messages.back().parts.front().text);
      if (!trouble.empty()) return llm::malformed_reply(response, api_, trouble);
    } catch (const Error& e) {
      return llm::malformed_reply(response, api_, e.what());
    }
    llm::Reply reply = llm::reply_of(response);
    reply.raw.clear();
    reply.text = response.body;
    reply.detail = std::to_string(rate);
    reply.finish = llm::Finish::kStop;
    return reply;
  }
  std::string name() const override { return api_ + " " + options_.url; }

  // `rate`: of raw samples.
  virtual Waveform decode(const std::string& body, int rate) const = 0;

 protected:
  virtual void fill(const llm::Request& request, llm::HttpRequest& http, std::string& body) const = 0;
  const SpeechServerOptions options_;

 private:
  // Some builds of CosyVoice's server say it.
  int rate_of(const llm::HttpResponse& response) const {
    const int said = std::atoi(response.header("x-custom-header-samplerate").c_str());
    return said >= 8000 && said <= 96000 ? said : options_.sample_rate;
  }
  std::string api_;
  llm::HttpClient http_;
};

class CosyVoiceProvider : public SpeechProvider {
 public:
  explicit CosyVoiceProvider(const SpeechServerOptions& options)
      : SpeechProvider(options, "CosyVoice"), base_(llm::parse_base_url(options.url, "", options.http.plain_http)) {}
  Waveform decode(const std::string& body, int rate) const override {
    if (body.size() % 2 != 0)
      throw Error(ErrorCode::kRemote, "the answer ends in the middle of a sample", "is --speech-rate right?");
    return {raw_samples(body), rate};
  }

 private:
  void fill(const llm::Request& request, llm::HttpRequest& http, std::string&) const override {
    const llm::Part& prompt = request.messages.front().parts.front();
    http.url = base_.whole() + "/inference_zero_shot";
    http.form = {{"tts_text", request.messages.back().parts.front().text, "", ""},
                 {"prompt_text", prompt.text, "", ""},
                 {"prompt_wav", prompt.audio->bytes, "prompt.wav", "audio/wav"}};
  }
  llm::BaseUrl base_;
};

class SpeechApiProvider : public SpeechProvider {
 public:
  explicit SpeechApiProvider(const SpeechApiOptions& options)
      : SpeechProvider(options.server, "speech API"),
        model_(options.model),
        format_(options.format),
        base_(llm::parse_base_url(options.server.url, "/v1", options.server.http.plain_http)) {}
  Waveform decode(const std::string& body, int rate) const override {
    if (format_ == "pcm") return {raw_samples(body), rate};
    return mix_down(decode_audio_bytes(bytes_of(body), "the speech API's answer"));
  }

 private:
  void fill(const llm::Request& request, llm::HttpRequest& http, std::string& body) const override {
    http.url = base_.whole() + "/audio/speech";
    http.headers = {"Content-Type: application/json"};
    body = dump_json(Json{{"model", model_},
                          {"input", request.messages.back().parts.front().text},
                          {"voice", request.model},
                          {"response_format", format_}});
  }
  std::string model_, format_;
  llm::BaseUrl base_;
};

// A provider of sound behind retries and limits.
class ServerVoices : public VoiceBank {
 public:
  ServerVoices(std::shared_ptr<SpeechProvider> provider, const llm::GovernedOptions& governed, std::vector<Voice> voices)
      : provider_(std::move(provider)), governed_(llm::make_governed(provider_, governed)), voices_(std::move(voices)) {}

  std::vector<Voice> cast(const std::vector<std::string>& genders, const std::string& split, Random& random) const override {
    std::vector<Voice> side;
    for (const Voice& voice : voices_) {
      if (voice.unseen == (split == "test-unseen")) side.push_back(voice);
    }
    const std::size_t known = side.size();
    auto out = cast_from(std::move(side), genders, random);
    if (out.empty()) {
      throw Error(
          ErrorCode::kInput,
          "split " + split + " has " + std::to_string(known) + " voices, a dialogue wants " + std::to_string(genders.size()),
          "give more timbres or voices");
    }
    return out;
  }
  std::string name() const override { return provider_->name(); }

 protected:
  Samples ask(const llm::Request& request) const {
    const llm::Reply reply = governed_->complete(request);
    if (reply.finish != llm::Finish::kStop)
      throw Error(ErrorCode::kRemote, reply.error.empty() ? "the speech server gave no sound" : reply.error,
                  "what was made so far is kept; run the same command again");
    const Samples all = resample(provider_->decode(reply.text, std::atoi(reply.detail.c_str())), kSynthRate).samples;
    const SampleRange range = trimmed_range(all, 40);
    return {all.begin() + static_cast<std::ptrdiff_t>(range.from), all.begin() + static_cast<std::ptrdiff_t>(range.to)};
  }
  const std::vector<Voice>& voices() const { return voices_; }

 private:
  std::shared_ptr<SpeechProvider> provider_;
  llm::ProviderPtr governed_;
  std::vector<Voice> voices_;
};

llm::Request request_to_say(const std::string& text, const std::string& voice) {
  llm::Request request;
  request.model = voice;
  request.messages = {llm::text_message(llm::Role::kUser, text)};
  return request;
}

std::vector<Voice> readers_of(const std::vector<Timbre>& timbres) {
  std::map<std::string, Voice> readers;
  for (const Timbre& t : timbres)
    readers.try_emplace(t.reader, Voice{"cosyvoice:" + t.reader, "cosyvoice", t.reader, t.gender, t.reader, t.unseen});
  std::vector<Voice> out;
  for (auto& [reader, voice] : readers) out.push_back(std::move(voice));
  return out;
}

class CosyVoices : public ServerVoices {
 public:
  CosyVoices(const SpeechServerOptions& options, std::vector<Timbre> timbres)
      : ServerVoices(std::make_shared<CosyVoiceProvider>(options), options.governed, readers_of(timbres)),
        timbres_(std::move(timbres)) {}

  Samples speak(const Voice& voice, const VoiceStyle&, const std::string& text) const override {
    const Prompt prompt = prompt_of(voice.name);
    llm::Request request = request_to_say(text, voice.name);
    llm::Message first{llm::Role::kSystem, {{prompt.timbre->text, prompt.audio}}};
    request.messages.insert(request.messages.begin(), std::move(first));
    return ask(request);
  }
  SourceRef source(const Voice& voice) const override {
    const Timbre& t = *prompt_of(voice.name).timbre;
    return {voice.id + ":" + t.id, "CosyVoice with LibriSpeech's timbres", t.path, "timbre CC-BY-4.0 (LibriSpeech)", ""};
  }

 private:
  struct Prompt {
    const Timbre* timbre = nullptr;
    llm::AudioPtr audio;
  };
  // One recording a reader, chosen once: the first of a good length, else the first that the engine takes.
  Prompt prompt_of(const std::string& reader) const {
    const std::lock_guard lock(mutex_);
    if (const auto it = prompts_.find(reader); it != prompts_.end()) return it->second;
    Prompt fallback;
    int tries = 0;
    for (const Timbre& t : timbres_) {
      if (t.reader != reader || ++tries > kMostPromptTries) continue;
      const Waveform wave = load_audio_16k(t.path);
      if (wave.seconds() > kLongestPrompt || (fallback.timbre != nullptr && wave.seconds() < kShortPrompt)) continue;
      const Prompt found{&t, llm::audio_from_waveform(wave)};
      if (fallback.timbre == nullptr) fallback = found;
      if (wave.seconds() >= kShortPrompt && wave.seconds() <= kLongPrompt) return prompts_[reader] = found;
    }
    if (fallback.timbre == nullptr)
      throw Error(ErrorCode::kInput, "reader " + reader + " has no recording under 30 s", "take it out of the timbres");
    return prompts_[reader] = fallback;
  }

  std::vector<Timbre> timbres_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, Prompt> prompts_;
};

class SpeechApiVoices : public ServerVoices {
 public:
  SpeechApiVoices(const SpeechApiOptions& options, std::vector<Voice> voices)
      : ServerVoices(std::make_shared<SpeechApiProvider>(options), options.server.governed, std::move(voices)),
        model_(options.model) {}
  Samples speak(const Voice& voice, const VoiceStyle&, const std::string& text) const override {
    return ask(request_to_say(text, voice.name));
  }
  SourceRef source(const Voice& voice) const override {
    return {voice.id, model_, voice.name, "output of a speech service: see its terms", ""};
  }

 private:
  std::string model_;
};

}  // namespace

std::vector<float> raw_samples(std::string_view bytes) {
  std::vector<float> out(bytes.size() / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto low = static_cast<unsigned char>(bytes[2 * i]), high = static_cast<unsigned char>(bytes[2 * i + 1]);
    out[i] = static_cast<float>(static_cast<std::int16_t>(static_cast<std::uint16_t>(low | (high << 8)))) / 32768.F;
  }
  for (std::size_t i = 1; i + 1 < out.size(); ++i) {
    const float before = out[i - 1], after = out[i + 1];
    if (out[i] < -0.97F && before > 0.5F && after > 0.5F) out[i] = 1;
    if (out[i] > 0.97F && before < -0.5F && after < -0.5F) out[i] = -1;
  }
  return out;
}

std::string speech_trouble(const Waveform& spoken, const std::string& text) {
  const int letters = letters_in(text);
  const double seconds = spoken.seconds();
  const auto at = std::to_string(seconds).substr(0, 5) + " s of sound for " + std::to_string(letters) + " letters";
  if (spoken.samples.empty() || seconds < kLeastSecondsALetter * letters) return "only " + at;
  if (seconds > kMostSecondsALetter * letters + kMostSecondsMore) return at + " are too many";
  return to_db(rms(spoken.samples)) < kSilentDb ? "silence came back" : "";
}

std::unique_ptr<VoiceBank> make_cosyvoice(const SpeechServerOptions& options, std::vector<Timbre> timbres) {
  return std::make_unique<CosyVoices>(options, std::move(timbres));
}

std::unique_ptr<VoiceBank> make_speech_api(const SpeechApiOptions& options) {
  static constexpr const char* kFormats[] = {"wav", "flac", "mp3", "pcm"};
  if (std::find(std::begin(kFormats), std::end(kFormats), options.format) == std::end(kFormats))
    throw Error(ErrorCode::kUsage, "unknown speech format " + options.format, "use wav, flac, mp3 or pcm");
  std::vector<Voice> voices;
  for (const std::string& entry : options.voices) {
    const std::size_t colon = entry.find(':');
    const std::string name = entry.substr(0, colon), gender = colon == std::string::npos ? "" : entry.substr(colon + 1);
    if (name.empty() || !(gender.empty() || gender == "man" || gender == "woman"))
      throw Error(ErrorCode::kUsage, "\"" + entry + "\" is no voice", "give NAME, NAME:man or NAME:woman");
    voices.push_back({"speech:" + name, options.model, name, gender, name, voices.size() % 4 == 3});
  }
  if (voices.empty())
    throw Error(ErrorCode::kUsage, "no voices of the speech server are named", "e.g. --speech-voices alloy,nova");
  return std::make_unique<SpeechApiVoices>(options, std::move(voices));
}

}  // namespace areason
