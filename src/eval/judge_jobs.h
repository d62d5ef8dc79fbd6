#pragma once
// What the judges' halves share: whether an MMAR answer is right, and how a chain becomes the reasoning that the rubrics rate.
// Used in this folder only. Thread rule: free functions.
#include <string>

#include "eval/items.h"

namespace areason {

struct RubricAnswer {
  bool right = false;
  std::string answer;    // the option that the response names, else the response
  std::string thinking;  // the chain before RESPONSE, without tags
};
bool has_rubric(const BenchmarkItem& item);
RubricAnswer rubric_answer(const BenchmarkItem& item, const std::string& reply);
// "ITEM|rater3".
std::string rater_id(const std::string& item, int rater);

}  // namespace areason
