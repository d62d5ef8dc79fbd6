// The RESPONSE as a whole against the known answer: letters, options by their text, yes and no, numbers, names.
#include <algorithm>
#include <regex>

#include "cota/claim_answer.h"

namespace areason::claims {
namespace {

int letter_index(const std::string& letter) { return letter.empty() ? -1 : (letter[0] | 0x20) - 'a'; }

// Letters of options that a text gives as its answer, negated ones apart.
std::set<int> letters_in(const std::string& text, std::size_t options) {
  static const std::regex patterns[] = {
      std::regex(R"(\(([a-hA-H])\))"),
      std::regex(R"((?:^|[^\w'])(?:[Aa]nswer|[Oo]ption|[Cc]hoice|[Ll]etter)(?: is|:| would be)?[ *:("']*([b-hA-H])(?![\w']))"),
      std::regex(R"(^[\s*"'([]*([a-hA-H])[*"'\])]*\s*(?:$|[-.,:)]|\xe2\x80[\x93\x94]))"),
      std::regex(R"((?:\b[Ss]o|\b[Hh]ence|\b[Tt]hus|[,:;(]|\bis|-|\xe2\x80[\x93\x94])[ *]+([b-hA-H])[*)]*\s*[.!]?[\s*]*$)"),
      std::regex(R"((?:^|[.:;] )\**([B-H])\** (?:is|fits|it is)\b)"),
  };
  std::set<int> out;
  const std::string copy = text.substr(0, 4000);
  for (const std::regex& pattern : patterns) {
    for (std::sregex_iterator it(copy.begin(), copy.end(), pattern), end; it != end; ++it) {
      const auto at = static_cast<std::size_t>(it->position(0));
      const std::string before = copy.substr(at > 12 ? at - 12 : 0, std::min<std::size_t>(at, 12));
      const int index = letter_index((*it)[1]);
      // "A dog barks."
      if ((*it)[1].str() == "A" && copy.substr(static_cast<std::size_t>(it->position(1)) + 1, 1) == " " &&
          std::islower(
              static_cast<unsigned char>(copy[std::min(copy.size() - 1, static_cast<std::size_t>(it->position(1)) + 2)])) != 0)
        continue;
      if (before.find("not ") == std::string::npos && before.find("than ") == std::string::npos && index >= 0 &&
          index < static_cast<int>(options))
        out.insert(index);
    }
  }
  return out;
}

std::string question_stem(const Sample& s) {
  const std::size_t at = s.question.find("(a)");
  return plain(std::string_view(s.question).substr(0, at));
}

std::set<std::string> stems_in(const std::string& plain_text) {
  std::set<std::string> out;
  std::string word;
  for (const char c : plain_text) {
    if (c != ' ') {
      word += c;
    } else {
      std::string stem = word_stem(word);
      while (!stem.empty() && stem.back() == '?') stem.pop_back();
      if (stem.size() > 1) out.insert(stem);
      word.clear();
    }
  }
  return out;
}

// Words of option k that no other option and no question has.
std::set<std::string> own_words(const Sample& s, std::size_t k) {
  std::set<std::string> own = stems_in(plain(s.choices[k]));
  for (const std::string& word : stems_in(question_stem(s))) own.erase(word);
  for (std::size_t i = 0; i < s.choices.size(); ++i) {
    if (i == k) continue;
    for (const std::string& word : stems_in(plain(s.choices[i]))) own.erase(word);
  }
  return own;
}

int shared(const std::set<std::string>& a, const std::set<std::string>& b) {
  return static_cast<int>(std::count_if(a.begin(), a.end(), [&](const std::string& w) { return b.contains(w); }));
}

void check_letters(Reading& r, const std::string& text, int gold) {
  const std::set<int> letters = letters_in(text, r.sample->choices.size());
  if (!letters.empty() && !letters.contains(gold))
    wrong_answer(r, std::string("option ") + static_cast<char>('a' + *letters.begin()));
}

}  // namespace

// By text: other options named, and the right one not.
void check_option_text(Reading& r, const std::string& text, int gold) {
  const Sample& s = *r.sample;
  const std::string said = plain(text), stem = question_stem(s);
  const std::vector<int> named = options_in(s.choices, said);
  if (std::find(named.begin(), named.end(), gold) != named.end() || holds(said, plain(s.answer_text))) return;
  const std::set<std::string> words = stems_in(said);
  const int of_gold = shared(own_words(s, static_cast<std::size_t>(gold)), words);
  for (const int k : named) {
    if (!holds(stem, plain(s.choices[static_cast<std::size_t>(k)])) && of_gold == 0)
      return wrong_answer(r, "\"" + s.choices[static_cast<std::size_t>(k)] + "\"");
  }
  if (of_gold > 0 || r.find("not", 0, r.size()) >= 0) return;
  for (std::size_t k = 0; k < s.choices.size(); ++k) {
    const std::set<std::string> own = own_words(s, k);
    const int hits = shared(own, words);
    if (static_cast<int>(k) != gold && hits >= 2 && hits * 2 > static_cast<int>(own.size()))
      return wrong_answer(r, "\"" + s.choices[k] + "\"");
  }
}

// Sounds that the response names, those of the question apart.
void check_sound_names(Reading& r, const std::string& text) {
  const Sample& s = *r.sample;
  const SoundConcepts gold = r.facts.words().of_label(s.answer_text);
  if (gold.empty() || s.answer_text.find(' ') != std::string::npos ? gold.empty() : false) return;
  const auto meets = [&](const SoundConcepts& c) {
    return std::any_of(c.begin(), c.end(), [&](int i) { return gold.contains(i); });
  };
  bool asked_gold = false;
  std::set<int> asked;
  const auto read_all = [&](const Sentence& sentence, const auto& each) {
    std::vector<std::string> stems;
    for (const Word& w : sentence.words) stems.push_back(w.quote ? "" : w.stem);
    for (std::size_t i = 0; i < stems.size();) {
      const SoundWord word = stems[i].empty() ? SoundWord{} : r.facts.words().read(stems, i);
      if (word.words > 0) each(word, static_cast<int>(i));
      i += static_cast<std::size_t>(std::max(1, word.words));
    }
  };
  for (const Sentence& q : sentences_of(s.question))
    read_all(q, [&](const SoundWord& w, int) {
      asked.insert(w.sure.begin(), w.sure.end());
      asked_gold = asked_gold || meets(w.concepts);
    });
  bool named_gold = false, named_other = false;
  for (const Sentence& sentence : sentences_of(text)) {
    read_all(sentence, [&](const SoundWord& w, int at) {
      if (meets(w.concepts)) named_gold = true;
      const bool of_question =
          !asked_gold && std::any_of(w.sure.begin(), w.sure.end(), [&](int c) { return asked.contains(c); });
      if (w.sure.empty() || of_question || SoundWords::speech(w.concepts)) return;
      if (find_word(sentence, "not|no|than|unlike|like|after|before|without", at - 4, at) < 0) named_other = true;
    });
  }
  if (named_other && !named_gold) wrong_answer(r, "another sound");
}

void check_yes_no(Reading& r, const std::string& text) {
  static const std::regex opening(R"(^[\s*"'(]*(yes|no|yeah|nope)\b(?! (?:sound|one|dog|other|more)))", std::regex::icase),
      closing(R"(\b(?:so|hence|therefore|thus|answer is|answer:)[\s*:,]+(yes|no)\b[\s*]*[.,;!]?\s*(?:$|[^a-z\s]))",
              std::regex::icase);
  std::smatch found;
  const std::string copy = text.substr(0, 2000);
  if (!std::regex_search(copy, found, opening) && !std::regex_search(copy, found, closing)) return;
  const bool yes = (found[1].str()[0] | 0x20) == 'y';
  if (yes != (r.sample->answer_text == "yes")) wrong_answer(r, yes ? "yes" : "no");
}

void check_digits_said(Reading& r, const std::string& text) {
  const std::string said = digits_of(text), gold = digits_of(r.sample->answer_text);
  if (!said.empty() && !gold.empty() && said.find(gold) == std::string::npos) wrong_answer(r, said);
}

namespace {

void check_number(Reading& r, const std::string& text, double gold) {
  const std::vector<double> said = numbers_in(text);
  // "Four: two dogs and two cats": the answer is among them.
  if (!said.empty() && std::find(said.begin(), said.end(), gold) == said.end())
    wrong_answer(r, std::to_string(static_cast<int>(said[0])));
}

void check_open_answer(Reading& r, const std::string& text) {
  const Sample& s = *r.sample;
  if (s.kind == "describe" || s.kind.starts_with("translation")) return;
  if (const auto gold = parts_in(s.answer_text); gold.size() == 1 && s.answer_text.size() < 20) {
    const auto said = parts_in(text);
    if (said.size() == 1 && said != gold) wrong_answer(r, "the other part");
    return;
  }
  if (s.domain == "speech" || s.domain == "music") return;
  check_sound_names(r, text);
}

}  // namespace

// Two alternatives without letters: named is only the other one.
void check_either(Reading& r, const std::string& text) {
  const Sample& s = *r.sample;
  const std::string said = plain(text);
  const std::vector<int> named = options_in(s.choices, said);
  // "the fire" is the crackling fire
  const std::set<std::string> of_gold = stems_in(plain(s.answer_text)), words = stems_in(said);
  const bool gold = holds(said, plain(s.answer_text)) || shared(of_gold, words) > 0;
  if (gold || named.empty() || s.choices.size() != 2) return check_open_answer(r, text);
  const Sentence whole = [&] {
    Sentence out;
    for (const Sentence& part : sentences_of(text)) out.words.insert(out.words.end(), part.words.begin(), part.words.end());
    return out;
  }();
  if (!has_word(whole, "not|shorter|less|fewer|never|than|before|after|briefer|quieter|only|earlier|sooner|no"))
    wrong_answer(r, s.choices[static_cast<std::size_t>(named[0])]);
}

void check_response(Reading& r) {
  const Sample& s = *r.sample;
  if (s.answer_text.empty()) return;
  const std::string text = s.sections[Section::kResponse];
  const int gold = letter_index(s.answer_letter);
  check_summary(r, gold);
  if (gold >= 0 && gold < static_cast<int>(s.choices.size())) {
    check_letters(r, text, gold);
    check_option_text(r, text, gold);
    if (s.domain == "sound" && s.choices[static_cast<std::size_t>(gold)] == s.answer_text &&
        options_in(s.choices, plain(text)).empty() && s.kind != "sound-order" && s.kind != "complex-duration")
      check_sound_names(r, text);
    return;
  }
  if (s.answer_text == "yes" || s.answer_text == "no") return check_yes_no(r, text);
  if (s.kind.find("digits") != std::string::npos) return check_digits_said(r, text);
  if (number_text(s.answer_text)) return check_number(r, text, std::stod(s.answer_text));
  check_either(r, text);
}

}  // namespace areason::claims
