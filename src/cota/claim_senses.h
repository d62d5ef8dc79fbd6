#pragma once
// What words do in a sentence about time: "kicks in", "has died away" and "is still going" as senses of one table, verbs in all
// their forms, the longest phrase first. Called by the reader of clauses (claim_clauses.h) and the rules for measures. Thread
// rule: constant table, free functions.
#include <string>
#include <vector>

#include "cota/claim_text.h"

namespace areason::claims {

enum class Sense {
  kNone,
  kStart,  // begins to sound
  kEnd,    // stops sounding
  kStill,  // goes on sounding
  kAfter,  // connectives …
  kBefore,
  kOnce,  // when that is so, then
  kWhile,
  kUntil,
  kInside,   // "on top of", "in the middle of"
  kOutside,  // "clear of", "nowhere near"
  kMeet,     // two at a time
  kLonger,   // degrees …
  kShorter,
  kLouder,
  kQuieter,
  kLongest,
  kShortest,
  kLoudest,
  kQuietest,
};

struct SensePlace {
  Sense sense = Sense::kNone;
  int begin = 0, end = 0;  // words of the sentence
};

// All that the table finds, from left to right.
std::vector<SensePlace> senses_in(const Sentence& s);

}  // namespace areason::claims
