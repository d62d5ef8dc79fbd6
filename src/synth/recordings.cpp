#include "synth/recordings.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <map>
#include <mutex>

#include "audio/decode.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"

namespace areason {
namespace {

constexpr double kUnseenRecordings = 0.28;

// Recordings that are (nearly) the same sound though their names differ: always on one side of the split. Highest normalised
// cross-correlation within a class above 0.75, by the search of 2026-11-21 over all recordings of the table.
const std::vector<std::vector<std::string>>& near_duplicates() {
  static const std::vector<std::vector<std::string>> groups = {
      {"tuxpaint-stamps-default:animals/mammals/bovines/goat.ogg",
       "tuxpaint-stamps-default:animals/mammals/bovines/mountaingoat.ogg"},
      {"micropolis-data:quack.wav", "micropolis-data:quackquack.wav"},
      {"micropolis-data:explosion-hi.wav", "micropolis-data:explosion-high.wav"},
      {"micropolis-data:honkhonk-hi.wav", "micropolis-data:honkhonk-high.wav"},
      {"minetest-data:fire/sounds/fire_fire.2.ogg", "minetest-data:fire/sounds/fire_large.ogg"},
      {"minetest-data:default/sounds/default_grass_footstep.1.ogg", "minetest-data:default/sounds/default_grass_footstep.2.ogg",
       "minetest-data:default/sounds/default_grass_footstep.3.ogg"},
      {"minetest-data:default/sounds/default_hard_footstep.1.ogg", "minetest-data:default/sounds/default_hard_footstep.2.ogg",
       "minetest-data:default/sounds/default_hard_footstep.3.ogg"},
      {"minetest-data:default/sounds/default_dig_choppy.1.ogg", "minetest-data:default/sounds/default_dig_choppy.2.ogg",
       "minetest-data:default/sounds/default_dig_choppy.3.ogg"},
      {"searchandrescue-data:helicopter_engine_inside.wav", "searchandrescue-data:helicopter_engine_outside.wav"},
      {"wesnoth-1.16-data:ambient/birds2.ogg", "freedink-data:bird1.wav"},
      {"wesnoth-1.16-data:human-die-1.ogg", "wesnoth-1.16-data:human-die-2.ogg", "wesnoth-1.16-data:human-die-3.ogg"},
      {"sonic-pi-samples:drum_cymbal_hard.flac", "sonic-pi-samples:drum_cymbal_soft.flac"},
      {"sonic-pi-samples:drum_tom_hi_hard.flac", "sonic-pi-samples:drum_tom_hi_soft.flac"},
      {"sonic-pi-samples:drum_tom_lo_hard.flac", "sonic-pi-samples:drum_tom_lo_soft.flac"},
      {"sonic-pi-samples:drum_tom_mid_hard.flac", "sonic-pi-samples:drum_tom_mid_soft.flac"},
  };
  return groups;
}

// Hedgewars voice packs (one speaker each) that only test-unseen hears; acted.cpp and the class "laughter" agree through this.
constexpr std::array<std::string_view, 4> kUnseenPacks = {"British", "Default_ru", "Mobster", "Surfer"};

std::string pack_of(const std::string& path) { return std::filesystem::path(path).parent_path().filename().string(); }

bool is_acted_voice(const Recording& recording) {
  return recording.package->abbreviation == "HW" && recording.path.find("/voices/") != std::string::npos;
}

// The unit of the split: one recording, or a group of near-duplicates, or all recordings of one acted voice.
std::string group_of(const Recording& recording) {
  for (const auto& group : near_duplicates()) {
    if (std::find(group.begin(), group.end(), recording.id) != group.end()) return group.front();
  }
  return is_acted_voice(recording) ? "pack " + pack_of(recording.path) : recording.id;
}

}  // namespace

bool acted_pack_is_unseen(const std::string& pack) {
  return std::find(kUnseenPacks.begin(), kUnseenPacks.end(), pack) != kUnseenPacks.end();
}

struct SoundLibrary::Cache {
  struct Entry {
    std::once_flag once;
    Samples samples;
    std::once_flag hash_once;
    std::string sha256;
  };
  std::vector<std::unique_ptr<Entry>> entries;
};

SourceRef source_of_file(const std::string& id, const SoundPackage& package, const std::string& path) {
  return {id, package.package, path, package.licence, sha256_file(path)};
}

SoundLibrary::SoundLibrary(const SynthOptions& options)
    : files_(options.package_root, options.work_dir), cache_(std::make_unique<Cache>()) {
  collect(options);
  for (InstalledClass& installed : classes_) split(installed, options.split_seed);
  cache_->entries.resize(recordings_.size());
  for (auto& entry : cache_->entries) entry = std::make_unique<Cache::Entry>();
}

SoundLibrary::~SoundLibrary() = default;

void SoundLibrary::collect(const SynthOptions& options) {
  for (const SoundClass& definition : sound_classes()) {
    InstalledClass installed;
    installed.definition = &definition;
    for (const std::string& pattern : definition.patterns) {
      const std::size_t colon = pattern.find(':');
      const SoundPackage* package = find_package(pattern.substr(0, colon));
      if (!package) throw Error(ErrorCode::kFailure, "unknown package in the sound table: " + pattern, "fix sound_table.cpp");
      if (!files_.installed(package->abbreviation)) {
        if (options.missing == MissingPackages::kError) throw_missing_package(package->package);
        continue;
      }
      for (const std::string& file : files_.match(*package, pattern.substr(colon + 1))) {
        installed.known.push_back(recordings_.size());
        recordings_.push_back({package->package + ":" + file, files_.directory(*package) + "/" + file, package, false});
      }
    }
    if (installed.known.size() >= 2) classes_.push_back(installed);
  }
  if (classes_.empty()) {
    throw Error(ErrorCode::kInput, "no sound recordings below " + options.package_root, "apt-get install sonic-pi-samples");
  }
}

// Groups go to the unseen side in random order until it holds its share; at least one recording, never all.
void SoundLibrary::split(InstalledClass& installed, std::uint64_t seed) {
  std::map<std::string, std::vector<std::size_t>> by_group;
  for (const std::size_t r : installed.known) by_group[group_of(recordings_[r])].push_back(r);
  std::vector<std::vector<std::size_t>> groups;
  for (auto& [name, members] : by_group) groups.push_back(members);
  Random random = Random::for_item(seed, "split " + installed.definition->name);
  random.shuffle(groups);
  const std::size_t total = installed.known.size();
  const auto target = std::max<std::size_t>(1, static_cast<std::size_t>(kUnseenRecordings * static_cast<double>(total) + 0.5));
  for (const auto& group : groups) {
    const Recording& first = recordings_[group.front()];
    const bool fits =
        installed.unseen.size() < target && installed.unseen.size() + group.size() < total && group.size() * 2 <= total;
    const bool take = is_acted_voice(first) ? acted_pack_is_unseen(pack_of(first.path)) : fits;
    if (take) installed.unseen.insert(installed.unseen.end(), group.begin(), group.end());
  }
  std::sort(installed.unseen.begin(), installed.unseen.end());
  std::erase_if(installed.known,
                [&](std::size_t r) { return std::binary_search(installed.unseen.begin(), installed.unseen.end(), r); });
  for (const std::size_t r : installed.unseen) recordings_[r].unseen = true;
}

const Samples& SoundLibrary::samples(std::size_t recording) const {
  Cache::Entry& entry = *cache_->entries[recording];
  std::call_once(entry.once, [&] {
    Samples all = load_audio_16k(recordings_[recording].path).samples;
    if (all.size() > kLongestRecording) all.resize(kLongestRecording);
    high_pass(all, 30);  // offsets and rumble of old 8-bit files
    const SampleRange range = trimmed_range(all, 45);
    entry.samples.assign(all.begin() + static_cast<std::ptrdiff_t>(range.from),
                         all.begin() + static_cast<std::ptrdiff_t>(range.to));
  });
  return entry.samples;
}

SourceRef SoundLibrary::source(std::size_t recording) const {
  const Recording& r = recordings_[recording];
  Cache::Entry& entry = *cache_->entries[recording];
  std::call_once(entry.hash_once, [&] { entry.sha256 = sha256_file(r.path); });
  return {r.id, r.package->package, r.path, r.package->licence, entry.sha256};
}

}  // namespace areason
