// Facts about what is said and by whom, about music, and about the answer.
#include <algorithm>
#include <cmath>
#include <set>

#include "cota/annotate.h"
#include "cota/spoken_words.h"
#include "cota/statement_judge.h"

namespace areason::claims {
StatementJudge::Fit StatementJudge::fit_says(const Set& events, const std::string& words) const {
  const Fit open{true, false, true};
  const std::string said = plain(words);
  if (!facts_.knows_words() || said.size() < 3) return open;
  std::string all;
  bool told = true;
  for (const int i : ordered(events)) {
    const std::string& text = facts_.at(i).words;
    told = told && text.size() > 1;
    all += all.empty() ? text : text.substr(text.empty() ? 0 : 1);
  }
  if (all.find(said) != std::string::npos) return {true, true, false};
  if (!told) return open;
  // Spelling differs between those who write down what they hear: numbers, accents, another alphabet.
  const std::vector<std::string> heard = spoken_words(all), quoted = spoken_words(said);
  if (has_latin_letter(said) != has_latin_letter(all)) return open;
  const auto same_figures = [&](Figures as) {
    const std::vector<double> ours = figures_of(quoted, as), theirs = figures_of(heard, as);
    return ours.empty() || std::search(theirs.begin(), theirs.end(), ours.begin(), ours.end()) != theirs.end();
  };
  if (!same_figures(Figures::kDigits) && !same_figures(Figures::kWhole))
    return facts_.foreign() ? open : Fit{false, false, false};
  for (const std::string& word : quoted) {
    if (number_of(word) >= 0) continue;
    if (std::none_of(heard.begin(), heard.end(), [&](const std::string& h) { return nearly_equal(word, h); }))
      return {false, false, false};
  }
  // All words are there, in another order or with others between them.
  return quoted.size() > 1 && !facts_.foreign() && !in_order(quoted, heard) ? Fit{false, false, false}
                                                                            : Fit{true, false, false};
}

// "word; word" in any form ("apples" for "apple"). False when nobody says half of one of them, or the person none of them: what
// somebody else has named may be "it" to the person.
StatementJudge::Fit StatementJudge::fit_mentions(const Set& events, const std::string& words) const {
  const Fit open{true, false, true};
  if (!facts_.knows_words() || facts_.foreign()) return open;
  std::string own;
  for (const int i : events) {
    if (facts_.at(i).words.size() < 2) return open;
    own += facts_.at(i).words;
  }
  const std::vector<std::string> by_person = spoken_words(own), by_anybody = spoken_words(facts_.spoken());
  const auto said_in = [](const std::string& word, const std::vector<std::string>& heard) {
    const double number = number_of(word);
    if (number < 0) return std::any_of(heard.begin(), heard.end(), [&](const std::string& h) { return same_stem(word, h); });
    for (const Figures as : {Figures::kDigits, Figures::kWhole}) {
      const std::vector<double> figures = figures_of(heard, as);
      if (std::find(figures.begin(), figures.end(), number) != figures.end()) return true;
    }
    return false;
  };
  Fit out{false, true, false};
  bool some = false;
  for (std::size_t from = 0, to = 0; to != std::string::npos; from = to + 1) {
    to = words.find(';', from);
    const std::vector<std::string> wanted = spoken_words(plain(words.substr(from, to == std::string::npos ? to : to - from)));
    std::size_t known = 0;
    for (const std::string& word : wanted) {
      const bool said = said_in(word, by_anybody);
      if (!said && number_of(word) >= 0) return {false, false, false};
      known += said ? 1 : 0;
      some = true;
      out.lenient = out.lenient || said_in(word, by_person);
      out.strict = out.strict && std::find(by_person.begin(), by_person.end(), word) != by_person.end();
    }
    if (2 * known < wanted.size()) return {false, false, false};
  }
  return some ? out : open;
}

// False only where somebody else has these words, and the person none of them.
StatementJudge::Fit StatementJudge::fit_topic(const Set& events, const std::string& words) const {
  static const std::set<std::string> kSmall = {"about", "that",  "this",   "with",  "from",  "have",  "they",
                                               "them",  "what",  "when",   "where", "which", "there", "their",
                                               "would", "could", "should", "more",  "than",  "very"};
  if (!facts_.knows_words() || facts_.foreign() || events.empty()) return {true, false, true};
  std::vector<std::string> wanted;
  const std::string text = plain(words);
  for (std::size_t from = 1, to = text.find(' ', 1); to != std::string::npos; from = to + 1, to = text.find(' ', from)) {
    const std::string word = text.substr(from, to - from);
    if (word.size() >= 4 && !kSmall.contains(word))
      wanted.push_back(" " + word.substr(0, std::max<std::size_t>(4, word.size() - 2)));
  }
  if (wanted.empty()) return {true, false, true};
  const auto hits = [&](const Set& of) {
    std::string all;
    for (const int i : of) all += facts_.at(i).words;
    return std::count_if(wanted.begin(), wanted.end(), [&](const std::string& w) { return all.find(w) != std::string::npos; });
  };
  const Set who = speakers_of(events);
  Set others;
  for (const int i : facts_.speech(kAnyAudio))
    if (!who.contains(facts_.at(i).speaker)) others.insert(i);
  const auto own = hits(events), theirs = hits(others);
  if (own == 0 && theirs == static_cast<long>(wanted.size())) return {false, false, false};
  return own > 0 ? Fit{true, own == static_cast<long>(wanted.size()), false} : Fit{true, false, true};
}

StatementJudge::Fit StatementJudge::fit_is(const Set& events, const std::string& value) const {
  const Set who = speakers_of(events);
  if (who.empty()) return {true, false, true};
  const Known& known = facts_.known();
  if (const std::string sex = trait_value(Trait::kSex, value); !sex.empty()) {
    bool some = false, all = true;
    for (const int one : who) {
      const auto it = known.sex.find(one);
      if (it == known.sex.end()) return {true, false, true};
      some = some || it->second == sex;
      all = all && it->second == sex;
    }
    return {some, all, false};
  }
  for (const Trait trait : {Trait::kLanguage, Trait::kMood}) {
    const std::string named = trait_value(trait, value);
    const auto it = known.values.find(trait);
    if (named.empty() || it == known.values.end()) continue;
    if (trait == Trait::kMood && facts_.speakers(kAnyAudio) > 1) return {true, false, true};
    return {it->second.contains(named), it->second == std::set<std::string>{named}, false};
  }
  return {true, false, true};
}

StatementJudge::Fit StatementJudge::fit_music(const std::string& value) const {
  for (const Trait trait : {Trait::kInstrument, Trait::kTempo, Trait::kMetre, Trait::kMode, Trait::kMusicMood}) {
    std::string named = trait_value(trait, value);
    const std::string low = lower_ascii(value);
    if (trait == Trait::kMetre && named.empty() && (low == "3/4" || low == "4/4" || low == "6/8")) named = low;
    const auto it = facts_.known().values.find(trait);
    if (named.empty() || it == facts_.known().values.end()) continue;
    const bool fits = std::any_of(it->second.begin(), it->second.end(), [&](const std::string& v) {
      return v == named || (trait == Trait::kInstrument && (v.ends_with(named) || named.ends_with(v)));
    });
    // Moods of music shade into each other.
    if (trait == Trait::kMusicMood && !fits) {
      const std::string& v = *it->second.begin();
      const auto near = [&](const char* a, const char* b) { return (v == a && named == b) || (v == b && named == a); };
      if (near("happy", "energetic") || near("calm", "sad")) return {true, false, true};
    }
    return {fits, fits, false};
  }
  return {true, false, true};
}

StatementJudge::Fit StatementJudge::fit_answer(const std::string& given) const {
  const std::string value = lower_ascii(trimmed(given)), gold = lower_ascii(sample_.answer_text);
  const Fit open{true, false, true}, right{true, true, false}, wrong{false, false, false};
  if (gold.empty() || value.empty()) return open;
  if (value.size() == 1 && value[0] >= 'a' && value[0] <= 'h' && !sample_.answer_letter.empty())
    return value == sample_.answer_letter ? right : wrong;
  const std::string said = plain(value), wanted = plain(gold);
  if (said == wanted || said.find(wanted) != std::string::npos || wanted.find(said) != std::string::npos) return right;
  for (const std::string& choice : sample_.choices)
    if (plain(choice) == said) return wrong;
  const double a = number_of(trimmed(said)), b = number_of(trimmed(wanted));
  if (a >= 0 && b >= 0) return std::abs(a - b) < 0.5 ? right : wrong;
  const auto yes_no = [](const std::string& text) { return text.starts_with(" yes ") ? 1 : text.starts_with(" no ") ? 0 : -1; };
  if (yes_no(said) >= 0 && yes_no(wanted) >= 0) return yes_no(said) == yes_no(wanted) ? right : wrong;
  // A trait: "sad" for "happy"; or another line than the one that is asked for.
  for (const Trait trait :
       {Trait::kSex, Trait::kMood, Trait::kLanguage, Trait::kInstrument, Trait::kTempo, Trait::kMetre, Trait::kMode}) {
    const std::string one = trait_value(trait, value), other = trait_value(trait, gold);
    if (!one.empty() && !other.empty()) return one == other ? right : wrong;
  }
  if (!sample_.choices.empty() && spoken_words(said).size() >= 3 && !facts_.saying(said).empty()) return wrong;
  // Two sounds by name.
  const SoundConcepts x = facts_.words().of_label(value), y = facts_.words().of_label(gold);
  const bool sounds =
      std::any_of(facts_.all().begin(), facts_.all().end(), [&](const Happening& h) { return lower_ascii(h.label) == gold; });
  if (!sounds || x.empty() || y.empty()) return open;
  return std::any_of(x.begin(), x.end(), [&](int c) { return y.contains(c); }) ? right : wrong;
}

}  // namespace areason::claims
