#pragma once
// Clauses of a sentence as the reader sees them: who sounds ("the horn", "it", "her question about the fence"), and whether it
// begins, ends, goes on or just sounds there. What is referred to is a set of candidates: a claim is wrong only when none of
// them makes it true. Called by the rules for when and how much. Thread rule: values and free functions.
#include <vector>

#include "cota/claim_rules.h"
#include "cota/claim_senses.h"

namespace areason::claims {

struct Ref {
  int begin = 0, end = 0;  // words of the sentence
  Set events;              // any of them may be meant
  bool pronoun = false;    // … since what it stands for lies further back
  bool plain = true;       // said to be there, neither denied nor only weighed
  bool denied = false;
};

// Is there a noun before word i that no table knows, and that a pronoun may mean?
bool unknown_noun(const Reading& r, int before);

// Sounds, people, quotations and pronouns, from left to right.
std::vector<Ref> refs_in(const Reading& r);

enum class Aspect { kSounds, kStarts, kEnds, kStill };

struct Clause {
  int begin = 0, end = 0;
  const Ref* subject = nullptr;
  Aspect aspect = Aspect::kSounds;
  bool negated = false;
  bool clear = true;  // its aspect is not in doubt
  bool verb = false;  // more than a name
};

struct Read {
  explicit Read(Reading& reading) : r(reading), refs(refs_in(reading)), senses(senses_in(reading.sentence)) {}
  Reading& r;
  std::vector<Ref> refs;
  std::vector<SensePlace> senses;

  bool border(int i) const;  // does a clause end before word i?
  int clause_begin(int i) const;
  int clause_end(int i) const;
  Clause clause(int from, int to) const;
  const Ref* ref_in(int from, int to) const;  // the first one
  const Ref* last_ref(int from, int to) const;
  bool sense_in(Sense sense, int from, int to) const;
};

}  // namespace areason::claims
