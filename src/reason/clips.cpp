#include "reason/clips.h"

#include <sys/stat.h>

#include <cstring>

#include "audio/decode.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/hash.h"

namespace areason {
namespace {

constexpr std::size_t kKeptClips = 16;

// Identifies a file's content well enough to reuse it; empty for what cannot be read twice.
std::string clip_key(const std::string& path, LongAudio policy) {
  struct stat info {};
  if (path == "-" || stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  return path + '\0' + std::to_string(info.st_size) + '\0' + std::to_string(info.st_mtim.tv_sec) + '.' +
         std::to_string(info.st_mtim.tv_nsec) + '\0' + std::to_string(static_cast<int>(policy));
}

// A window whose embeddings are still to be computed.
struct Unheard {
  std::size_t window = 0;  // of its clip
  std::string name;        // of its file in the cache on disk; empty without one
  LogMel mel;
};

}  // namespace

// A clip that was decoded and not yet encoded.
struct ClipCache::Reading {
  std::string key;
  std::vector<AudioWindow> windows;
  std::shared_ptr<HeardClip> clip;
  std::vector<Unheard> unheard;
};

namespace {

void check_heard(const HeardClip& clip, std::size_t window, const std::vector<float>& samples) {
  if (clip.windows[window].embeddings.tokens > 0) return;
  throw Error(ErrorCode::kInput, clip.heard.path + " is too short to be heard (" + std::to_string(samples.size()) + " samples)",
              "give at least 0.03 seconds of audio");
}

}  // namespace

std::vector<std::shared_ptr<const HeardClip>> ClipCache::load(const std::vector<std::string>& paths, LongAudio policy,
                                                              std::map<std::string, double>& seconds) {
  const double start = monotonic_seconds();
  std::vector<std::shared_ptr<const HeardClip>> out;
  std::vector<Reading> readings;
  for (const std::string& path : paths) {
    const std::string key = clip_key(path, policy);
    std::shared_ptr<const HeardClip> clip = known(key);
    for (const Reading& reading : readings)
      if (!key.empty() && reading.key == key) clip = reading.clip;  // the same file twice in one question
    if (clip == nullptr) {
      readings.push_back(read(path, key, policy));
      clip = readings.back().clip;
    }
    out.push_back(std::move(clip));
  }
  if (readings.empty()) return out;
  const double decoded = monotonic_seconds();
  encode(readings);
  for (Reading& reading : readings) keep({std::move(reading.key), std::move(reading.clip)});
  seconds["decode"] += decoded - start;
  seconds["encode"] += monotonic_seconds() - decoded;
  return out;
}

std::shared_ptr<const HeardClip> ClipCache::known(const std::string& key) {
  for (auto it = recent_.begin(); it != recent_.end(); ++it) {
    if (key.empty() || it->key != key) continue;
    recent_.splice(recent_.begin(), recent_, it);
    return recent_.front().clip;
  }
  return nullptr;
}

void ClipCache::keep(Entry entry) {
  if (entry.key.empty()) return;
  recent_.push_front(std::move(entry));
  if (recent_.size() > kKeptClips) recent_.pop_back();
}

ClipCache::Reading ClipCache::read(const std::string& path, std::string key, LongAudio policy) {
  const Waveform audio = load_audio_16k(path);
  Reading out{std::move(key),
              split_long_audio(audio, policy, extractor_.config().chunk_seconds, path),
              std::make_shared<HeardClip>(),
              {}};
  HeardAudio& heard = out.clip->heard;
  heard.path = path;
  heard.seconds = audio.seconds();
  heard.windows = static_cast<int>(out.windows.size());
  for (const AudioWindow& window : out.windows) {
    heard.heard_seconds += window.audio.seconds();
    heard.truncated = heard.truncated || window.truncated;
  }
  return out;
}

// Names every window by its samples and takes what the cache on disk has; the others get their log-mel spectrogram.
void ClipCache::prepare(Reading& reading) {
  for (std::size_t i = 0; i < reading.windows.size(); ++i) {
    const auto& samples = reading.windows[i].audio.samples;
    const std::string hash = sha256_hex({reinterpret_cast<const char*>(samples.data()), samples.size() * sizeof(samples[0])});
    ClipWindow& window = reading.clip->windows.emplace_back();
    window.content = std::stoull(hash.substr(0, 16), nullptr, 16) >> 1;
    const std::string name = files_ == nullptr ? "" : "audio-" + sha256_hex(identity_ + '\n' + hash).substr(0, 40);
    if (find_on_disk(name, window.embeddings)) continue;
    reading.unheard.push_back({i, name, extractor_.compute(samples)});
  }
}

bool ClipCache::find_on_disk(const std::string& name, AudioEmbeddings& out) {
  if (files_ == nullptr) return false;
  const auto row = static_cast<std::size_t>(model_->config().text.width) * sizeof(float);
  const auto file = files_->get(name);
  if (!file || file->bytes().size() % row != 0) return false;
  const auto bytes = file->bytes();
  out.tokens = static_cast<int>(bytes.size() / row);
  out.data.resize(bytes.size() / sizeof(float));
  std::memcpy(out.data.data(), bytes.data(), bytes.size());
  return true;
}

// All windows of all clips at once: short ones share the passes over the encoder's weights.
void ClipCache::encode(std::vector<Reading>& readings) {
  std::vector<const LogMel*> mels;
  for (Reading& reading : readings) {
    prepare(reading);
    for (const Unheard& unheard : reading.unheard) mels.push_back(&unheard.mel);
  }
  std::vector<AudioEmbeddings> embeddings = mels.empty() ? std::vector<AudioEmbeddings>() : model_->encode_windows(mels);
  auto next = embeddings.begin();
  for (Reading& reading : readings) {
    for (const Unheard& unheard : reading.unheard) {
      AudioEmbeddings& out = reading.clip->windows[unheard.window].embeddings = std::move(*next++);
      if (files_ == nullptr || out.tokens == 0) continue;
      const std::string_view bytes(reinterpret_cast<const char*>(out.data.data()), out.data.size() * sizeof(float));
      files_->put(unheard.name, {&bytes, 1});
    }
    for (std::size_t i = 0; i < reading.windows.size(); ++i) {
      check_heard(*reading.clip, i, reading.windows[i].audio.samples);
      reading.clip->heard.tokens += reading.clip->windows[i].embeddings.tokens;
    }
  }
}

}  // namespace areason
