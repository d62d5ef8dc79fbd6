#pragma once
// The formal language that a language model translates a chain into (prompts/check), so that the program can hold every claim
// against the timeline: comparisons of numbers ("start(siren) ~ 0.4", "count(cow moo) - count(dog bark) = 1") and facts
// ("not overlap(any; any)", "says(man 2; "see you")"). What stands for what is told there. Called by the reader
// (statement_reader.h) and the judge (statement_judge.h). Thread rule: values and free functions.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace areason::claims {

// One thing that a claim is about: "dog bark #2 @1", "man 2", "each bell", "\"good morning\"".
struct Name {
  enum class What { kSound, kAny, kSpeech, kMan, kWoman, kMusic, kWords };
  What what = What::kSound;
  std::string text;   // of a sound in lower case; of words as they are
  int person = 0;     // the second man, the third person; 0: any
  int nth = 0;        // the second occurrence, -1 the last; 0: any
  int audio = 0;      // file 1, 2 …; 0: any
  bool each = false;  // of every occurrence
};
using Names = std::vector<Name>;  // alternatives: what is said may mean each of them

struct Expression {
  enum class What { kNumber, kFunction, kOperation };
  What what = What::kNumber;
  double number = 0;
  int decimals = 0;      // that the number was written with
  std::string function;  // start, end, length, level, count, kinds, voices, words, digits, gap, shared, overlaps, clip, files
  std::vector<Names> of;
  char operation = 0;  // + - * /
  std::vector<Expression> sides;
};

struct Statement {
  std::string source;
  bool denied = false;
  std::string fact;  // heard, before …; "other" for what the language cannot say; "" for a comparison
  std::vector<Names> of;
  std::vector<Expression> amounts;  // times, a place
  std::string text;                 // words, a value
  std::string relation;             // = ~ != < > <= >=
  Expression left, right;
};

struct Statements {
  std::vector<Statement> read;
  std::vector<std::string> unread;  // lines that are none
};
// Takes what models really send: tags or none, code fences, bullets, numbered lines, "= yes" behind a fact, commas for
// semicolons.
Statements parse_statements(std::string_view text);

}  // namespace areason::claims
