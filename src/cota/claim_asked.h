#pragma once
// Questions that a chain asks and answers itself ("Which is longer? The first."), as one statement each, behind the answer.
// Called by claims.cpp on the sentences of a section. Thread rule: free function on values.
#include <vector>

#include "cota/claim_text.h"

namespace areason::claims {

std::vector<Sentence> with_own_answers(std::vector<Sentence> sentences);

}  // namespace areason::claims
