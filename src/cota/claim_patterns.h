#pragma once
// Relations between sounds as patterns of words: "X precedes X", "X , followed by X", "CLIP ends with X". A pattern is a list
// of words; X is a sound of the sentence, words in capitals are sets of words, "?" marks what may be left out. Words that say
// nothing about the relation ("a", "loud", "soon") may stand between; negations, conjunctions and prepositions may not.
// Called by the checker's rule for patterns. Thread rule: constant table, free functions.
#include <string>
#include <vector>

#include "cota/claim_rules.h"

namespace areason::claims {

enum class Relation {
  kNone,
  kBefore,  // the first begins before the second
  kAfter,
  kDone,  // the first is over before the second begins
  kDoneAfter,
  kOverlap,
  kApart,
  kLonger,
  kShorter,
  kLouder,
  kQuieter,
  kFirst,  // of one sound
  kLast,
  kEarly,
  kLate,
  kWhole,
  kLongest,
  kShortest,
  kLoudest,
  kQuietest
};

struct Match {
  Relation relation = Relation::kNone;
  int begin = 0, end = 0;              // words of the sentence
  std::vector<const Mention*> sounds;  // in their order
};

// All that the table finds in the sentence, the longest where several begin at one word.
std::vector<Match> matches_in(const Reading& r);

}  // namespace areason::claims
