#pragma once
// The rubric protocol of MMAR (ddlBoJack/MMAR @HEAD, code/evaluation_rubrics.py): a wrong answer scores 0; for a right one a
// judge (gpt-4o-2024-11-20, temperature 0, seed 42) gives each criterion of the item's rubric one of its choices, five times;
// the item's score is the mean of the middle three. Functions only: the client that asks lies elsewhere. Called by tests and
// the runner. Thread rule: free functions.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"

namespace areason {

inline constexpr int kRubricRaters = 5;

std::string_view rubric_system_prompt();
// The user message for an item with question, answer, thinking, rubric, thinking_prediction and answer_prediction. Throws
// Error(kInput) naming the field that is missing.
std::string rubric_prompt(const Json& item);

struct RubricReply {
  std::optional<double> score;  // 0 to 1; empty when the script would ask again
  std::string problem;          // why
};
RubricReply parse_rubric_reply(std::string_view reply, const Json& rubric);
// Mean without the lowest and the highest (from three on).
double trimmed_mean(std::vector<double> scores);

}  // namespace areason
