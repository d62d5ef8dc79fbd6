#pragma once
// Whether an answer is right (the rule of its kind, cota/kinds.h) and whether a generated sample agrees with itself. Called by
// the scorer, by synth_job for every sample it writes, and by the trainer's evaluation. Thread rule: free functions.
#include <string>
#include <string_view>
#include <vector>

#include "cota/sample.h"

namespace areason {

// `response` is the text of the RESPONSE section, or a whole answer (its last response section counts then).
bool check_answer(const Sample& sample, std::string_view response);

// The letter of the last "answer is X" as 0, 1, …; -1 when there is none.
int answer_letter(std::string_view text);
// The last number, in digits or in words up to twenty; -1 when there is none.
int last_number(std::string_view text);
// All digits, spoken or written: "four 7" gives "47".
std::string digits_in(std::string_view text);

// What is wrong with a generated sample: gold response judged wrong, times of the chain that are not in the caption, quotes
// that nobody says, an option that does not exist. Empty when all is well.
std::vector<std::string> sample_problems(const Sample& sample);

}  // namespace areason
