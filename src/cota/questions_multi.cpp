// Questions about mixed clips (speech or music with sounds), about two clips, about recordings over 30 s, and descriptions.
#include <algorithm>

#include "cota/question.h"

namespace areason {
namespace {

using Maybe = std::optional<Draft>;

bool contains(const std::vector<std::string>& list, const std::string& item) {
  return std::find(list.begin(), list.end(), item) != list.end();
}

std::vector<std::string> unique_sounds(const Perception& p) {
  std::vector<std::string> out;
  for (const Heard& h : sounds_of(p)) {
    if (!contains(out, h.name)) out.push_back(h.name);
  }
  return out;
}

bool hears(const Perception& p, EventKind kind) {
  return std::any_of(p.heard.begin(), p.heard.end(), [&](const Heard& h) { return h.kind == kind; });
}

// "speech", "music" or "" for a clip that is not mixed.
std::string main_part(const Listening& l) {
  if (l.form != ListeningForm::kOne || l.type != SceneType::kMixed) return {};
  if (hears(l.audios[0], EventKind::kSpeech)) return "speech";
  return hears(l.audios[0], EventKind::kMusic) ? "music" : "";
}

Maybe mixed_sound(const Listening& l, const Material& m, Random& random) {
  const std::string part = main_part(l);
  const auto names = part.empty() ? std::vector<std::string>() : unique_sounds(l.audios[0]);
  if (names.empty()) return {};
  const std::string gold = random.pick(names);
  const auto others = other_sounds(l, m, gold, random);
  if (others.size() < 3) return {};
  Draft d;
  d.question = phrase(random,
                      {"Which sound do you hear besides the {x}?", "What else do you hear apart from the {x}?",
                       "Which sound accompanies the {x}?", "Which of these sounds is in the clip together with the {x}?",
                       "Apart from the {x}, which sound occurs?", "What sound is mixed with the {x}?"},
                      {part});
  d.planning = phrase(random, {"I set the {x} aside and name the other sound.", "I list what I hear besides the {x}."}, {part});
  set_options(d, gold, others, random);
  d.summary = "Besides the " + part + " I hear the " + gold + ".";
  d.reasoning = listed_options(d) + " Besides the " + part + " I hear " + letters_of(names, d) + ". " + option_step(d);
  d.response = d.summary + " " + letter_sentence(d);
  return d;
}

// 1: clearly during, 0: clearly not, -1: unclear.
int during(const Heard& sound, const std::vector<Heard>& main) {
  bool clear_of_all = true;
  for (const Heard& h : main) {
    const double common = std::min(sound.true_to, h.true_to) - std::max(sound.true_from, h.true_from);
    if (common >= 0.4 && sound.from < h.to && h.from < sound.to) return 1;
    if (common > -0.2 || !(sound.from >= h.to || h.from >= sound.to)) clear_of_all = false;
  }
  return clear_of_all ? 0 : -1;
}

Maybe mixed_during(const Listening& l, const Material&, Random& random) {
  const std::string part = main_part(l);
  if (part.empty()) return {};
  const auto sounds = sounds_of(l.audios[0]);
  std::vector<Heard> main, yes_sounds, no_sounds;
  for (const Heard& h : l.audios[0].heard) {
    if (h.kind == (part == "speech" ? EventKind::kSpeech : EventKind::kMusic)) main.push_back(h);
  }
  for (const Heard& h : sounds) {
    const auto same = std::count_if(sounds.begin(), sounds.end(), [&](const Heard& o) { return o.name == h.name; });
    const int state = during(h, main);
    if (same == 1 && state >= 0) (state == 1 ? yes_sounds : no_sounds).push_back(h);
  }
  if (main.size() != 1 || (yes_sounds.empty() && no_sounds.empty())) return {};
  const bool yes = !yes_sounds.empty() && (no_sounds.empty() || random.chance(0.4));
  const Heard h = random.pick(yes ? yes_sounds : no_sounds);
  Draft d;
  d.question = phrase(random,
                      {"Does the {x} occur during the {y}?", "Is the {x} heard while the {y} goes on?",
                       "Do you hear the {x} at the same time as the {y}?", "Does the {x} overlap with the {y}?",
                       "Is there {y} while the {x} sounds?", "Do the {x} and the {y} overlap?"},
                      {h.name, part});
  d.planning = phrase(random, {"I compare the times of the {x} and the {y}.", "I see whether the {x} lies within the {y}."},
                      {h.name, part});
  d.answer = yes ? "yes" : "no";
  d.reasoning = overlap_steps({part, main[0]}, {h.name, h});
  d.summary = yes ? "They overlap." : "They do not overlap.";
  d.response = yes ? "Yes, they overlap." : "No, they do not overlap.";
  return d;
}

Maybe mixed_presence(const Listening& l, const Material&, Random& random) {
  if (l.form != ListeningForm::kOne || l.type == SceneType::kLong) return {};
  if (l.type != SceneType::kMixed && !random.chance(0.15)) return {};
  const std::string asked = random.chance(0.5) ? "speech" : "music";
  const bool yes = hears(l.audios[0], asked == "speech" ? EventKind::kSpeech : EventKind::kMusic);
  std::vector<std::string> names = unique_sounds(l.audios[0]);
  if (hears(l.audios[0], EventKind::kMusic)) names.insert(names.begin(), "music");
  if (hears(l.audios[0], EventKind::kSpeech)) names.insert(names.begin(), "speech");
  if (names.empty()) return {};
  // A drum or a bell by itself might pass for music.
  if (!yes && asked == "music" &&
      (contains(names, "drum") || contains(names, "cymbal") || contains(names, "bell") || contains(names, "horn signal") ||
       contains(names, "record scratch"))) {
    return {};
  }
  if (!yes && asked == "speech" &&
      (contains(names, "crowd") || contains(names, "laughter") || l.audios[0].background == "crowd"))
    return {};
  Draft d;
  d.question =
      asked == "speech"
          ? phrase(random, {"Is there speech in the clip?", "Does anybody speak?", "Do you hear speech?",
                            "Is somebody talking?", "Does the audio contain speech?", "Can you hear a voice speaking?"})
          : phrase(random, {"Is there music in the clip?", "Do you hear music?", "Does the audio contain music?",
                            "Is music playing?", "Can you hear any music?", "Is there music in the recording?"});
  d.planning = phrase(random, {"I list what I hear and look for {x}.", "I check whether there is {x}."}, {asked});
  d.answer = yes ? "yes" : "no";
  d.reasoning = "I hear " + list_words(names) + ". There is " + (yes ? "" : "no ") + asked + " among them.";
  d.summary = std::string("There is ") + (yes ? "" : "no ") + asked + ".";
  d.response = yes ? "Yes, there is " + asked + "." : "No, there is no " + asked + ".";
  return d;
}

bool is_pair(const Listening& l) { return l.form == ListeningForm::kPair && l.audios.size() == 2; }

Maybe pair_same(const Listening& l, const Material&, Random& random) {
  if (!is_pair(l)) return {};
  const auto a = unique_sounds(l.audios[0]), b = unique_sounds(l.audios[1]);
  if (a.size() != 1 || b.size() != 1 || l.audios[0].background == b[0] || l.audios[1].background == a[0]) return {};
  const bool yes = a == b;
  Draft d;
  d.question = phrase(random, {"Do both clips have the same sound?", "Is the sound of the two clips the same?",
                               "Are the two sounds of the same kind?", "Do the two audios hold the same sound?",
                               "Is it the same sound in both clips?", "Do you hear the same sound in both audios?"});
  d.planning = phrase(random, {"I name the sound of each clip and compare.", "I compare the sounds of the two clips."});
  d.answer = yes ? "yes" : "no";
  d.reasoning = verdicts_on(b, a[0]) + (yes ? " That is the same." : " That is not the same.");
  d.summary = yes ? "The sounds are the same." : "The sounds are different.";
  d.response =
      yes ? "Yes, both are the " + a[0] + "." : "No, the first is the " + a[0] + " and the second is the " + b[0] + ".";
  return d;
}

void either_audio(Draft& d, int gold) {
  d.choices = {"audio 1", "audio 2"};
  d.lettered = false;
  d.gold = gold;
  d.answer = d.choices[static_cast<std::size_t>(gold)];
}

// "3 dog bark, 4 rain": goes on counting from `n`.
std::string numbered(const std::vector<std::string>& names, int& n) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + std::to_string(++n) + " " + name;
  return out.empty() ? "none" : out;
}

Maybe pair_more(const Listening& l, const Material&, Random& random) {
  if (!is_pair(l)) return {};
  const auto a = names_of(sounds_of(l.audios[0])), b = names_of(sounds_of(l.audios[1]));
  if (a.size() == b.size() || a.empty() || b.empty()) return {};
  Draft d;
  d.question = phrase(
      random, {"Which has more sounds, audio 1 or audio 2?", "In which audio are there more sounds, audio 1 or audio 2?",
               "Which of the two clips has more sounds, audio 1 or audio 2?", "Does audio 1 or audio 2 have more sounds?",
               "Where do you hear more sounds, in audio 1 or audio 2?", "Which holds more sound events, audio 1 or audio 2?"});
  d.planning =
      phrase(random, {"I count the sounds of each audio and compare.", "I count in both clips and take the larger number."});
  either_audio(d, a.size() > b.size() ? 0 : 1);
  int n = 0, k = 0;
  const std::string first = numbered(a, n), second = numbered(b, k);
  d.reasoning = "Audio 1: " + first + ". Audio 2: " + second + ". " + std::to_string(std::max(n, k)) + " is more than " +
                std::to_string(std::min(n, k)) + ".";
  d.summary = std::string("Audio ") + (d.gold == 0 ? "1" : "2") + " has more.";
  d.response = std::string("There are more sounds in audio ") + (d.gold == 0 ? "1." : "2.");
  return d;
}

// In which of two audios is a sound that is only in one of them.
Maybe where(const Listening& l, Random& random, const std::vector<const char*>& questions) {
  std::vector<std::pair<std::string, int>> possible;
  for (int i = 0; i < 2; ++i) {
    const Perception& here = l.audios[static_cast<std::size_t>(i)];
    const Perception& there = l.audios[static_cast<std::size_t>(1 - i)];
    for (const std::string& name : unique_sounds(here)) {
      if (!contains(unique_sounds(there), name) && there.background != name) possible.emplace_back(name, i);
    }
  }
  if (possible.empty()) return {};
  const auto [name, gold] = random.pick(possible);
  const auto a = unique_sounds(l.audios[0]), b = unique_sounds(l.audios[1]);
  Draft d;
  d.question = phrase(random, questions, {name});
  d.planning = phrase(random, {"I look for the {x} in each audio.", "I list the sounds of both and look for the {x}."}, {name});
  either_audio(d, gold);
  // "one" and "two", because a figure behind a name is its place or its count elsewhere.
  const auto marked_names = [](const std::vector<std::string>& names, const char* audio) {
    std::string out;
    for (const std::string& n : names) out += (out.empty() ? "" : ", ") + n + " " + audio;
    return out.empty() ? std::string("no sounds ") + audio : out;
  };
  d.reasoning = marked_names(a, "one") + "; " + marked_names(b, "two") + ". It is " + name + (gold == 0 ? " one." : " two.");
  d.summary = "The " + name + " is in audio " + (gold == 0 ? "1." : "2.");
  d.response = d.summary;
  return d;
}

Maybe pair_where(const Listening& l, const Material&, Random& random) {
  if (!is_pair(l)) return {};
  return where(l, random,
               {"In which audio do you hear the {x}, audio 1 or audio 2?", "Is the {x} in audio 1 or audio 2?",
                "Which of the two clips has the {x}, audio 1 or audio 2?", "Where is the {x}, in audio 1 or audio 2?",
                "Which audio contains the {x}, audio 1 or audio 2?", "Does audio 1 or audio 2 have the {x}?"});
}

bool is_long(const Listening& l) { return l.form == ListeningForm::kLong && l.audios.size() == 2; }

bool any_cut(const Listening& l) {
  for (const Perception& p : l.audios) {
    if (std::any_of(p.heard.begin(), p.heard.end(), [](const Heard& h) { return h.cut; })) return true;
  }
  return false;
}

Maybe long_where(const Listening& l, const Material&, Random& random) {
  if (!is_long(l) || any_cut(l)) return {};
  return where(
      l, random,
      {"In which part of the recording is the {x}, audio 1 or audio 2?", "Does the {x} occur in audio 1 or in audio 2?",
       "When do you hear the {x}, in the first part (audio 1) or in the second (audio 2)?",
       "Is the {x} in audio 1 or audio 2 of this recording?", "Which part has the {x}, audio 1 or audio 2?"});
}

Maybe long_count(const Listening& l, const Material&, Random& random) {
  if (!is_long(l) || any_cut(l)) return {};
  const auto a = names_of(sounds_of(l.audios[0])), b = names_of(sounds_of(l.audios[1]));
  const bool behind = !l.audios[0].background.empty() || !l.audios[1].background.empty();
  if (a.size() + b.size() == 0 || a.size() + b.size() > 12) return {};
  Draft d;
  d.question = phrase(random, {"How many sounds are there in the whole recording?", "How many sounds do you hear in all?",
                               "Count the sounds of the whole recording.", "How many sound events are there in total?",
                               "What is the number of sounds in the whole recording?"});
  if (behind) d.question.insert(d.question.size() - 1, ", not counting the background");
  d.planning = phrase(random, {"I list the sounds of both parts and count on.", "I count through both parts."});
  int n = 0;
  const std::string first = numbered(a, n), second = numbered(b, n);
  d.answer = std::to_string(n);
  d.reasoning = "Audio 1: " + first + ". Audio 2: " + second + ". That makes " + d.answer + ".";
  d.summary = "I count " + d.answer + ".";
  d.response = n == 1 ? "There is 1 sound." : "There are " + d.answer + " sounds.";
  return d;
}

Maybe long_last(const Listening& l, const Material& m, Random& random) {
  if (!is_long(l)) return {};
  const auto& heard = l.audios[1].heard;
  if (heard.empty() || heard.back().kind != EventKind::kSound || heard.back().cut) return {};
  const Heard& last = heard.back();
  for (std::size_t i = 0; i + 1 < heard.size(); ++i) {
    if (heard[i].true_to > last.true_to || last.true_from - heard[i].true_from < 0.4) return {};
  }
  auto elsewhere = unique_sounds(l.audios[0]);
  for (const std::string& name : unique_sounds(l.audios[1])) elsewhere.push_back(name);
  auto others = pick_others(elsewhere, {last.name}, random.between(1, 2), random);
  for (const std::string& other : other_sounds(l, m, last.name, random)) {
    if (others.size() < 3) others.push_back(other);
  }
  std::sort(others.begin(), others.end());
  others.erase(std::unique(others.begin(), others.end()), others.end());
  if (others.size() < 3) return {};
  Draft d;
  d.question = phrase(random, {"Which is the last sound of the whole recording?", "With which sound does the recording end?",
                               "What do you hear last in the recording?", "Which sound ends the whole recording?",
                               "What is the final sound of the recording?"});
  d.planning = phrase(random, {"I take the last sound of the last part.", "I look at the end of audio 2."});
  set_options(d, last.name, others, random);
  d.summary = "The last sound is the " + last.name + ".";
  d.reasoning = "The last sound of audio 2, at " + half_seconds(last.from) + " s, is " + last.name + ". " + option_steps(d);
  d.response = d.summary + " " + letter_sentence(d);
  return d;
}

Maybe describe(const Listening& l, const Material&, Random& random) {
  // Its answer repeats the caption, which every other chain holds too: a few are enough.
  if (l.form == ListeningForm::kPair || !random.chance(0.12)) return {};
  Draft d;
  d.question = phrase(random, {"Describe the audio.", "Describe what you hear.", "What happens in this audio?",
                               "What is in this recording?", "Tell me what you hear.", "Give a description of the clip."});
  d.planning = phrase(random, {"I list what I hear in order.", "I describe what I hear from start to end."});
  d.answer = d.response = l.caption();
  d.reasoning = "The list is complete, so I give it as the answer.";
  d.summary = "I describe what I hear.";
  return d;
}

}  // namespace

std::vector<NamedMaker> multi_makers() {
  return {{"mixed-sound", mixed_sound}, {"mixed-during", mixed_during}, {"mixed-presence", mixed_presence},
          {"pair-same", pair_same},     {"pair-more", pair_more},       {"pair-where", pair_where},
          {"long-where", long_where},   {"long-count", long_count},     {"long-last", long_last},
          {"describe", describe}};
}

}  // namespace areason
