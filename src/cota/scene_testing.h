#pragma once
// Scenes for the tests of this folder, without sound of their own: single ones built by hand (sound, speech, scene_of), and a
// small random world of every scene type (random_scene, random_clips) for whole assignments and jobs.
// Thread rule: free functions without state. Times in seconds.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "cota/clip_store.h"
#include "synth/scene.h"
#include "synth/sentences.h"
#include "synth/sound_table.h"

namespace areason {

inline Event sound(const std::string& label, double from, double to) {
  Event e;
  e.label = label;
  e.from = from;
  e.to = to;
  e.level_db = -20;
  e.recording = "package:" + label;
  return e;
}

inline Event speech(const std::string& speaker, const std::string& gender, const std::string& text, double from, double to) {
  Event e = sound("speech", from, to);
  e.kind = EventKind::kSpeech;
  e.speaker = speaker;
  e.gender = gender;
  e.language = "English";
  e.text = text;
  return e;
}

inline Scene scene_of(SceneType type, std::vector<Event> events, double seconds) {
  Scene s;
  s.id = "clip";
  s.type = type;
  s.split = "train";
  s.events = std::move(events);
  s.seconds = seconds;
  s.sources = {{"package:x", "package", "/x", "CC0", "00"}};
  return s;
}

inline Clip clip_of(Scene scene) {
  Clip clip;
  clip.audio = {"clips/" + scene.id + ".flac"};
  clip.sha256 = {"00"};
  clip.scene = std::move(scene);
  return clip;
}

inline Scene random_sounds(Random& random, SceneType type) {
  std::vector<Event> events;
  double at = random.uniform(0.1, 0.6);
  const double end = type == SceneType::kLong ? 40 : 100;
  for (int i = random.between(1, 4); i > 0 && at < end; --i) {
    const double length = random.uniform(0.4, 3);
    const bool again = !events.empty() && random.chance(0.4);
    events.push_back(sound(again ? events.back().label : random.pick(sound_classes()).name, at, at + length));
    at += random.chance(0.3) ? 0.5 * length : length + random.uniform(0.1, type == SceneType::kLong ? 12 : 1);
  }
  Scene s = scene_of(type, events, std::max(events.back().to, at) + 0.5);
  if (type == SceneType::kLong) {
    s.events.push_back(sound(random.pick(sound_classes()).name, 33, 34));
    s.seconds = 38;
    s.events.erase(std::remove_if(s.events.begin(), s.events.end(), [](const Event& e) { return e.from > 37; }),
                   s.events.end());
  }
  return s;
}

inline Scene random_speech(Random& random, SceneType type) {
  static const std::vector<std::string> languages = {"German", "French", "Russian", "Dutch", "Danish"};
  static const std::vector<std::string> moods = {"happy", "sad", "angry", "afraid"};
  std::vector<Event> events;
  double at = 0.3;
  const int turns = type == SceneType::kDialogue ? random.between(2, 4) : 1;
  for (int i = 0; i < turns; ++i) {
    const std::string voice = std::to_string(random.below(3));
    const std::string text = random.chance(0.5) ? make_digit_sentence(random).text : make_sentence(random).text;
    events.push_back(speech("voice" + voice, voice == "0" ? "woman" : "man", text, at, at + 1.5));
    at += 2;
  }
  if (type == SceneType::kLanguage) {
    events[0].language = random.pick(languages);
    events[0].text = "";
  }
  if (type == SceneType::kActed) events[0].mood = random.pick(moods);
  return scene_of(type, events, at + 0.5);
}

inline Scene random_music(Random& random, SceneType type) {
  static const std::vector<std::string> instruments = {"piano", "violin", "flute", "organ", "trumpet"};
  static const std::vector<std::pair<std::string, std::string>> metres = {
      {"3/4", "waltz feel"}, {"4/4", "steady four-beat feel"}, {"6/8", "lilting feel"}, {"5/4", "uneven feel"}};
  Event music = sound("music", 0.2, 8);
  music.kind = EventKind::kMusic;
  Scene s = scene_of(type, {music}, 9);
  const auto metre = random.pick(metres);
  static const std::vector<std::string> tempos = {"slow", "medium", "fast"}, moods = {"calm", "sad", "happy", "energetic"};
  s.music = MusicFacts{{random.pick(instruments), "strings"},
                       100,
                       random.pick(tempos),
                       metre.first,
                       metre.second,
                       "C",
                       random.chance(0.5) ? "major" : "minor",
                       random.pick(moods)};
  if (type == SceneType::kMixed) {
    const double at = random.chance(0.5) ? 2 : 8.3;
    s.events.push_back(sound(random.pick(sound_classes()).name, at, at + 1));
    s.seconds = 10;
  }
  return s;
}

inline Scene random_scene(const std::string& id, SceneType type, const std::string& split) {
  Random random = Random::for_item(7, id);
  Scene s;
  switch (type) {
    case SceneType::kSound:
    case SceneType::kLong:
      s = random_sounds(random, type);
      break;
    case SceneType::kMusic:
      s = random_music(random, type);
      break;
    case SceneType::kMixed:
      s = random_music(random, type);
      if (random.chance(0.5)) {
        s.music.reset();
        s.events[0] = speech("v", "man", "the dog is in the park", 0.2, 8);
      }
      break;
    default:
      s = random_speech(random, type);
      break;
  }
  s.id = id;
  s.type = type;
  s.split = split;
  s.audio.samples.assign(static_cast<std::size_t>(s.seconds * 16000), 0.01F);
  return s;
}

inline constexpr SceneType kSceneTypes[] = {SceneType::kSound,    SceneType::kSpeech, SceneType::kDialogue, SceneType::kActed,
                                            SceneType::kLanguage, SceneType::kMusic,  SceneType::kMixed,    SceneType::kLong};

inline std::vector<Clip> random_clips(int each) {
  std::vector<Clip> clips;
  for (const SceneType type : kSceneTypes) {
    for (int i = 0; i < each * (type == SceneType::kSound ? 6 : 1); ++i) {
      const std::string id = std::string(scene_type_name(type)) + "-" + std::to_string(i);
      clips.push_back(clip_of(random_scene(id, type, "train")));
      clips.back().scene.audio = {};
    }
  }
  return clips;
}

inline std::vector<const Clip*> pointers(const std::vector<Clip>& clips) {
  std::vector<const Clip*> out;
  for (const Clip& clip : clips) out.push_back(&clip);
  return out;
}

}  // namespace areason
