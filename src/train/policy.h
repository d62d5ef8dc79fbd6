#pragma once
// The arithmetic of GRPO (DeepSeekMath, arXiv 2402.03300), on plain numbers: advantages within a group of answers to one
// question, and what one sampled token adds to the loss and its gradient. Called by grpo.cpp and tests. Log-probabilities are
// natural logarithms under the distribution that was sampled from. Thread rule: pure functions.
#include <span>
#include <vector>

namespace areason::train {

enum class AdvantageScale {
  kDeviation,  // (reward - mean) / (standard deviation + 1e-4), as the paper
  kNone,       // reward - mean (Dr. GRPO, arXiv 2503.20783)
};

// Rewards that do not differ: nothing can be learned from the group.
bool equal_rewards(std::span<const double> rewards);
// One per answer; all 0 for equal rewards.
std::vector<double> advantages(std::span<const double> rewards, AdvantageScale scale);
double mean_of(std::span<const double> values);
double deviation_of(std::span<const double> values);  // of a sample: n - 1

struct PolicyLimits {
  double ratio_low = 0.2, ratio_high = 0.2;  // the ratio is clipped to [1 - low, 1 + high]
  double kl = 0.04;                          // weight of the divergence from the reference
};

// Of one token that the policy chose.
struct ChosenToken {
  double now = 0;        // its log-probability under the weights that train,
  double old = 0;        // under those that wrote it,
  double reference = 0;  // and under the reference
  double advantage = 0;  // of its answer
};

struct PolicyTerm {
  double loss = 0;   // -min(ratio * A, clipped ratio * A) + kl * k3
  double slope = 0;  // d loss / d now
  double kl = 0;     // the k3 estimate exp(d) - d - 1 of KL(policy | reference), d = reference - now; never negative
  bool clipped = false;
};
PolicyTerm policy_term(const ChosenToken& token, const PolicyLimits& limits);

// What a token of an answer weighs in the mean over a step.
enum class TokenWeights {
  kTokens,   // 1 / all tokens of the step (DAPO, arXiv 2503.14476): long answers weigh more
  kAnswers,  // 1 / (answers * the answer's own tokens): the paper's
  kLimit,    // 1 / (answers * most tokens that an answer may have): Dr. GRPO
};

}  // namespace areason::train
