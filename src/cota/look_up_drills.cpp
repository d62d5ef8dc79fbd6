#include "cota/look_up_drills.h"

#include <algorithm>
#include <map>

#include "cota/assign.h"
#include "cota/kinds.h"
#include "cota/perception.h"

namespace areason {
namespace {

constexpr int kOptionCount = 4;

// A made-up clip: names one after the other, each at its time.
struct Scenery {
  std::vector<std::string> heard;
  std::map<std::string, std::string> times;  // "0.5 to 2.0 s"
  std::string caption;
};

Scenery draw_scenery(std::vector<std::string> heard, Random& random) {
  Scenery out;
  random.shuffle(heard);
  int at = random.between(0, 3);
  for (const std::string& name : heard) {
    const int end = at + random.between(1, 6);
    out.times[name] = half_seconds(at) + " to " + half_seconds(end) + " s";
    out.caption += (out.caption.empty() ? "" : " ") + out.times[name] + ": " + name + ".";
    at = end + random.between(0, 3);
  }
  out.heard = std::move(heard);
  return out;
}

// Every option with its letter, in any order.
std::string shuffled_letters(const Draft& d, Random& random) {
  std::vector<std::string> names = d.choices;
  random.shuffle(names);
  return letters_of(names, d) + ".";
}

// The times of up to three names, one of which may not be heard.
std::string looked_up_times(const Scenery& scenery, const std::string& other, Random& random) {
  std::vector<std::string> names = scenery.heard;
  if (scenery.times.count(other) == 0) names.push_back(other);
  random.shuffle(names);
  names.resize(std::min<std::size_t>(names.size(), 3));
  std::string out;
  for (const std::string& name : names) {
    const auto found = scenery.times.find(name);
    out += (out.empty() ? "" : ", ") + name + ": " + (found == scenery.times.end() ? "none" : found->second);
  }
  return out + ".";
}

}  // namespace

std::vector<std::string> all_names(const Material& m) {
  std::vector<std::string> out;
  for (const NamedSound& sound : m.sounds) out.push_back(sound.name);
  for (const auto& group : m.words) out.insert(out.end(), group.begin(), group.end());
  for (const auto* list : {&m.languages, &m.moods, &m.instruments, &m.music_moods})
    out.insert(out.end(), list->begin(), list->end());
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

Sample make_look_up(const std::vector<std::string>& names, Random& random) {
  std::vector<std::string> drawn;
  while (static_cast<int>(drawn.size()) < kOptionCount + 2) {
    const std::string& name = random.pick(names);
    if (std::find(drawn.begin(), drawn.end(), name) == drawn.end()) drawn.push_back(name);
  }
  Draft d;
  d.question = phrase(random, {"Which of these is in it?", "Which of the following do you hear?", "Which one is there?",
                               "What can be heard?", "Which of these is heard?", "Choose the one that occurs."});
  set_options(d, drawn[0], {drawn.begin() + 1, drawn.begin() + kOptionCount}, random);
  std::vector<std::string> heard = {drawn[0]};
  heard.insert(heard.end(), drawn.begin() + kOptionCount, drawn.begin() + kOptionCount + random.between(0, 2));
  const Scenery scenery = draw_scenery(heard, random);
  d.planning = "I look up each name.";
  d.reasoning = listed_options(d) + " " + shuffled_letters(d, random) + " " +
                looked_up_times(scenery, random.pick(names), random) + " I hear " + letters_of(scenery.heard, d) + ". " +
                option_step(d);
  d.summary = "I hear the " + d.answer + ".";
  d.response = d.summary + " " + letter_sentence(d);
  Sample s = written_sample(find_kind("look-up"), d, scenery.caption, random);
  s.question = scenery.caption + " " + s.question;
  return s;
}

}  // namespace areason
