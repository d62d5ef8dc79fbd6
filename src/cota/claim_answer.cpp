// What a short text gives as its answer, before it is held against the known one.
#include "cota/claim_answer.h"

#include <algorithm>
#include <cmath>

namespace areason::claims {

bool holds(const std::string& text, const std::string& phrase) {
  return phrase.size() > 2 && text.find(phrase) != std::string::npos;
}

// The options whose text stands in `text`, not inside a longer one that does too.
std::vector<int> options_in(const std::vector<std::string>& options, const std::string& text) {
  std::vector<int> out;
  for (std::size_t i = 0; i < options.size(); ++i) {
    const std::string own = plain(options[i]);
    if (!holds(text, own)) continue;
    const std::size_t at = text.find(own);
    const std::string before = text.substr(at > 14 ? at - 14 : 0, std::min<std::size_t>(at, 14));
    bool skip = false;
    for (const char* cue : {" not ", " than ", " unlike ", " no ", " nor ", " without ", " instead of "})
      skip = skip || before.find(cue) != std::string::npos;
    for (std::size_t k = 0; k < options.size() && !skip; ++k) {
      const std::string longer = plain(options[k]);
      skip = k != i && longer.size() > own.size() && longer.find(own) != std::string::npos && holds(text, longer);
    }
    if (!skip) out.push_back(static_cast<int>(i));
  }
  return out;
}

std::string digits_of(const std::string& text) {
  std::string out;
  for (const Sentence& s : sentences_of(text)) {
    for (const Word& w : s.words) {
      if (w.quote) {
        out += digits_of(w.text);
      } else if (w.number >= 0 && w.text.find('.') == std::string::npos &&
                 std::isdigit(static_cast<unsigned char>(w.text[0])) != 0) {
        out += w.text;
      } else if (w.number >= 0 && w.number <= 9 && w.number == std::floor(w.number) &&
                 is_one(w, "zero|one|two|three|four|five|six|seven|eight|nine")) {
        out += std::to_string(static_cast<int>(w.number));
      } else if (is_one(w, "oh")) {
        out += '0';
      }
    }
  }
  return out;
}

// Whole numbers that may count something; times, lengths and names of files are none.
std::vector<double> numbers_in(const std::string& text) {
  std::vector<double> said;
  for (const Sentence& s : sentences_of(text)) {
    for (int i = 0; i < static_cast<int>(s.words.size()); ++i) {
      const Word& w = s.words[static_cast<std::size_t>(i)];
      const double adverb = is_one(w, "once") ? 1 : is_one(w, "twice") ? 2 : is_one(w, "thrice") ? 3 : -1;
      const double n = adverb > 0 ? adverb : w.number;
      if (n < 0 || n != std::floor(n) || (is_one(w, "half"))) continue;
      if (find_word(s, "s|sec|second|seconds|minute|minutes|%|percent|of", i + 1, i + 2) >= 0) continue;
      if (find_word(s, "speaker|audio|option|part|clip|person|voice|track|recording|each|every|this|that|which", i - 1, i) >= 0)
        continue;
      if (find_word(s, "at|from|to|until|between|about|around", i - 1, i) >= 0 && w.text.find('.') != std::string::npos)
        continue;
      said.push_back(n);
    }
  }
  return said;
}

// "audio 2", "the second part": which file or part is meant.
std::set<int> parts_in(const std::string& text) {
  std::set<int> out;
  for (const Sentence& s : sentences_of(text)) {
    for (int i = 0; i + 1 < static_cast<int>(s.words.size()); ++i) {
      const Word &a = s.words[static_cast<std::size_t>(i)], &b = s.words[static_cast<std::size_t>(i + 1)];
      if (is_one(a, "audio|clip|recording|part|file|track|half") && b.number >= 1 && b.number <= 3)
        out.insert(static_cast<int>(b.number));
      if (a.ordinal > 0 && a.ordinal <= 3) out.insert(a.ordinal);
    }
    if (s.words.size() == 1 && s.words[0].ordinal > 0) out.insert(s.words[0].ordinal);
  }
  return out;
}

bool number_text(const std::string& text) {
  return !text.empty() && text.size() < 4 && text.find_first_not_of("0123456789") == std::string::npos;
}

void wrong_answer(Reading& r, const std::string& what) {
  r.errors.push_back("answer: it says " + what + ", the answer is " + r.sample->answer_text);
}

}  // namespace areason::claims
