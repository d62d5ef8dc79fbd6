#include "synth/sound_pool.h"

#include <list>
#include <mutex>

#include "audio/decode.h"
#include "base/error.h"
#include "base/hash.h"

namespace areason {
namespace {

Samples load_sound(const std::string& path) {
  Samples all = load_audio_16k(path).samples;
  if (all.size() > kLongestRecording) all.resize(kLongestRecording);
  high_pass(all, 30);
  const SampleRange range = trimmed_range(all, 45);
  return {all.begin() + static_cast<std::ptrdiff_t>(range.from), all.begin() + static_cast<std::ptrdiff_t>(range.to)};
}

}  // namespace

// The least recently used samples go first.
struct SoundPool::Cache {
  using Entry = std::pair<std::size_t, std::shared_ptr<const Samples>>;
  std::uint64_t limit = 0, used = 0;
  mutable std::mutex mutex;
  std::list<Entry> order;
  std::map<std::size_t, std::list<Entry>::iterator> known;
  std::map<std::size_t, std::string> hashes;

  std::shared_ptr<const Samples> find(std::size_t sound) {
    const std::lock_guard lock(mutex);
    const auto it = known.find(sound);
    if (it == known.end()) return nullptr;
    order.splice(order.begin(), order, it->second);
    return it->second->second;
  }
  void add(std::size_t sound, const std::shared_ptr<const Samples>& samples) {
    const std::lock_guard lock(mutex);
    if (known.contains(sound)) return;
    order.emplace_front(sound, samples);
    known[sound] = order.begin();
    used += samples->size() * sizeof(float);
    while (used > limit && order.size() > 1) {
      used -= order.back().second->size() * sizeof(float);
      known.erase(order.back().first);
      order.pop_back();
    }
  }
};

SoundPool::SoundPool(std::vector<PoolSound> sounds, std::uint64_t cache_bytes)
    : sounds_(std::move(sounds)), cache_(std::make_unique<Cache>()) {
  cache_->limit = cache_bytes;
  for (std::size_t i = 0; i < sounds_.size(); ++i) by_label_[sounds_[i].unseen ? 1 : 0][sounds_[i].label].push_back(i);
  for (const int side : {0, 1}) {
    for (const auto& [label, members] : by_label_[side]) labels_[side].push_back(label);
  }
  if (labels_[0].empty() && labels_[1].empty())
    throw Error(ErrorCode::kInput, "there are no sounds to mix", "install sound packages (scripts/setup --sounds)");
}

SoundPool::~SoundPool() = default;

std::unique_ptr<SoundPool> SoundPool::of_packages(const SoundLibrary& library) {
  std::vector<PoolSound> sounds;
  for (const InstalledClass& installed : library.classes()) {
    for (const bool unseen : {false, true}) {
      for (const std::size_t r : installed.side(unseen)) {
        const Recording& recording = library.recordings()[r];
        sounds.push_back({installed.definition->name,
                          installed.definition->family,
                          {recording.id, recording.package->package, recording.path, recording.package->licence, ""},
                          unseen});
      }
    }
  }
  return std::make_unique<SoundPool>(std::move(sounds));
}

std::size_t SoundPool::pick(const std::string& label, bool unseen, Random& random) const {
  const auto it = by_label_[unseen ? 1 : 0].find(label);
  if (it == by_label_[unseen ? 1 : 0].end())
    throw Error(ErrorCode::kInput, "no sound is called \"" + label + "\"", "see the labels of the import");
  return random.pick(it->second);
}

std::shared_ptr<const Samples> SoundPool::samples(std::size_t sound) const {
  if (auto known = cache_->find(sound)) return known;
  auto loaded = std::make_shared<const Samples>(load_sound(sounds_[sound].source.path));
  cache_->add(sound, loaded);
  return loaded;
}

SourceRef SoundPool::source(std::size_t sound) const {
  SourceRef out = sounds_[sound].source;
  if (!out.sha256.empty()) return out;
  {
    const std::lock_guard lock(cache_->mutex);
    if (const auto it = cache_->hashes.find(sound); it != cache_->hashes.end()) {
      out.sha256 = it->second;
      return out;
    }
  }
  out.sha256 = sha256_file(out.path);
  const std::lock_guard lock(cache_->mutex);
  cache_->hashes[sound] = out.sha256;
  return out;
}

}  // namespace areason
