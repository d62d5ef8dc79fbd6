// Second turns: questions that refer to the answer of the first.
#include <algorithm>

#include "cota/question.h"

namespace areason {
namespace {

using Maybe = std::optional<Draft>;

std::optional<Draft> first_turn(const std::string& kind, const Listening& l, const Material& m, Random& random) {
  static const std::vector<NamedMaker> makers = sound_makers();
  for (const NamedMaker& maker : makers) {
    if (maker.kind == kind) return maker.make(l, m, random);
  }
  return {};
}

void remember(Draft& d, const Draft& first, const Listening& l, Random& random) {
  d.turns.push_back({typed_question(first, random), render_chain(chain_of(first, l.caption()))});
}

Maybe turn_after(const Listening& l, const Material& m, Random& random) {
  if (l.form != ListeningForm::kOne || l.type != SceneType::kSound) return {};
  const auto heard = sounds_of(l.audios[0]);
  if (heard.size() < 2) return {};
  for (std::size_t i = 1; i < heard.size(); ++i) {
    if (heard[i].true_from - heard[i - 1].true_from < 0.4 || heard[i].from <= heard[i - 1].from) return {};
  }
  const bool after = random.chance(0.6);
  const auto first =
      first_turn(std::string(after ? "sound-first" : "sound-last") + (random.chance(0.5) ? "" : "-open"), l, m, random);
  if (!first) return {};
  const Heard& x = after ? heard[0] : heard.back();
  const Heard& y = after ? heard[1] : heard[heard.size() - 2];
  if (x.name == y.name || x.name != first->answer) return {};
  Draft d;
  remember(d, *first, l, random);
  d.question =
      after ? phrase(random, {"And what comes after it?", "What comes next?", "And which sound follows it?",
                              "What do you hear right after it?", "And after that?", "And the next one?"})
            : phrase(random, {"And what comes before it?", "And which sound precedes it?", "What do you hear right before it?",
                              "And before that?", "And the one before?", "What is just before it?"});
  d.planning = phrase(random, {"I find the {x} and take the {y} sound.", "\"It\" is the {x}, so I take the {y} sound."},
                      {x.name, after ? "next" : "previous"});
  d.answer = y.name;
  d.reasoning = neighbour_steps(heard, after ? 0 : heard.size() - 1, after ? 1 : -1);
  d.summary = (after ? "After the " : "Before the ") + x.name + " comes the " + y.name + ".";
  d.response = "It is the " + y.name + ".";
  return d;
}

Maybe turn_count(const Listening& l, const Material& m, Random& random) {
  if (l.form != ListeningForm::kOne || l.type != SceneType::kSound) return {};
  const auto heard = sounds_of(l.audios[0]);
  if (heard.empty()) return {};
  const char* kind = heard.size() == 1 || random.chance(0.4) ? "sound-name-open"
                     : random.chance(0.5)                    ? "sound-first"
                                                             : "sound-first-open";
  const auto first = first_turn(kind, l, m, random);
  if (!first) return {};
  Draft d;
  remember(d, *first, l, random);
  const std::string x = first->answer;
  d.question =
      phrase(random, {"How many times do you hear it?", "And how often does it occur?", "How many times does it occur?",
                      "How often do you hear it?", "And how many times?", "Count it."});
  d.planning = phrase(random, {"I find each {x} and count.", "\"It\" is the {x}, so I count that."}, {x});
  finish_count_of(d, heard, x);
  return d;
}

}  // namespace

std::vector<NamedMaker> turn_makers() { return {{"turn-after", turn_after}, {"turn-count", turn_count}}; }

}  // namespace areason
