#include "reason/clips.h"

#include <sys/stat.h>

#include <chrono>
#include <cstring>

#include "audio/decode.h"
#include "base/error.h"
#include "base/hash.h"

namespace areason {
namespace {

constexpr std::size_t kKeptClips = 16;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Identifies a file's content well enough to reuse it; empty for what cannot be read twice.
std::string clip_key(const std::string& path, LongAudio policy) {
  struct stat info {};
  if (path == "-" || stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  return path + '\0' + std::to_string(info.st_size) + '\0' + std::to_string(info.st_mtim.tv_sec) + '.' +
         std::to_string(info.st_mtim.tv_nsec) + '\0' + std::to_string(static_cast<int>(policy));
}

}  // namespace

std::shared_ptr<const HeardClip> ClipCache::load(const std::string& path, LongAudio policy,
                                                 std::map<std::string, double>& seconds) {
  const std::string key = clip_key(path, policy);
  for (auto it = recent_.begin(); it != recent_.end(); ++it) {
    if (key.empty() || it->key != key) continue;
    recent_.splice(recent_.begin(), recent_, it);
    return recent_.front().clip;
  }
  std::shared_ptr<const HeardClip> clip = read(path, policy, seconds);
  if (!key.empty()) recent_.push_front({key, clip});
  if (recent_.size() > kKeptClips) recent_.pop_back();
  return clip;
}

std::shared_ptr<HeardClip> ClipCache::read(const std::string& path, LongAudio policy, std::map<std::string, double>& seconds) {
  const double start = now();
  const Waveform audio = load_audio_16k(path);
  const double decoded = now();
  auto clip = std::make_shared<HeardClip>();
  clip->heard.path = path;
  clip->heard.seconds = audio.seconds();
  const double window_seconds = extractor_.config().chunk_seconds;
  for (const AudioWindow& window : split_long_audio(audio, policy, window_seconds, path)) {
    clip->windows.push_back(encode(window, path));
    clip->heard.heard_seconds += window.audio.seconds();
    clip->heard.tokens += clip->windows.back().embeddings.tokens;
    clip->heard.truncated = clip->heard.truncated || window.truncated;
  }
  clip->heard.windows = static_cast<int>(clip->windows.size());
  seconds["decode"] += decoded - start;
  seconds["encode"] += now() - decoded;
  return clip;
}

ClipWindow ClipCache::encode(const AudioWindow& window, const std::string& path) {
  const auto& samples = window.audio.samples;
  const std::string hash = sha256_hex({reinterpret_cast<const char*>(samples.data()), samples.size() * sizeof(samples[0])});
  ClipWindow out;
  out.content = std::stoull(hash.substr(0, 16), nullptr, 16) >> 1;
  out.embeddings = embeddings_of(window, hash);
  if (out.embeddings.tokens == 0) {
    throw Error(ErrorCode::kInput, path + " is too short to be heard (" + std::to_string(samples.size()) + " samples)",
                "give at least 0.03 seconds of audio");
  }
  return out;
}

// From the cache on disk, or computed.
AudioEmbeddings ClipCache::embeddings_of(const AudioWindow& window, const std::string& hash) {
  const auto width = static_cast<std::size_t>(model_->config().text.width);
  const std::string name = files_ == nullptr ? "" : "audio-" + sha256_hex(identity_ + '\n' + hash).substr(0, 40);
  AudioEmbeddings out;
  if (const auto file = files_ == nullptr ? std::nullopt : files_->get(name)) {
    const auto bytes = file->bytes();
    if (bytes.size() % (width * sizeof(float)) == 0) {
      out.tokens = static_cast<int>(bytes.size() / (width * sizeof(float)));
      out.data.resize(bytes.size() / sizeof(float));
      std::memcpy(out.data.data(), bytes.data(), bytes.size());
      return out;
    }
  }
  const LogMel mel = extractor_.compute(window.audio.samples);
  if (mel.valid_frames > 0) out = model_->encode_audio(mel);
  if (files_ != nullptr && out.tokens > 0) {
    const std::string_view bytes(reinterpret_cast<const char*>(out.data.data()), out.data.size() * sizeof(float));
    files_->put(name, {&bytes, 1});
  }
  return out;
}

}  // namespace areason
