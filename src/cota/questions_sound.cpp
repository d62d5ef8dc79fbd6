// Questions about one clip of sound events. Every chain derives its answer from the caption's rounded times.
#include <algorithm>

#include "cota/question.h"

namespace areason {
namespace {

using Maybe = std::optional<Draft>;
constexpr double kClearStep = 0.4;    // seconds between starts that a listener can order
constexpr double kClearLonger = 0.7;  // seconds of difference between "longer" and "shorter"

bool is_sound_clip(const Listening& l) { return l.form == ListeningForm::kOne && l.type == SceneType::kSound; }

bool clearly_before(const Heard& a, const Heard& b) { return b.true_from - a.true_from >= kClearStep && b.from > a.from; }

bool all_in_clear_order(const std::vector<Heard>& heard) {
  for (std::size_t i = 1; i < heard.size(); ++i) {
    if (!clearly_before(heard[i - 1], heard[i])) return false;
  }
  return true;
}

int times_heard(const std::vector<Heard>& heard, const std::string& name) {
  return static_cast<int>(std::count_if(heard.begin(), heard.end(), [&](const Heard& h) { return h.name == name; }));
}

std::vector<std::string> unique_names(const std::vector<Heard>& heard) {
  std::vector<std::string> out;
  for (const Heard& h : heard) {
    if (std::find(out.begin(), out.end(), h.name) == out.end()) out.push_back(h.name);
  }
  return out;
}

// Wrong options for a question on time: the other sounds of the clip first, then sounds that are not heard.
std::vector<std::string> wrong_by_time(const Listening& l, const Material& m, const std::string& gold, Random& random) {
  std::vector<std::string> here = unique_names(sounds_of(l.audios[0]));
  here.erase(std::remove(here.begin(), here.end(), gold), here.end());
  random.shuffle(here);
  if (here.size() > 3) here.resize(3);
  for (const std::string& other : other_sounds(l, m, gold, random)) {
    if (here.size() < 3) here.push_back(other);
  }
  return here;
}

Maybe name_choice(const Listening& l, const Material& m, Random& random) {
  if (!is_sound_clip(l)) return {};
  const auto names = unique_names(sounds_of(l.audios[0]));
  if (names.empty()) return {};
  Draft d;
  d.question = phrase(
      random, {"Which of these sounds do you hear?", "Which of the following sounds is in the clip?",
               "What can be heard in this audio?", "Which sound occurs in the recording?", "Which of these is heard?",
               "What is the sound in this clip?", "Which sound is present in the audio?", "Choose the sound that you hear."});
  d.planning = phrase(random, {"I listen for the sounds and compare them with the options.",
                               "First I list the sounds, then I look for one among the options."});
  const std::string gold = random.pick(names);
  set_options(d, gold, other_sounds(l, m, gold, random), random);
  d.reasoning = listed_options(d) + " I hear " + letters_of(names, d) + ". " + option_step(d);
  d.summary = "I hear the " + gold + ".";
  d.response = d.summary + " " + letter_sentence(d);
  return d;
}

Maybe name_open(const Listening& l, const Material&, Random& random) {
  if (!is_sound_clip(l)) return {};
  const auto names = unique_names(sounds_of(l.audios[0]));
  if (names.size() != 1) return {};
  const bool behind = !l.audios[0].background.empty();
  Draft d;
  d.question = behind ? phrase(random, {"What sound is in the foreground?", "Which sound stands out from the background?",
                                        "What is the main sound?", "What do you hear in front of the background?"})
                      : phrase(random, {"What sound is this?", "What is this sound?", "Name the sound.", "What do you hear?",
                                        "Which sound do you hear?", "What makes this sound?", "What is the sound in this clip?",
                                        "Identify the sound."});
  d.planning = phrase(random, {"I listen and name the sound.", "I look for the one sound that stands out."});
  d.answer = names[0];
  d.reasoning = "The only sound" + std::string(behind ? " before the background" : "") + " is " + names[0] + ".";
  d.summary = "The sound is " + names[0] + ".";
  d.response = "It is the " + names[0] + ".";
  return d;
}

Draft count_one(const std::vector<Heard>& heard, const std::string& name, Random& random) {
  Draft d;
  d.question = phrase(
      random,
      {"How many times do you hear the {x}?", "How often does the {x} occur?", "Count the {x}.",
       "How many times is there a {x}?", "How many times does the {x} sound?", "What is the number of times the {x} is heard?"},
      {name});
  d.planning = phrase(random, {"I list the sounds and count the {x}.", "I look for each {x} and count."}, {name});
  finish_count_of(d, heard, name);
  return d;
}

Draft count_all(const std::vector<Heard>& heard, bool behind, Random& random) {
  Draft d;
  d.question = phrase(random, {"How many sounds do you hear?", "How many sound events are there?", "Count the sounds.",
                               "How many separate sounds occur in the clip?", "What is the number of sounds in the audio?",
                               "How many sounds are in this recording?"});
  if (behind) d.question.insert(d.question.size() - 1, ", not counting the background");
  d.planning = phrase(random, {"I list the sounds and count them.", "I go through the sounds one by one and count."});
  for (std::size_t i = 0; i < heard.size(); ++i) {
    d.reasoning += (i == 0 ? "" : ", ") + std::to_string(i + 1) + " " + heard[i].name;
  }
  d.answer = std::to_string(heard.size());
  d.reasoning += ". That makes " + d.answer + ".";
  d.summary = "I count " + d.answer + ".";
  d.response = heard.size() == 1 ? "There is 1 sound." : "There are " + d.answer + " sounds.";
  return d;
}

Maybe count(const Listening& l, const Material&, Random& random) {
  if (!is_sound_clip(l)) return {};
  const auto heard = sounds_of(l.audios[0]);
  if (heard.empty()) return {};
  std::vector<std::string> repeated, names = unique_names(heard);
  for (const std::string& name : names) {
    if (times_heard(heard, name) > 1) repeated.push_back(name);
  }
  if (!repeated.empty() && random.chance(0.6)) return count_one(heard, random.pick(repeated), random);
  if (heard.size() > 1 && random.chance(0.2)) return count_one(heard, random.pick(names), random);
  return count_all(heard, !l.audios[0].background.empty(), random);
}

std::string in_order(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

// The first two names tell the options apart: only the right one begins with one and two.
std::string order_steps(const Draft& d, const std::vector<std::string>& heard,
                        const std::vector<std::vector<std::string>>& orders) {
  const auto place = [&](const std::string& name) {
    return name + " " + place_word(static_cast<std::size_t>(std::find(heard.begin(), heard.end(), name) - heard.begin()));
  };
  std::string out;
  for (std::size_t i = 0; i < orders.size(); ++i) {
    out +=
        std::string(i == 0 ? "(" : " (") + static_cast<char>('a' + i) + ") " + place(orders[i][0]) + ", " + place(orders[i][1]);
    out += static_cast<int>(i) == d.gold ? std::string(" right ") + static_cast<char>('A' + i) : " wrong";
  }
  return out + ". It is right " + static_cast<char>('A' + d.gold) + ".";
}

bool same_start(const std::vector<std::string>& a, const std::vector<std::string>& b) { return a[0] == b[0] && a[1] == b[1]; }

Maybe order(const Listening& l, const Material&, Random& random) {
  if (!is_sound_clip(l)) return {};
  const auto heard = sounds_of(l.audios[0]);
  const auto gold = names_of(heard);
  if (heard.size() < 3 || heard.size() > 4 || unique_names(heard).size() != heard.size() || !all_in_clear_order(heard))
    return {};
  std::vector<std::vector<std::string>> orders = {gold};
  while (orders.size() < 4) {
    auto other = gold;
    random.shuffle(other);
    if (std::none_of(orders.begin(), orders.end(), [&](const auto& o) { return same_start(o, other); }))
      orders.push_back(other);
  }
  random.shuffle(orders);
  Draft d;
  d.question = phrase(
      random, {"In which order do the sounds occur?", "What is the order of the sounds?",
               "Which is the correct order of the sounds?", "Sort the sounds by time.", "Which sequence matches the audio?",
               "In what order do you hear the sounds?", "Choose the right sequence of sounds."});
  d.planning = phrase(random, {"I note when each sound starts and compare the order with the options.",
                               "I write down the sounds in order and look for the option that agrees."});
  for (const auto& o : orders) d.choices.push_back(in_order(o));
  d.gold = static_cast<int>(std::find(orders.begin(), orders.end(), gold) - orders.begin());
  d.answer = in_order(gold);
  d.reasoning = in_places(gold) + " " + order_steps(d, gold, orders);
  d.summary = "The order is " + d.answer + ".";
  d.response = d.summary + " " + letter_sentence(d);
  return d;
}

// The fact that the first, last, next or previous sound is `gold`.
struct TimeFact {
  std::string gold, fact, sentence;
};
using FindFact = std::optional<TimeFact> (*)(const std::vector<Heard>&, Random&, std::string& asked);

std::optional<TimeFact> first_fact(const std::vector<Heard>& heard, Random&, std::string&) {
  if (heard.size() < 2 || !clearly_before(heard[0], heard[1])) return {};
  const Heard& h = heard[0];
  return TimeFact{h.name, "The first sound, at " + half_seconds(h.from) + " s, is " + h.name + ".",
                  "The first sound is the " + h.name + "."};
}

std::optional<TimeFact> last_fact(const std::vector<Heard>& heard, Random&, std::string&) {
  if (heard.size() < 2 || !clearly_before(heard[heard.size() - 2], heard.back())) return {};
  const Heard& h = heard.back();
  for (const Heard& other : heard) {
    if (other.true_to > h.true_to) return {};  // it starts last but does not end last
  }
  return TimeFact{h.name, "The last sound, at " + half_seconds(h.from) + " s, is " + h.name + ".",
                  "The last sound is the " + h.name + "."};
}

std::optional<TimeFact> neighbour_fact(const std::vector<Heard>& heard, Random& random, std::string& asked, int step) {
  std::vector<std::size_t> possible;
  for (std::size_t i = 0; i < heard.size(); ++i) {
    const auto next = static_cast<std::ptrdiff_t>(i) + step;
    if (next < 0 || next >= static_cast<std::ptrdiff_t>(heard.size())) continue;
    if (times_heard(heard, heard[i].name) == 1) possible.push_back(i);
  }
  if (possible.empty() || !all_in_clear_order(heard)) return {};
  const Heard& x = heard[random.pick(possible)];
  const Heard& y = *(&x + step);
  asked = x.name;
  const bool after = step > 0;
  return TimeFact{y.name, neighbour_steps(heard, static_cast<std::size_t>(&x - heard.data()), step),
                  (after ? "After the " : "Before the ") + x.name + " comes the " + y.name + "."};
}

std::optional<TimeFact> after_fact(const std::vector<Heard>& heard, Random& random, std::string& asked) {
  return neighbour_fact(heard, random, asked, 1);
}
std::optional<TimeFact> before_fact(const std::vector<Heard>& heard, Random& random, std::string& asked) {
  return neighbour_fact(heard, random, asked, -1);
}

struct TimeWording {
  std::vector<const char*> questions, plannings;
};
const TimeWording kFirst = {
    {"Which sound comes first?", "What is the first sound?", "What do you hear first?", "Which sound occurs at the beginning?",
     "With which sound does the clip begin?", "Which sound starts first?"},
    {"I list the sounds in order and take the first.", "I look for the sound with the earliest start."}};
const TimeWording kLast = {
    {"Which sound comes last?", "What is the last sound?", "What do you hear last?", "Which sound occurs at the end?",
     "With which sound does the clip end?", "Which is the final sound?"},
    {"I list the sounds in order and take the last.", "I look for the sound with the latest start."}};
const TimeWording kAfter = {
    {"Which sound comes right after the {x}?", "What do you hear right after the {x}?", "What follows the {x}?",
     "What is the next sound after the {x}?", "Which sound follows the {x}?", "What comes after the {x}?"},
    {"I find the {x} and take the next sound.", "I list the sounds and see what follows the {x}."}};
const TimeWording kBefore = {
    {"Which sound comes right before the {x}?", "What do you hear right before the {x}?", "What precedes the {x}?",
     "Which sound precedes the {x}?", "What comes before the {x}?", "What is the sound just before the {x}?"},
    {"I find the {x} and take the sound before it.", "I list the sounds and see what precedes the {x}."}};

QuestionMaker time_maker(FindFact find, const TimeWording& wording, Ask ask) {
  return [find, &wording, ask](const Listening& l, const Material& m, Random& random) -> Maybe {
    if (!is_sound_clip(l)) return {};
    std::string asked;
    const auto fact = find(sounds_of(l.audios[0]), random, asked);
    if (!fact) return {};
    Draft d;
    d.question = phrase(random, wording.questions, {asked});
    d.planning = phrase(random, wording.plannings, {asked});
    if (ask == Ask::kOptions) {
      auto wrong = wrong_by_time(l, m, fact->gold, random);
      if (asked != fact->gold && !asked.empty() && random.chance(0.5)) {
        wrong.erase(std::remove(wrong.begin(), wrong.end(), asked), wrong.end());  // the named sound is too easy to rule out
        for (const std::string& other : other_sounds(l, m, fact->gold, random)) {
          if (wrong.size() < 3 && std::find(wrong.begin(), wrong.end(), other) == wrong.end()) wrong.push_back(other);
        }
      }
      set_options(d, fact->gold, wrong, random);
      finish_choice(d, fact->fact, fact->sentence);
    } else {
      d.answer = fact->gold;
      d.reasoning = fact->fact;
      d.summary = fact->sentence;
      d.response = asked.empty() ? fact->sentence : "It is the " + fact->gold + ".";
    }
    return d;
  };
}

Maybe presence(const Listening& l, const Material& m, Random& random) {
  if (!is_sound_clip(l)) return {};
  auto names = unique_names(sounds_of(l.audios[0]));
  if (names.empty()) return {};
  if (!l.audios[0].background.empty()) names.push_back(l.audios[0].background);
  const bool yes = random.chance(0.5);
  const std::string asked = yes ? random.pick(names) : absent_sound(l, m, random);
  if (asked.empty()) return {};
  Draft d;
  d.question = phrase(random,
                      {"Do you hear the {x}?", "Is there a sound of {x}?", "Is the {x} in the clip?", "Can you hear the {x}?",
                       "Does the audio contain the {x}?", "Is the {x} present in the recording?", "Does the {x} occur?"},
                      {asked});
  d.planning = phrase(random, {"I list the sounds and look for the {x}.", "I check each sound for the {x}."}, {asked});
  d.answer = yes ? "yes" : "no";
  d.reasoning = verdicts_on(names, asked) + " It is " + (yes ? "there." : "not there.");
  d.summary = "The " + asked + (yes ? " is there." : " is not there.");
  d.response = yes ? "Yes, I hear the " + asked + "." : "No, I do not hear the " + asked + ".";
  return d;
}

// Pairs of sounds that occur once each.
std::vector<std::pair<Heard, Heard>> single_pairs(const std::vector<Heard>& heard) {
  std::vector<std::pair<Heard, Heard>> out;
  for (std::size_t i = 0; i < heard.size(); ++i) {
    for (std::size_t k = i + 1; k < heard.size(); ++k) {
      if (times_heard(heard, heard[i].name) == 1 && times_heard(heard, heard[k].name) == 1)
        out.emplace_back(heard[i], heard[k]);
    }
  }
  return out;
}

// 1 for a clear overlap, 0 for clearly none, -1 when rounding hides it.
int overlap_of(const Heard& a, const Heard& b) {
  const double common = std::min(a.true_to, b.true_to) - b.true_from;
  if (common >= 0.4 && b.from < a.to) return 1;
  if (common <= -0.2 && b.from >= a.to) return 0;
  return -1;
}

Maybe overlap(const Listening& l, const Material&, Random& random) {
  if (!is_sound_clip(l)) return {};
  std::vector<std::pair<Heard, Heard>> yes_pairs, no_pairs;
  for (const auto& pair : single_pairs(sounds_of(l.audios[0]))) {
    const int overlapping = overlap_of(pair.first, pair.second);
    if (overlapping >= 0) (overlapping == 1 ? yes_pairs : no_pairs).push_back(pair);
  }
  // Clips without an overlap are more frequent: ask fewer of them.
  if (yes_pairs.empty() && (no_pairs.empty() || !random.chance(0.5))) return {};
  const bool yes = !yes_pairs.empty() && (no_pairs.empty() || random.chance(0.8));
  const auto [a, b] = random.pick(yes ? yes_pairs : no_pairs);
  const bool swapped = random.chance(0.5);
  Draft d;
  d.question = phrase(random,
                      {"Do the {x} and the {y} overlap?", "Do you hear the {x} and the {y} at the same time?",
                       "Do the {x} and the {y} occur together in time?", "Is there a moment with both the {x} and the {y}?",
                       "Do the {x} and the {y} sound at the same time?", "Does the {x} overlap with the {y}?"},
                      swapped ? std::vector{b.name, a.name} : std::vector{a.name, b.name});
  d.planning = phrase(random, {"I compare the times of the two sounds.", "I see whether one starts before the other ends."});
  d.answer = yes ? "yes" : "no";
  d.reasoning = overlap_steps({a.name, a}, {b.name, b});
  d.summary = yes ? "They overlap." : "They do not overlap.";
  d.response = yes ? "Yes, they overlap." : "No, they do not overlap.";
  return d;
}

Maybe longer(const Listening& l, const Material&, Random& random) {
  if (!is_sound_clip(l)) return {};
  std::vector<std::pair<Heard, Heard>> possible;
  for (const auto& [a, b] : single_pairs(sounds_of(l.audios[0]))) {
    const double exact = (a.true_to - a.true_from) - (b.true_to - b.true_from);
    const int rounded = (a.to - a.from) - (b.to - b.from);
    if (std::abs(exact) >= kClearLonger && rounded != 0 && (rounded > 0) == (exact > 0)) possible.emplace_back(a, b);
  }
  if (possible.empty()) return {};
  auto [a, b] = random.pick(possible);
  if (random.chance(0.5)) std::swap(a, b);
  Draft d;
  d.question = phrase(random,
                      {"Which lasts longer, the {x} or the {y}?", "Which is longer, the {x} or the {y}?",
                       "Does the {x} or the {y} last longer?", "Which sound goes on for longer, the {x} or the {y}?",
                       "Which has the longer duration, the {x} or the {y}?", "Is the {x} or the {y} longer?"},
                      {a.name, b.name});
  d.planning = phrase(random, {"I work out how long each of the two lasts.", "I compare the lengths of the two sounds."});
  d.choices = {a.name, b.name};
  d.lettered = false;
  d.gold = a.to - a.from > b.to - b.from ? 0 : 1;
  d.answer = d.choices[static_cast<std::size_t>(d.gold)];
  // Not learned: the two lengths once more ("The bell 0.5 s, the train 2.5 s. 2.5 is more than 0.5."), looked up by the names.
  d.reasoning = lengths_by_line(sounds_of(l.audios[0])) + "Of the " + a.name + " and the " + b.name + " the longer is the " +
                d.answer + ".";
  d.summary = "The " + d.answer + " is longer.";
  d.response = "The " + d.answer + " lasts longer.";
  return d;
}

}  // namespace

std::vector<NamedMaker> sound_makers() {
  return {{"sound-name", name_choice},
          {"sound-name-open", name_open},
          {"sound-count", count},
          {"sound-order", order},
          {"sound-first", time_maker(first_fact, kFirst, Ask::kOptions)},
          {"sound-last", time_maker(last_fact, kLast, Ask::kOptions)},
          {"sound-after", time_maker(after_fact, kAfter, Ask::kOptions)},
          {"sound-before", time_maker(before_fact, kBefore, Ask::kOptions)},
          {"sound-first-open", time_maker(first_fact, kFirst, Ask::kOpen)},
          {"sound-last-open", time_maker(last_fact, kLast, Ask::kOpen)},
          {"sound-after-open", time_maker(after_fact, kAfter, Ask::kOpen)},
          {"sound-presence", presence},
          {"sound-overlap", overlap},
          {"sound-longer", longer}};
}

}  // namespace areason
