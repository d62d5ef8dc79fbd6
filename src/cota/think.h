#pragma once
// Stage 2: a teacher's chain of thought, read into the five sections and held to what can be checked at once: complete, in
// order, ends in the answer that was given, does not say that it knew it. Called by stage_run and tests. Thread rule: free
// functions.
#include <string>
#include <string_view>

#include "cot/sections.h"
#include "cota/annotate.h"
#include "cota/sample.h"

namespace areason {

// `sample` has the question, its choices and the letter of its answer.
Parsed<Chain> parse_thought(std::string_view text, const Sample& sample);

// The words by which a chain admits that it was given the answer or a description ("the provided caption"); "" when it does
// not.
std::string leak_in(std::string_view text);

}  // namespace areason
