#pragma once
// Whom an amount of a sentence is about: "it lasts two seconds", "the last one starts at 4 s". Called by the rule for times.
// Thread rule: values and free functions.
#include <vector>

#include "cota/claim_rules.h"

namespace areason::claims {

// What a mention may mean, turns included.
Set events_of(const Reading& r, const Mention& m);

struct Subjects {
  std::vector<Set> sets;  // any of them may be meant
  bool resolved = false;  // … and nothing else
};

// The sounds that an amount at word i may be about.
Subjects subjects(const Reading& r, int i);
// Is there one sound that the amount can be about, named in the same breath?
bool clear_subject(const Reading& r, int i);

}  // namespace areason::claims
