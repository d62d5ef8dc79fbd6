#include "cota/drills.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "cota/assign.h"
#include "cota/kinds.h"
#include "cota/look_up_drills.h"
#include "cota/perception.h"
#include "synth/sentences.h"

namespace areason {
namespace {

// As voices.cpp has them.
const std::vector<std::string> kVoices = {"electronic man", "lilting man", "steady man", "squeaky woman", "light woman"};

Event made_up_event(EventKind kind, const std::string& label, double from, double to) {
  Event e;
  e.kind = kind;
  e.label = label;
  e.from = from;
  e.to = to;
  return e;
}

// Half a second is the grain of captions.
double halves(Random& random, int least, int most) { return 0.5 * random.between(least, most); }

void add_sounds(Scene& scene, int count, const std::vector<std::string>& names, Random& random) {
  double at = scene.seconds + halves(random, 0, 2);
  for (int i = 0; i < count; ++i) {
    const bool again = !scene.events.empty() && scene.events.back().kind == EventKind::kSound && random.chance(0.25);
    const std::string label = again ? random.pick(scene.events).label : random.pick(names);
    const double length = halves(random, 1, 5);
    scene.events.push_back(made_up_event(EventKind::kSound, label == "speech" ? names[0] : label, at, at + length));
    scene.seconds = std::max(scene.seconds, at + length);
    at += random.chance(0.25) && length > 1 ? 0.5 : length + halves(random, 0, scene.type == SceneType::kLong ? 12 : 2);
  }
}

void add_turn(Scene& scene, const std::string& voice, const std::string& text, Random& random) {
  const double at = scene.seconds + halves(random, 0, 2), length = halves(random, 2, 6);
  Event e = made_up_event(EventKind::kSpeech, "speech", at, at + length);
  e.speaker = voice;
  e.manner = voice.substr(0, voice.find(' '));
  e.gender = voice.substr(voice.find(' ') + 1);
  e.language = "English";
  e.text = text;
  scene.events.push_back(e);
  scene.seconds = at + length;
}

Scene made_up_scene(SceneType type, const std::vector<std::string>& names, Random& random) {
  Scene scene;
  scene.type = type;
  const auto sentence = [&] { return random.chance(0.5) ? make_digit_sentence(random).text : make_sentence(random).text; };
  const auto voice = [&] { return random.pick(kVoices); };
  if (type == SceneType::kDialogue) {
    for (const Sentence& turn : make_dialogue(random.between(2, 6), random)) add_turn(scene, voice(), turn.text, random);
  } else if (type == SceneType::kSpeech) {
    add_turn(scene, voice(), sentence(), random);
  } else if (type == SceneType::kMixed) {
    if (random.chance(0.5)) add_sounds(scene, 1, names, random);
    add_turn(scene, voice(), sentence(), random);
    if (random.chance(0.3)) scene.seconds -= 1;
    add_sounds(scene, random.between(1, 2), names, random);
  } else {
    add_sounds(scene, type == SceneType::kLong ? random.between(5, 9) : random.between(1, 5), names, random);
  }
  if (type == SceneType::kLong) scene.seconds = std::max(scene.seconds, kWindowSeconds + 2);
  for (const Event& e : scene.events) scene.seconds = std::max(scene.seconds, e.to);
  return scene;
}

// Two clips; often a single sound each, the same one in half of the cases.
Listening made_up_pair(const std::vector<std::string>& names, Random& random) {
  Scene a = made_up_scene(SceneType::kSound, names, random), b = made_up_scene(SceneType::kSound, names, random);
  if (random.chance(0.6)) {
    for (Event& e : a.events) e.label = a.events[0].label;
    const std::string other = random.chance(0.5) ? a.events[0].label : b.events[0].label;
    for (Event& e : b.events) e.label = other;
  }
  return listen_pair(a, b);
}

// Different sounds, one after the other: what questions on order are asked of.
Scene made_up_sequence(const std::vector<std::string>& names, Random& random) {
  Scene scene;
  std::set<std::string> used;
  for (int left = random.between(3, 4); left > 0;) {
    const std::string& name = random.pick(names);
    if (!used.insert(name).second) continue;
    const double at = scene.seconds + halves(random, 0, 2);
    scene.seconds = at + halves(random, 1, 5);
    scene.events.push_back(made_up_event(EventKind::kSound, name, at, scene.seconds));
    --left;
  }
  return scene;
}

Listening made_up_listening(const std::vector<std::string>& names, Random& random) {
  const double form = random.uniform();
  if (form < 0.15) return listen(made_up_sequence(names, random));
  if (form < 0.3) return made_up_pair(names, random);
  const SceneType type = form < 0.65   ? SceneType::kSound
                         : form < 0.75 ? SceneType::kSpeech
                         : form < 0.83 ? SceneType::kDialogue
                         : form < 0.93 ? SceneType::kMixed
                                       : SceneType::kLong;
  return listen(made_up_scene(type, names, random));
}

// Kinds whose chain only repeats what the caption says need no practice without audio.
bool worth_a_drill(const std::string& kind) {
  return kind != "describe" && kind != "speech-gender" && kind != "mixed-presence" && !kind.starts_with("speech-language") &&
         !kind.ends_with("-open");
}

// Look-ups of several steps are drilled more often than others.
int drill_share(const std::string& kind) {
  static const std::set<std::string> long_chains = {"sound-after", "sound-before", "turn-after", "pair-same",
                                                    "pair-where",  "long-where",   "speech-who", "mixed-during"};
  static const std::set<std::string> longest = {"sound-order", "sound-overlap", "sound-longer"};
  return longest.contains(kind) ? 12 : long_chains.contains(kind) ? 4 : 1;
}

std::optional<Sample> make_chain_drill(const Material& material, const std::vector<std::string>& names, Random& random) {
  const Listening listening = made_up_listening(names, random);
  std::vector<std::pair<const NamedMaker*, Draft>> possible;
  for (const NamedMaker& maker : question_makers()) {
    if (!worth_a_drill(maker.kind)) continue;
    const auto draft = maker.make(listening, material, random);
    for (int i = draft ? drill_share(maker.kind) : 0; i > 0; --i) possible.emplace_back(&maker, *draft);
  }
  if (possible.empty()) return {};
  auto& [maker, draft] = random.pick(possible);
  const std::string caption = listening.caption();
  Sample s = written_sample(find_kind(maker->kind), draft, caption, random);
  s.question = caption + " " + s.question;
  if (!s.turns.empty()) {  // the caption comes with the first turn
    s.question = s.question.substr(caption.size() + 1);
    s.turns[0].question = caption + " " + s.turns[0].question;
  }
  for (const Perception& p : listening.audios) {
    for (const Heard& h : p.heard) s.timeline.push_back({0, h.name, h.true_from, h.true_to, 0, "", h.text});
  }
  return s;
}

// The classes of sounds with their own frequency, and other names now and then, so that the skill does not hang on the names.
std::vector<std::string> drill_names(const Material& material) {
  std::vector<std::string> out = all_names(material);
  const std::size_t others = out.size();
  for (std::size_t i = 0; i < 2 * others; ++i) out.push_back(material.sounds[i % material.sounds.size()].name);
  return out;
}

}  // namespace

std::vector<Sample> make_drills(const Material& material, int count, std::uint64_t seed) {
  const std::vector<std::string> names = all_names(material), mixed_names = drill_names(material);
  std::vector<Sample> out;
  for (int i = 0; static_cast<int>(out.size()) < count; ++i) {
    const std::string id = "drill-" + std::to_string(out.size());
    Random random = Random::for_item(seed, "drill-" + std::to_string(i));
    auto drawn = i % 4 == 0 ? make_look_up(names, random) : make_chain_drill(material, mixed_names, random);
    if (!drawn) continue;
    Sample s = std::move(*drawn);
    s.id = id;
    s.domain = "text";
    s.task = "text_qa";
    s.source = {"nano-drills", id, "", "", ""};
    s.review_reason = "written from a made-up timeline";
    s.split = "train";
    out.push_back(std::move(s));
  }
  return out;
}

}  // namespace areason
