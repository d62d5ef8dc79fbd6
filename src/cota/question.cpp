#include "cota/question.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include "cota/clip_store.h"
#include "cota/kinds.h"
#include "synth/sentences.h"
#include "synth/sound_table.h"

namespace areason {
namespace {

// A recording of one may well hold the other: neither is a fair wrong answer for the other.
constexpr std::array<std::pair<const char*, const char*>, 10> kMayHold = {{{"crowd", "applause"},
                                                                           {"crowd", "laughter"},
                                                                           {"road traffic", "car horn"},
                                                                           {"road traffic", "tyre screech"},
                                                                           {"running water", "water drip"},
                                                                           {"running water", "water splash"},
                                                                           {"running water", "bubbling"},
                                                                           {"helicopter", "airplane"},
                                                                           {"rocket", "airplane"},
                                                                           {"crackling fire", "hissing"}}};

bool may_hold(const std::string& a, const std::string& b) {
  return std::any_of(kMayHold.begin(), kMayHold.end(), [&](const auto& pair) {
    return (a == pair.first && b == pair.second) || (b == pair.first && a == pair.second);
  });
}

std::set<std::string> heard_names(const Listening& listening) {
  std::set<std::string> out;
  for (const Perception& p : listening.audios) {
    for (const Heard& h : p.heard) out.insert(h.name);
    if (!p.background.empty()) out.insert(p.background);
  }
  return out;
}

bool has_music(const Listening& listening) {
  return std::any_of(listening.audios.begin(), listening.audios.end(), [](const Perception& p) { return p.music.has_value(); });
}

// Classes that are certainly not heard.
std::vector<NamedSound> absent_sounds(const Listening& listening, const Material& material) {
  const std::set<std::string> heard = heard_names(listening);
  std::vector<NamedSound> out;
  for (const NamedSound& sound : material.sounds) {
    const bool related = std::any_of(heard.begin(), heard.end(), [&](const std::string& h) { return may_hold(h, sound.name); });
    if (heard.count(sound.name) == 0 && !related && !(sound.family == "music" && has_music(listening))) out.push_back(sound);
  }
  return out;
}

std::string family_of(const Material& material, const std::string& name) {
  for (const NamedSound& sound : material.sounds) {
    if (sound.name == name) return sound.family;
  }
  return {};
}

constexpr std::array<const char*, 8> kOrdinals = {"first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"};
constexpr std::array<const char*, 8> kPlaces = {"one", "two", "three", "four", "five", "six", "seven", "eight"};

std::string ordinal(std::size_t index) {
  return index < kOrdinals.size() ? kOrdinals[index] : "number " + std::to_string(index + 1);
}

void add_unique(std::vector<std::string>& list, const std::string& item) {
  if (!item.empty() && std::find(list.begin(), list.end(), item) == list.end()) list.push_back(item);
}

}  // namespace

std::string Listening::caption() const {
  if (audios.size() == 1) return audios[0].caption;
  std::string out;
  for (std::size_t i = 0; i < audios.size(); ++i) {
    out += (i == 0 ? "" : " ") + ("Audio " + std::to_string(i + 1) + ": ") + audios[i].caption;
  }
  return out;
}

Listening listen(const Scene& scene) {
  Listening out;
  out.type = scene.type;
  if (scene.staging) {
    out.set = scene.staging->set;
    out.scenario = scene.staging->form;
  }
  if (scene.seconds <= kWindowSeconds) {
    out.audios.push_back(perceive(scene));
    return out;
  }
  out.form = ListeningForm::kLong;
  for (double from = 0; from < scene.seconds - 0.1; from += kWindowSeconds) {
    out.audios.push_back(perceive(scene, from, std::min(scene.seconds, from + kWindowSeconds)));
  }
  return out;
}

Listening listen_pair(const Scene& first, const Scene& second) {
  Listening out;
  out.form = ListeningForm::kPair;
  out.type = first.type;
  out.audios = {perceive(first), perceive(second)};
  return out;
}

Material collect_material(const std::vector<const Scene*>& scenes) {
  Material m;
  for (const SoundClass& c : sound_classes()) m.sounds.push_back({c.name, c.family});
  for (const WordCategory& category : word_categories()) {
    if (category.name != "digit") m.words.push_back(category.words);
  }
  for (const Scene* scene : scenes) {
    for (const Event& e : scene->events) {
      if (e.kind != EventKind::kSpeech) continue;
      add_unique(m.languages, e.language);
      add_unique(m.moods, e.mood);
      if (e.detail && !e.translation.empty()) m.translations[e.detail->translation_language].push_back(e.translation);
    }
    if (!scene->music) continue;
    if (!scene->music->instruments.empty()) add_unique(m.instruments, scene->music->instruments[0]);
    add_unique(m.music_moods, scene->music->mood);
    const std::pair metre{scene->music->meter, scene->music->feel};
    if (std::find(m.metres.begin(), m.metres.end(), metre) == m.metres.end()) m.metres.push_back(metre);
  }
  for (auto* list : {&m.languages, &m.moods, &m.instruments, &m.music_moods}) std::sort(list->begin(), list->end());
  std::sort(m.metres.begin(), m.metres.end());
  for (auto& [language, texts] : m.translations) {
    std::sort(texts.begin(), texts.end());
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  }
  return m;
}

const std::vector<NamedMaker>& question_makers() {
  static const std::vector<NamedMaker> all = [] {
    std::vector<NamedMaker> unsorted, out;
    for (auto* family : {&sound_makers, &speech_makers, &music_makers, &multi_makers, &turn_makers}) {
      for (NamedMaker& maker : (*family)()) unsorted.push_back(std::move(maker));
    }
    for (const Kind& kind : kinds()) {
      for (NamedMaker& maker : unsorted) {
        if (maker.kind == kind.name) out.push_back(maker);
      }
    }
    return out;
  }();
  return all;
}

std::string typed_question(const Draft& draft, Random& random) {
  if (draft.choices.empty() || !draft.lettered) return draft.question;
  // Most users write options in one line; the others teach that the layout does not matter.
  const double layout = random.uniform();
  const std::string between = layout < 0.8 ? " " : layout < 0.9 ? "\n" : ", ";
  std::string out = draft.question + (between == ", " ? " " : between);
  for (std::size_t i = 0; i < draft.choices.size(); ++i) {
    out += (i == 0 ? "" : between) + "(" + static_cast<char>('a' + i) + ") " + draft.choices[i];
  }
  return out;
}

Chain chain_of(const Draft& draft, const std::string& caption) {
  Chain chain;
  chain[Section::kPlanning] = draft.planning;
  chain[Section::kCaption] = caption;
  chain[Section::kReasoning] = draft.reasoning;
  chain[Section::kSummary] = draft.summary;
  chain[Section::kResponse] = draft.response;
  return chain;
}

std::string fill(std::string text, const std::vector<std::string>& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string slot = {'{', static_cast<char>('x' + i), '}'};
    for (std::size_t at = text.find(slot); at != std::string::npos; at = text.find(slot, at + values[i].size())) {
      text.replace(at, slot.size(), values[i]);
    }
  }
  return text;
}

std::string phrase(Random& random, const std::vector<const char*>& texts, const std::vector<std::string>& values) {
  return fill(random.pick(texts), values);
}

void set_options(Draft& draft, const std::string& gold, std::vector<std::string> others, Random& random) {
  draft.choices = std::move(others);
  draft.choices.push_back(gold);
  random.shuffle(draft.choices);
  draft.gold = static_cast<int>(std::find(draft.choices.begin(), draft.choices.end(), gold) - draft.choices.begin());
  draft.answer = gold;
}

// A chain repeats the options as the user typed them, each with its letter behind it, so that the letter of the answer is what
// followed the same name before: the one kind of look-up that a small model learns early. Not learned by nano: judging option
// by option ("(a) …: no."), naming the letter without a list, and lists in another order than the question's ("x (a), y (b)").
std::string listed_options(const Draft& draft) {
  std::string out;
  for (std::size_t i = 0; i < draft.choices.size(); ++i) {
    out += std::string(i == 0 ? "(" : " (") + static_cast<char>('a' + i) + ") " +
           with_letter(draft.choices[i], static_cast<int>(i));
  }
  return out + ".";
}

std::string with_letter(const std::string& choice, int index) {
  return short_name(choice) + " " + static_cast<char>('A' + index);
}

// "a waltz feel in 3/4" -> "waltz": time signatures end alike, so that the whole text would be a poor key.
std::string short_name(const std::string& choice) {
  if (choice.find(" feel in ") == std::string::npos) return choice;
  const std::size_t begin = choice.find(' ') + 1;
  return choice.substr(begin, choice.find(' ', begin) - begin);
}

std::string letters_of(const std::vector<std::string>& names, const Draft& draft) {
  std::string out;
  for (const std::string& name : names) {
    const auto at = std::find(draft.choices.begin(), draft.choices.end(), name) - draft.choices.begin();
    const bool found = at < static_cast<std::ptrdiff_t>(draft.choices.size());
    out += (out.empty() ? "" : ", ") + (found ? with_letter(name, static_cast<int>(at)) : name);
  }
  return out;
}

std::string option_step(const Draft& draft) { return "It is " + with_letter(draft.answer, draft.gold) + "."; }

std::string option_steps(const Draft& draft) { return listed_options(draft) + " " + option_step(draft); }

std::string letter_sentence(const Draft& draft) {
  return std::string("The answer is ") + static_cast<char>('A' + draft.gold) + ".";
}

void finish_choice(Draft& draft, const std::string& fact, const std::string& sentence) {
  draft.reasoning = fact + " " + option_steps(draft);
  draft.summary = sentence;
  draft.response = sentence + " " + letter_sentence(draft);
}

std::vector<std::string> other_sounds(const Listening& listening, const Material& material, const std::string& gold,
                                      Random& random) {
  std::vector<NamedSound> pool = absent_sounds(listening, material);
  const std::string family = family_of(material, gold);
  pool.erase(std::remove_if(pool.begin(), pool.end(), [&](const NamedSound& s) { return may_hold(s.name, gold); }), pool.end());
  random.shuffle(pool);
  const int near = random.between(1, 2);
  std::stable_sort(pool.begin(), pool.end(),
                   [&](const NamedSound& a, const NamedSound& b) { return (a.family == family) > (b.family == family); });
  std::vector<std::string> out;
  for (std::size_t i = 0; i < pool.size() && static_cast<int>(i) < near; ++i) out.push_back(pool[i].name);
  std::vector<NamedSound> rest(pool.begin() + static_cast<std::ptrdiff_t>(out.size()), pool.end());
  random.shuffle(rest);
  for (std::size_t i = 0; i < rest.size() && out.size() < 3; ++i) out.push_back(rest[i].name);
  return out;
}

std::string absent_sound(const Listening& listening, const Material& material, Random& random) {
  const std::vector<NamedSound> pool = absent_sounds(listening, material);
  if (pool.empty()) return {};
  const std::set<std::string> heard = heard_names(listening);
  if (random.chance(0.5) && !heard.empty()) {
    const std::vector<std::string> names(heard.begin(), heard.end());
    const std::string family = family_of(material, random.pick(names));
    std::vector<std::string> near;
    for (const NamedSound& s : pool) {
      if (s.family == family) near.push_back(s.name);
    }
    if (!near.empty()) return random.pick(near);
  }
  return random.pick(pool).name;
}

std::vector<std::string> pick_others(const std::vector<std::string>& pool, const std::vector<std::string>& not_these, int count,
                                     Random& random) {
  std::vector<std::string> out;
  for (const std::string& item : pool) {
    if (std::find(not_these.begin(), not_these.end(), item) == not_these.end()) out.push_back(item);
  }
  random.shuffle(out);
  if (static_cast<int>(out.size()) > count) out.resize(static_cast<std::size_t>(count));
  return out;
}

std::vector<Heard> sounds_of(const Perception& perception) {
  std::vector<Heard> out;
  for (const Heard& h : perception.heard) {
    if (h.kind == EventKind::kSound) out.push_back(h);
  }
  return out;
}

std::vector<std::string> names_of(const std::vector<Heard>& heard) {
  std::vector<std::string> out;
  for (const Heard& h : heard) out.push_back(h.name);
  return out;
}

// The steps below are look-ups of what followed the same word before, which a small model learns first. Learned badly: "The
// bell is at 2.0 s. The next sound, at 3.5 s, is rain." (the time stands before the name in a caption), a list of the times of
// one class alone (it listed all), and figures for places ("bell 2": nano counts on instead of looking up).
std::string place_word(std::size_t index) { return index < kPlaces.size() ? kPlaces[index] : std::to_string(index + 1); }

std::string in_places(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    out += (i == 0 ? "" : ", ") + ordinal(i) + " " + names[i] + " " + place_word(i);
  }
  return "In order: " + out + ".";
}

std::string neighbour_steps(const std::vector<Heard>& heard, std::size_t index, int step) {
  const std::size_t other = index + static_cast<std::size_t>(step);
  return in_places(names_of(heard)) + " To " + heard[index].name + " " + place_word(index) + " the " +
         (step > 0 ? "next" : "previous") + " is " + ordinal(other) + " " + heard[other].name + ".";
}

std::string span_of(const std::string& name, const Heard& h) {
  return "The " + name + ": " + half_seconds(h.from) + " to " + half_seconds(h.to) + " s. ";
}

std::string overlap_steps(const NamedSpan& a, const NamedSpan& b) {
  const bool in_order = a.heard.from <= b.heard.from;
  const NamedSpan &first = in_order ? a : b, &second = in_order ? b : a;
  return span_of(first.name, first.heard) + span_of(second.name, second.heard) + "The second starts at " +
         half_seconds(second.heard.from) + (second.heard.from < first.heard.to ? ", before " : ", not before ") +
         half_seconds(first.heard.to) + ".";
}

// The caption's lines once more, each with its length: "0.5 to 3.0 s: train 2.5 s. 4.0 to 4.5 s: bell 0.5 s." A caption's time
// stands before its name, and nano never learned to look it up by the name: it took another sound's time in two of three chains
// on lengths, and worked on with that. A copy line by line it does learn.
std::string lengths_by_line(const std::vector<Heard>& heard) {
  std::string out;
  for (const Heard& h : heard)
    out += half_seconds(h.from) + " to " + half_seconds(h.to) + " s: " + h.name + ' ' + half_seconds(h.to - h.from) + " s. ";
  return out;
}

std::string verdicts_on(const std::vector<std::string>& names, const std::string& wanted) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name + (name == wanted ? " yes" : " no");
  return "Wanted: " + wanted + " yes. I hear " + out + ".";
}

void finish_count_of(Draft& draft, const std::vector<Heard>& heard, const std::string& name) {
  int n = 0;
  std::string out;
  for (const Heard& h : heard) {
    out += (out.empty() ? "" : ", ") + h.name + (h.name == name ? " yes " + std::to_string(++n) : " no");
  }
  draft.answer = std::to_string(n);
  draft.reasoning = "Wanted: " + name + " yes. I hear " + out + ". That makes " + draft.answer + ".";
  draft.summary = "I count " + draft.answer + ".";
  draft.response = "I hear the " + name + " " + draft.answer + (n == 1 ? " time." : " times.");
}

std::string list_words(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " and " : ", ";
    out += words[i];
  }
  return out;
}

}  // namespace areason
