// SUMMARY draws the same conclusion as RESPONSE in more words: it is judged where it can say nothing else.
#include <algorithm>
#include <cmath>

#include "cota/claim_answer.h"

namespace areason::claims {
namespace {

constexpr const char* kDoubtInSummary[] = {" not ",     " no ",      " nor ",    " neither ",  " none ",
                                           " nothing ", " without ", " rather ", " out ",      " absent ",
                                           " only ",    " other ",   " but ",    " although ", " than "};
constexpr const char* kTurned =
    "but|only|except|while|until|if|whereas|although|other|instead|hardly|than|option|would|could|rather|almost|nearly|before|"
    "after|yet|or";
constexpr const char* kNotInSummary =
    "no|not|never|don't|doesn't|didn't|neither|nor|without|none|nothing|nowhere|isn't|aren't|wasn't|weren't|cannot|can't|"
    "nobody|hardly|apart|zero|false|wrong|untrue";

int word_count(const std::string& text) { return static_cast<int>(std::count(text.begin(), text.end(), ' ')) + 1; }

// Do all sounds of the sentence belong to those that the question sets against each other?
bool of_the_asked(const Reading& r, const Sentence& s) {
  for (const Mention& m : mentions_in(s, r.facts, kAnyAudio)) {
    if (m.quote || m.events.empty()) return false;
    if (std::none_of(r.asked.mentions.begin(), r.asked.mentions.end(),
                     [&](const Mention& a) { return share(a.events, m.events); }))
      return false;
  }
  return true;
}

// "They overlap.", "The same sound." where the answer is no, and the other way round.
void check_relation(Reading& r, const std::string& text) {
  const bool yes = r.sample->answer_text == "yes";
  const bool overlap = r.asked.what == Asked::What::kOverlap;
  const bool same = r.sample->kind.find("same") != std::string::npos;
  if (!overlap && !same) return;
  for (const Sentence& s : sentences_of(text)) {
    if (s.question || has_word(s, kTurned) || (overlap && !of_the_asked(r, s))) continue;
    const bool denied = has_word(s, kNotInSummary);
    bool together = has_word(s, "overlap|overlaps|overlapping|coincide|coincides|simultaneously|simultaneous");
    for (int i = 0; i + 1 < static_cast<int>(s.words.size()); ++i)
      together = together || (is_one(s.words[static_cast<std::size_t>(i)], "same") &&
                              is_one(s.words[static_cast<std::size_t>(i) + 1], "time|moment|sound|kind|source"));
    const bool different = same && has_word(s, "different|differ|differs|unlike|dissimilar");
    if (!together && !different) continue;
    if (together && different) continue;
    if ((together != denied) != yes) return wrong_answer(r, "\"" + s.source + "\"");
  }
}

// Numbers of which none is the answer, nor any two of them, nor all, together.
void check_count(Reading& r, const std::string& text) {
  const double gold = std::stod(r.sample->answer_text);
  const std::string question = plain(r.sample->question);
  if (!holds(question, " how many ") && !holds(question, " number of ") && !holds(question, " count ")) return;
  for (const Sentence& s : sentences_of(text))
    if (has_word(s,
                 "each|every|both|per|more|further|less|fewer|least|most|additional|half|dozen|pair|couple|single|turns|lines|"
                 "numbers"))
      return;
  const std::vector<double> said = numbers_in(text);
  double sum = 0;
  for (std::size_t i = 0; i < said.size(); ++i) {
    sum += said[i];
    if (said[i] == gold) return;
    for (std::size_t k = 0; k < i; ++k)
      if (said[i] + said[k] == gold || said[i] * said[k] == gold) return;
  }
  if (!said.empty() && sum != gold) wrong_answer(r, std::to_string(static_cast<int>(said[0])));
}

// "Sold to the man." where a woman is asked for; names of neither are no answer.
void check_sex(Reading& r, const std::string& text) {
  bool man = false, woman = false;
  for (const Sentence& s : sentences_of(text)) {
    man = man || has_word(s, "man|men|male|gentleman|guy|he|his|him|man's|he's|boy|lad|bloke");
    woman = woman || has_word(s, "woman|women|female|lady|girl|she|her|hers|woman's|she's");
  }
  if (man != woman && man != (r.sample->answer_text == "man")) wrong_answer(r, man ? "a man" : "a woman");
}

// "Tape two wins": the part that is named, where one is asked for.
void check_part(Reading& r, const std::string& text, int gold) {
  std::set<int> said;
  for (const Sentence& s : sentences_of(text)) {
    const auto word = [&](int k) -> const Word& { return s.words[static_cast<std::size_t>(k)]; };
    const int n = static_cast<int>(s.words.size());
    if (has_word(s, "fewer|less|loses|lose|lacks|poorer|behind|shorter|none|nobody|instead|unlike|isn't|doesn't|neither"))
      return;
    constexpr const char* kParts =
        "audio|clip|recording|part|file|track|half|tape|exhibit|sample|section|segment|piece|reel|side|one|chest|box|shelf";
    for (int i = 0; i < n; ++i) {
      if (i + 1 < n && is_one(word(i), kParts) && word(i + 1).number >= 1 && word(i + 1).number <= 3 && !is_one(word(i), "one"))
        said.insert(static_cast<int>(word(i + 1).number));
      if (word(i).ordinal > 0 && (i + 1 >= n || is_one(word(i + 1), kParts) || word(i + 1).stem.empty()))
        said.insert(word(i).ordinal);
    }
  }
  if (said.size() == 1 && !said.contains(gold)) wrong_answer(r, "the other part");
}

// One sound that is named and is not the answer, or two of which one is what was asked about.
void check_one_sound(Reading& r, const std::string& text) {
  std::set<std::string> names;
  bool asked = false;
  for (const Sentence& s : sentences_of(text))
    for (const Mention& m : mentions_in(s, r.facts, kAnyAudio)) {
      names.insert(m.name);
      for (const Mention& a : r.asked.mentions) asked = asked || share(a.events, m.events);
    }
  // A later turn does not say what it asks about.
  const bool turn = r.sample->kind.starts_with("turn");
  const bool one = names.size() == 1 && (!turn || word_count(text) <= 4);
  if (one || (names.size() == 2 && word_count(text) <= 10 && (asked || turn))) check_sound_names(r, text);
}

void check_open(Reading& r, const std::string& text) {
  const Sample& s = *r.sample;
  if (number_text(s.answer_text)) return check_count(r, text);
  if (s.answer_text == "man" || s.answer_text == "woman") return check_sex(r, text);
  if (const auto gold = parts_in(s.answer_text); gold.size() == 1 && s.answer_text.size() < 20)
    return check_part(r, text, *gold.begin());
  if (s.domain == "speech" || s.domain == "music" || s.kind == "describe") return;
  if (s.choices.size() == 2 && word_count(text) <= 15) return check_either(r, text);
  if (s.choices.empty()) check_one_sound(r, text);
}

}  // namespace

void check_summary(Reading& r, int gold) {
  const Sample& s = *r.sample;
  const std::string text = s.sections[Section::kSummary];
  std::string said = plain(text);
  // What an option says raises no doubt.
  for (const std::string& choice : s.choices)
    if (const std::string own = plain(choice); own.size() > 2)
      if (const std::size_t at = said.find(own); at != std::string::npos) said.replace(at, own.size(), " ");
  const bool doubt = std::any_of(std::begin(kDoubtInSummary), std::end(kDoubtInSummary),
                                 [&](const char* w) { return said.find(w) != std::string::npos; });
  if (s.kind.find("digits") != std::string::npos && word_count(text) < 20) {
    const std::string digits = digits_of(text);
    if (digits.size() >= digits_of(s.answer_text).size()) check_digits_said(r, text);
    return;
  }
  if (s.answer_text == "yes" || s.answer_text == "no") {
    check_yes_no(r, text);
    return check_relation(r, text);
  }
  if (doubt || word_count(text) > 30) return;
  if (gold < 0 || gold >= static_cast<int>(s.choices.size())) return check_open(r, text);
  const bool sounds = s.domain == "sound" || s.domain == "mixed";
  if (!sounds) return check_option_text(r, text, gold);
  if (s.kind != "sound-order" && s.kind != "complex-duration" && s.kind != "complex-place") check_sound_names(r, text);
}

}  // namespace areason::claims
