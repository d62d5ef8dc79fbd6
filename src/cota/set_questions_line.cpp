// Questions about one line of speech: the situation that an acted mood fits, an acted intent, a translation.
#include <algorithm>
#include <map>

#include "cota/set_questions.h"
#include "synth/intents.h"

namespace areason {
namespace {

using Maybe = std::optional<Draft>;

// The one line of a clip of that set; null when there are several.
const Heard* only_line(const Listening& l, const char* set) {
  if (l.set != set || l.form != ListeningForm::kOne || l.audios[0].heard.size() != 1) return nullptr;
  const Heard& h = l.audios[0].heard[0];
  return h.kind == EventKind::kSpeech ? &h : nullptr;
}

const std::map<std::string, std::vector<const char*>>& situations() {
  static const std::map<std::string, std::vector<const char*>> table = {
      {"happy", {"somebody has just won a game", "a friend arrives with good news", "everything has worked out perfectly"}},
      {"sad", {"somebody has just lost something dear", "a hope has been disappointed", "somebody hears of a misfortune"}},
      {"angry", {"somebody is being cheated", "somebody is fed up with a quarrel", "a neighbour will not stop making noise"}},
      {"afraid", {"something dangerous is coming closer", "somebody has to flee at once", "something falls from the sky"}},
      {"surprised",
       {"something quite unexpected has appeared", "somebody sees a trick for the first time",
        "a present is unwrapped that nobody had expected"}},
  };
  return table;
}

Maybe situation(const Listening& l, const Material&, Random& random) {
  if (l.set != "acted_moods" || l.audios.empty() || l.audios[0].speakers != 1) return {};
  const std::string mood = l.audios[0].heard[0].mood;
  const auto own = situations().find(mood);
  if (own == situations().end()) return {};
  std::vector<std::string> others;
  for (const auto& [other, texts] : situations()) {
    if (other != mood) others.emplace_back(random.pick(texts));
  }
  random.shuffle(others);
  others.resize(3);
  const std::string gold = random.pick(own->second);
  Draft d;
  d.question =
      phrase(random, {"Which of these situations fits the voice?", "Which scenario goes best with the way of speaking?",
                      "In which of these situations would somebody speak like this?"});
  d.planning = phrase(random, {"I judge the mood by the tone and look for a situation that would cause it.",
                               "First I name the emotion, then I compare the situations with it."});
  set_options(d, gold, others, random);
  finish_choice(d, "The voice of speaker 1 is " + mood + ". Of the situations only one makes a person " + mood + ".",
                "It fits that " + gold + ".");
  return d;
}

Maybe intent(const Listening& l, const Material&, Random& random) {
  const Heard* h = only_line(l, "acted_intent");
  if (h == nullptr || !h->detail || h->detail->intent.empty()) return {};
  Draft d;
  d.question = phrase(random, {"What does the speaker do by saying this?", "What is the intention of the speaker?",
                               "Which of these describes what the speaker wants?"});
  d.planning = phrase(random, {"I listen to words and tone and ask what they are to bring about.",
                               "I weigh the tone of the voice against each intention."});
  set_options(d, h->detail->intent, pick_others(acted_intents(), {h->detail->intent}, 3, random), random);
  finish_choice(d, "By words and tone speaker 1 " + h->detail->intent + ".", "The speaker " + h->detail->intent + ".");
  return d;
}

Maybe intent_is(const Listening& l, const Material&, Random& random) {
  const Heard* h = only_line(l, "acted_intent");
  if (h == nullptr || !h->detail || h->detail->intent.empty()) return {};
  const bool yes = random.chance(0.5);
  const std::string asked = yes ? h->detail->intent : pick_others(acted_intents(), {h->detail->intent}, 1, random)[0];
  Draft d;
  d.question = phrase(
      random,
      {"Is it true that the speaker {x}?", "Would you say that the speaker {x}?", "Does it sound as if the speaker {x}?"},
      {asked});
  d.planning = "I find out what the speaker wants and compare.";
  d.answer = yes ? "yes" : "no";
  d.reasoning = "By words and tone speaker 1 " + h->detail->intent + ". That is " + (yes ? "the same." : "something else.");
  d.summary = "The speaker " + h->detail->intent + ".";
  d.response = (yes ? "Yes. The speaker " : "No. The speaker ") + h->detail->intent + ".";
  return d;
}

const Heard* translated_line(const Listening& l) {
  const Heard* h = only_line(l, "spoken_phrases");
  return h != nullptr && !h->translation.empty() && !h->text.empty() ? h : nullptr;
}

std::string word_steps(const Heard& h) {
  return "The speech is in " + h.language + ". I recognise the words \"" + h.text + "\".";
}

Maybe translate(const Listening& l, const Material&, Random& random) {
  const Heard* h = translated_line(l);
  if (h == nullptr) return {};
  const std::string& into = h->detail->translation_language;
  Draft d;
  d.question = phrase(random,
                      {"Translate the speech into {x}.", "What is said, in {x}?",
                       "Please give the {x} translation of what you hear.", "How would you say this in {x}?"},
                      {into});
  d.planning = phrase(random,
                      {"I recognise the words first, then I translate them into {x} and polish the result.",
                       "Recognise, divide into parts, translate into {x}, put it into good words."},
                      {into});
  d.answer = h->translation;
  d.reasoning = word_steps(*h) + " In " + into + " that is: " + h->translation;
  d.summary = "The translation into " + into + " is: " + h->translation;
  d.response = h->translation;
  return d;
}

Maybe translation_choice(const Listening& l, const Material& m, Random& random) {
  const Heard* h = translated_line(l);
  if (h == nullptr) return {};
  const std::string& into = h->detail->translation_language;
  const auto all = m.translations.find(into);
  if (all == m.translations.end()) return {};
  const auto others = pick_others(all->second, {h->translation}, 3, random);
  if (others.size() < 3) return {};
  Draft d;
  d.question = phrase(
      random,
      {"Which is the right {x} translation?", "Which of these is what is said, in {x}?", "Choose the translation into {x}."},
      {into});
  d.planning = phrase(random,
                      {"I recognise the words, translate them and compare with the options.",
                       "I understand the phrase first and then look for its {x} wording."},
                      {into});
  set_options(d, h->translation, others, random);
  d.reasoning = word_steps(*h) + " In " + into + " that is: " + h->translation + " " + option_step(d);
  d.summary = "It means: " + h->translation;
  d.response = "It means: " + h->translation + " " + letter_sentence(d);
  return d;
}

Maybe phrase_language(const Listening& l, const Material& m, Random& random) {
  const Heard* h = translated_line(l);
  if (h == nullptr) return {};
  const auto others = pick_others(m.languages, {h->language}, 3, random);
  if (others.size() < 3) return {};
  Draft d;
  d.question = phrase(random, {"Which language is spoken?", "In which language is the phrase?", "What language do you hear?"});
  d.planning = "I tell the language from its sounds and words.";
  set_options(d, h->language, others, random);
  finish_choice(d, "The speech is in " + h->language + ".", "The language is " + h->language + ".");
  return d;
}

}  // namespace

std::vector<NamedMaker> line_makers() {
  return {{"emotion-scenario", situation},
          {"intent", intent},
          {"intent-is", intent_is},
          {"translation", translate},
          {"translation-choice", translation_choice},
          {"translation-language", phrase_language}};
}

}  // namespace areason
