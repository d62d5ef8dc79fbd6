#pragma once
// What an answer that a policy wrote is worth: rules, no model. Each part is a pure function of the sample and the answer's
// text. Called by grpo.cpp and tests. Thread rule: free functions.
#include <array>
#include <optional>
#include <string_view>

#include "cota/sample.h"

namespace areason::train {

// 1 when `data score` counts it as right (cota/check.h), else 0.
double answer_reward(const Sample& sample, std::string_view text);

// 1 when all five sections are there, in order, each closed, and nothing in them is empty; else 0.
double structure_reward(std::string_view text);

struct LengthRule {
  int budget = 0;  // tokens; 0: no answer is too long
  int limit = 0;   // most tokens that an answer may have
};
enum class Ending { kByItself, kCut };  // kCut: by the limit
// 0 up to the budget, then falling in a straight line to -1 at the limit; -1 for an answer that was cut (DAPO's soft
// overlong punishment, arXiv 2503.14476).
double length_reward(int tokens, Ending ending, const LengthRule& rule);

// How true and how full the CAPTION is, held against the timeline by the checker of free chains (cota/claims.h): the share of
// the timeline's events (background apart) that it mentions, divided by 1 + the number of its false claims. So neither saying
// nothing nor saying everything pays. None without a timeline.
std::optional<double> caption_reward(const Sample& sample, std::string_view text);

enum class RewardPart { kAnswer, kStructure, kCaption, kLength };
inline constexpr int kRewardParts = 4;
const char* reward_part_name(RewardPart part);  // "answer" …
using RewardNumbers = std::array<double, kRewardParts>;

struct RewardRule {
  RewardNumbers weights = {1, 0, 0, 0};  // by RewardPart
  LengthRule length;
};

struct JudgedAnswer {
  RewardNumbers parts{};  // unweighted; 0 for a part that says nothing about this sample
  double total = 0;
};
struct WrittenAnswer {
  std::string_view text;
  int tokens = 0;
  Ending ending = Ending::kByItself;
};
// Parts of weight 0 are computed too, for the log, but for the caption's, which takes longest.
JudgedAnswer judge(const Sample& sample, const WrittenAnswer& answer, const RewardRule& rule);

}  // namespace areason::train
