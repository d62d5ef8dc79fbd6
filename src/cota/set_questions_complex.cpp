// Questions about Complex Audio: tracks beneath, durations, places, loudness. Answers follow from the caption.
#include <algorithm>
#include <map>

#include "cota/set_questions.h"

namespace areason {
namespace {

using Maybe = std::optional<Draft>;

bool is_complex(const Listening& l) { return l.set == "complex_audio" && l.form == ListeningForm::kOne; }

std::vector<std::string> unique_names(const std::vector<Heard>& heard) {
  std::vector<std::string> out;
  for (const Heard& h : heard) {
    if (std::find(out.begin(), out.end(), h.name) == out.end()) out.push_back(h.name);
  }
  return out;
}

int times_of(const std::vector<Heard>& heard, const std::string& name) {
  return static_cast<int>(std::count_if(heard.begin(), heard.end(), [&](const Heard& h) { return h.name == name; }));
}

// The other sounds of the clip first, then sounds that are not heard.
std::vector<std::string> wrong_ones(const Listening& l, const Material& m, const std::string& gold, Random& random) {
  std::vector<std::string> out = unique_names(sounds_of(l.audios[0]));
  std::erase(out, gold);
  random.shuffle(out);
  if (out.size() > 2) out.resize(2);
  for (const std::string& other : other_sounds(l, m, gold, random)) {
    if (out.size() < 3) out.push_back(other);
  }
  return out;
}

Maybe background(const Listening& l, const Material& m, Random& random) {
  if (!is_complex(l) || l.audios[0].background.empty()) return {};
  const auto names = unique_names(sounds_of(l.audios[0]));
  if (names.empty()) return {};
  const std::string gold = l.audios[0].background, over = random.pick(names);
  Draft d;
  d.question = phrase(random,
                      {"Given that you hear the {x}, identify the background sound.", "Which sound lies beneath the {x}?",
                       "What goes on in the background while the {x} is heard?",
                       "Besides the {x}, what is the sound behind it?", "Take away the {x}: which sound remains all the time?"},
                      {over});
  d.planning = phrase(random,
                      {"I set the {x} aside and listen for what goes on beneath it.",
                       "I separate what comes and goes from what is there all the time."},
                      {over});
  set_options(d, gold, wrong_ones(l, m, gold, random), random);
  finish_choice(d, "The {x} comes and goes; what is there all the time is the background.",
                "The background is the " + gold + ".");
  d.reasoning = fill(d.reasoning, {over});
  return d;
}

Maybe foreground(const Listening& l, const Material& m, Random& random) {
  if (!is_complex(l) || l.audios[0].background.empty()) return {};
  const auto names = unique_names(sounds_of(l.audios[0]));
  if (names.empty()) return {};
  const std::string gold = random.pick(names);
  Draft d;
  d.question = phrase(random,
                      {"Which of these sounds stands out from the {x}?", "Which sound is heard over the {x}?",
                       "The {x} goes on all the time. Which other sound is there?"},
                      {l.audios[0].background});
  d.planning = "I listen past the background for what stands out.";
  auto others = other_sounds(l, m, gold, random);
  set_options(d, gold, others, random);
  finish_choice(d, "Over the " + l.audios[0].background + " I hear " + list_words(names) + ".", "The " + gold + " stands out.");
  return d;
}

Maybe duration(const Listening& l, const Material&, Random& random) {
  if (!is_complex(l)) return {};
  const auto heard = sounds_of(l.audios[0]);
  std::vector<std::size_t> once;
  for (std::size_t i = 0; i < heard.size(); ++i) {
    const double exact = 2 * (heard[i].true_to - heard[i].true_from);
    if (times_of(heard, heard[i].name) == 1 && std::abs(exact - (heard[i].to - heard[i].from)) < 0.5) once.push_back(i);
  }
  if (once.empty()) return {};
  const Heard& h = heard[random.pick(once)];
  const int length = h.to - h.from;  // half seconds; the others differ by at least 1.5 s
  std::vector<std::string> others;
  for (int step = 3; others.size() < 3; step += 3) {
    if (length - step > 0 && random.chance(0.5)) others.push_back(half_seconds(length - step) + " seconds");
    if (others.size() < 3) others.push_back(half_seconds(length + step) + " seconds");
  }
  Draft d;
  d.question = phrase(random,
                      {"About how long does the {x} last?", "For how long do you hear the {x}?",
                       "What is the duration of the {x}?", "How many seconds does the {x} go on?"},
                      {h.name});
  d.planning = phrase(random, {"I note when the {x} starts and ends.", "I take the end of the {x} minus its start."}, {h.name});
  const std::string gold = half_seconds(length) + " seconds";
  set_options(d, gold, others, random);
  d.reasoning = span_of(h.name, h) + "That is " + half_seconds(length) + " s. " + option_step(d);
  d.summary = "It lasts " + gold + ".";
  d.response = "The " + h.name + " lasts " + gold + ". " + letter_sentence(d);
  return d;
}

Maybe place(const Listening& l, const Material& m, Random& random) {
  // Over a track, the track would be the first.
  if (!is_complex(l) || !l.audios[0].background.empty()) return {};
  const auto heard = sounds_of(l.audios[0]);
  if (heard.size() < 3 || unique_names(heard).size() < 2) return {};
  for (std::size_t i = 1; i < heard.size(); ++i) {
    if (heard[i].true_from - heard[i - 1].true_from < 0.4 || heard[i].from <= heard[i - 1].from) return {};
  }
  static const char* kOrdinals[] = {"first", "second", "third", "fourth", "fifth", "sixth"};
  const auto at = static_cast<std::size_t>(random.between(1, std::min(5, static_cast<int>(heard.size()) - 1)));
  Draft d;
  d.question = phrase(random, {"Which is the {x} sound?", "What do you hear as the {x} sound?", "Name the {x} sound in time."},
                      {kOrdinals[at]});
  d.planning = phrase(random, {"I list the sounds in order and take the {x}.", "I count along the sounds up to the {x}."},
                      {kOrdinals[at]});
  set_options(d, heard[at].name, wrong_ones(l, m, heard[at].name, random), random);
  finish_choice(d, in_places(names_of(heard)), std::string("The ") + kOrdinals[at] + " sound is the " + heard[at].name + ".");
  return d;
}

Maybe loudest(const Listening& l, const Material& m, Random& random) {
  if (!is_complex(l)) return {};
  const std::string& caption = l.audios[0].caption;
  const std::string mark = "Loudest: ";
  const std::size_t from = caption.find(mark);
  if (from == std::string::npos || unique_names(sounds_of(l.audios[0])).size() < 2) return {};
  const std::string gold = caption.substr(from + mark.size(), caption.find('.', from) - from - mark.size());
  Draft d;
  d.question = phrase(random, {"Which sound is the loudest?", "Which of the sounds is clearly louder than the others?",
                               "What is the loudest sound in the recording?", "Which sound has the highest level?"});
  d.planning = phrase(random, {"I compare how loud the sounds are.", "I go through the sounds and compare their levels."});
  set_options(d, gold, wrong_ones(l, m, gold, random), random);
  finish_choice(d, "Compared with the others the " + gold + " is the loudest.", "The " + gold + " is the loudest.");
  return d;
}

Maybe most(const Listening& l, const Material& m, Random& random) {
  if (!is_complex(l)) return {};
  const auto heard = sounds_of(l.audios[0]);
  const auto names = unique_names(heard);
  if (names.size() < 2) return {};
  std::string gold, counts;
  int best = 0, second = 0;
  for (const std::string& name : names) {
    const int n = times_of(heard, name);
    counts += (counts.empty() ? "" : ", ") + name + " " + std::to_string(n);
    if (n > best) {
      second = best;
      best = n;
      gold = name;
    } else {
      second = std::max(second, n);
    }
  }
  if (best == second) return {};
  Draft d;
  d.question = phrase(random, {"Which sound is heard most often?", "Which sound occurs more often than the others?",
                               "Which of the sounds comes the most times?"});
  d.planning = phrase(random, {"I count each sound and compare.", "I count how often each of them occurs."});
  set_options(d, gold, wrong_ones(l, m, gold, random), random);
  finish_choice(d, "The counts: " + counts + ".", "The " + gold + " is heard most often.");
  return d;
}

}  // namespace

std::vector<NamedMaker> complex_makers() {
  return {{"complex-background", background}, {"complex-foreground", foreground}, {"complex-duration", duration},
          {"complex-place", place},           {"complex-loudest", loudest},       {"complex-most", most}};
}

}  // namespace areason
