#pragma once
// English sentences as the checker reads them (claims.h): words with their stems and numbers, quotations in one piece, and the
// clause that each word belongs to. Thread rule: values and free functions.
#include <string>
#include <string_view>
#include <vector>

namespace areason::claims {

struct Word {
  std::string text;    // lower case; punctuation is a word of its own
  std::string stem;    // "" for punctuation
  double number = -1;  // of "3", "2.5", "three", "a couple"
  int ordinal = 0;     // of "first", "2nd"; -1 for "last", "final"
  int clause = 0;
  int segment = 0;       // finer than clauses: between commas, brackets and conjunctions
  bool open = false;     // weighed, planned, quoted or asked, not said to be so
  bool capital = false;  // written with one
  bool quote = false;    // text is what stands between quotation marks, in plain words
};

struct Sentence {
  std::vector<Word> words;
  std::string source;  // as it was written, for messages
  bool question = false;
};
inline const Word& word(const Sentence& s, int i) { return s.words[static_cast<std::size_t>(i)]; }

// Lists of lettered options are left out. Line breaks and semicolons end sentences too.
std::vector<Sentence> sentences_of(std::string_view text);

// "half a second" becomes "0.5 seconds", "two and a half" "2.5", "seven tenths of a second" "0.7 seconds".
void join_numbers(Sentence& s);

// An amount with what is said about its exactness: "just under 3", "more than two", "about 5".
struct Amount {
  double value = 0, low = 0, high = 0;
  bool rough = false;
  bool fits(double truth, double slack) const { return truth >= low - slack && truth <= high + slack; }
};
Amount amount_at(const Sentence& s, int i);

// The number that a word or figure is ("three", "2.5", "couple"); -1 for any other.
double number_of(const std::string& word);

// " word word " in lower case without punctuation.
std::string plain(std::string_view text);

// Is the word, by its text, one of a list "a|b|c"?
bool is_one(const Word& word, std::string_view list);
// The first word of `list` in [from, to); -1 without one.
int find_word(const Sentence& s, std::string_view list, int from, int to);
bool has_word(const Sentence& s, std::string_view list);
// Is it a verb that may carry a clause?
bool is_verb(const Word& word);

}  // namespace areason::claims
