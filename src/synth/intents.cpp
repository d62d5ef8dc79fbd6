#include "synth/intents.h"

#include <algorithm>
#include <filesystem>

#include "audio/decode.h"
#include "synth/layers.h"
#include "synth/packages.h"
#include "synth/recordings.h"

namespace areason {

namespace fs = std::filesystem;

namespace {

struct IntentEvents {
  std::string intent;
  std::vector<std::string> events;  // file stems
};

const std::vector<IntentEvents>& intent_events() {
  static const std::vector<IntentEvents> table = {
      {"greets somebody", {"Hello"}},
      {"says goodbye", {"Byebye", "Solong"}},
      {"insults somebody", {"Stupid", "Coward", "Nutter"}},
      {"accuses somebody of betrayal", {"Traitor", "Sameteam"}},
      {"threatens somebody", {"Illgetyou", "Gonnagetyou", "Youllregretthat", "Justyouwait"}},
      {"warns of a danger", {"Incoming", "Takecover", "Watchit", "Runaway"}},
      {"celebrates a success", {"Victory", "Excellent", "Brilliant", "Flawless"}},
      {"cries out in pain", {"Ouch", "Ow1", "Ow2", "Ow3", "Ow4", "Ooff1", "Ooff2", "Ooff3"}},
      {"is annoyed about a mistake", {"Oops", "Missed", "Drat", "Bugger"}},
      {"urges somebody to hurry", {"Hurry", "Comeonthen"}},
      {"wants to be left alone", {"Leavemealone", "Cutitout"}},
      {"obeys an order", {"Yessir"}},
      {"calls for help", {"Reinforcements"}},
      {"shows off", {"Watchthis", "Thisoneismine"}},
  };
  return table;
}

}  // namespace

const std::vector<std::string>& acted_intents() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const IntentEvents& i : intent_events()) all.push_back(i.intent);
    return all;
  }();
  return names;
}

ActedIntents::ActedIntents(const std::string& package_root) {
  const SoundPackage& package = *find_package("HW");
  const std::string voices = below_root(package_root, package.root) + "/voices";
  if (!fs::is_directory(voices)) throw_missing_package(package.package);
  for (const fs::directory_entry& folder : fs::directory_iterator(voices)) {
    const std::string pack = folder.path().filename().string();
    for (const IntentEvents& i : intent_events()) {
      for (const std::string& event : i.events) {
        const std::string path = voices + "/" + pack + "/" + event + ".ogg";
        if (fs::exists(path))
          lines_.push_back(
              {package.package + ":voices/" + pack + "/" + event + ".ogg", path, pack, i.intent, acted_pack_is_unseen(pack)});
      }
    }
  }
  std::sort(lines_.begin(), lines_.end(), [](const Line& a, const Line& b) { return a.id < b.id; });
}

Scene ActedIntents::make(const std::string& clip_id, const std::string& split, std::uint64_t seed) const {
  Random random = Random::for_item(seed, "intent/" + split + "/" + clip_id);
  std::vector<const Line*> candidates;
  while (candidates.empty()) {
    const std::string& intent = random.pick(acted_intents());  // evenly, whatever the number of recordings
    for (const Line& line : lines_) {
      if (line.intent == intent && line.unseen == (split == "test-unseen")) candidates.push_back(&line);
    }
  }
  const Line& line = *random.pick(candidates);
  Scene scene;
  scene.id = clip_id;
  scene.type = SceneType::kActed;
  scene.split = split;
  scene.staging = Staging{"acted_intent", line.pack, 0, 0};
  scene.sources = {source_of_file(line.id, *find_package("HW"), line.path)};
  Layer layer;
  layer.event.kind = EventKind::kSpeech;
  layer.event.label = "speech";
  layer.event.recording = line.id;
  layer.event.speaker = "hedgewars:" + line.pack;
  layer.event.detail.emplace().intent = line.intent;
  const Samples all = change_speed(load_audio_16k(line.path).samples, random.uniform(0.94, 1.06));
  const SampleRange range = trimmed_range(all, 40);
  layer.samples.assign(all.begin() + static_cast<std::ptrdiff_t>(range.from),
                       all.begin() + static_cast<std::ptrdiff_t>(range.to));
  mix_alone(std::move(layer), scene, random);
  return scene;
}

}  // namespace areason
