#include "synth/acted.h"

#include <algorithm>
#include <filesystem>

#include "audio/decode.h"
#include "base/error.h"
#include "synth/packages.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

struct MoodEvents {
  std::string mood;
  std::vector<std::string> events;  // file stems
};

const std::vector<MoodEvents>& mood_events() {
  static const std::vector<MoodEvents> table = {
      {"happy", {"Laugh", "Victory", "Excellent", "Brilliant"}},
      {"sad", {"Nooo", "Ohdear"}},
      {"angry", {"Drat", "Stupid", "Traitor", "Leavemealone", "Cutitout"}},
      {"afraid", {"Runaway", "Takecover", "Incoming"}},
      {"surprised", {"Whatthe", "Amazing"}},
  };
  return table;
}

std::string language_of(const std::string& pack) {
  if (pack.ends_with("_es")) return "Spanish";
  if (pack.ends_with("_pl")) return "Polish";
  if (pack.ends_with("_ru")) return "Russian";
  if (pack.ends_with("_uk")) return "Ukrainian";
  return "English";
}

}  // namespace

const std::vector<std::string>& acted_moods() {
  static const std::vector<std::string> moods = [] {
    std::vector<std::string> names;
    for (const MoodEvents& m : mood_events()) names.push_back(m.mood);
    return names;
  }();
  return moods;
}

ActedVoices::ActedVoices(const std::string& package_root) {
  const SoundPackage& package = *find_package("HW");
  const std::string voices = below_root(package_root, package.root) + "/voices";
  if (!fs::is_directory(voices)) return;
  for (const fs::directory_entry& folder : fs::directory_iterator(voices)) {
    const std::string pack = folder.path().filename().string();
    for (const MoodEvents& m : mood_events()) {
      for (const std::string& event : m.events) {
        const std::string path = voices + "/" + pack + "/" + event + ".ogg";
        if (!fs::exists(path)) continue;
        lines_.push_back({package.package + ":voices/" + pack + "/" + event + ".ogg", path, pack, m.mood, language_of(pack),
                          acted_pack_is_unseen(pack)});
      }
    }
  }
  std::sort(lines_.begin(), lines_.end(), [](const ActedLine& a, const ActedLine& b) { return a.id < b.id; });
}

std::vector<const ActedLine*> ActedVoices::candidates(bool unseen, const std::string& mood, const std::string& pack) const {
  std::vector<const ActedLine*> result;
  for (const ActedLine& line : lines_) {
    if (line.unseen == unseen && line.mood == mood && (pack.empty() || line.pack == pack)) result.push_back(&line);
  }
  return result;
}

void ActedVoices::compose(Mix& mix, const SceneContext& context, Random& random) const {
  if (lines_.empty()) throw_missing_package(find_package("HW")->package);
  const std::string& mood = random.pick(acted_moods());
  std::vector<const ActedLine*> chosen = {random.pick(candidates(context.unseen(), mood, ""))};
  std::vector<const ActedLine*> same = candidates(context.unseen(), mood, chosen.front()->pack);
  std::erase(same, chosen.front());
  if (!same.empty() && random.chance(0.35)) chosen.push_back(random.pick(same));
  double at = random.uniform(0.15, 0.6);
  const double speed = random.uniform(0.94, 1.06);  // the same for both lines: one speaker
  for (const ActedLine* line : chosen) {
    Samples samples = change_speed(load_audio_16k(line->path).samples, speed);
    const SampleRange range = trimmed_range(samples, 40);
    samples = Samples(samples.begin() + static_cast<std::ptrdiff_t>(range.from),
                      samples.begin() + static_cast<std::ptrdiff_t>(range.to));
    Event event;
    event.kind = EventKind::kSpeech;
    event.label = "speech";
    event.recording = line->id;
    event.speaker = "hedgewars:" + line->pack;
    event.language = line->language;
    event.mood = line->mood;
    mix.add_source(source_of_file(line->id, *find_package("HW"), line->path));
    at = mix.place(std::move(event), std::move(samples), at, 0) + random.uniform(0.3, 0.7);
  }
  mix.maybe_background(0.3);
}

}  // namespace areason
