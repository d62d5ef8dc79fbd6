#pragma once
// What a reinforcement run (`--method grpo`) adds to the options of trainer.h. Filled by grpo_flags.cpp. Thread rule: values.
#include <cstdint>
#include <map>
#include <string>

#include "model/safetensors.h"
#include "train/policy.h"
#include "train/rewards.h"

namespace areason::train {

enum class AnswerShape { kGuided, kFree };  // guided: the five sections are guaranteed (infer/guide.h)

struct SamplingRule {
  AnswerShape shape = AnswerShape::kGuided;
  double temperature = 1;  // 0: the best token (evaluation)
  int max_new_tokens = 512;
  int running = 16;             // answers that an engine writes at the same time
  DType weights = DType::kF32;  // that the engine computes with
};

struct GrpoOptions {
  int prompts = 16;  // questions a step
  int group = 8;     // answers to each
  int updates = 1;   // of the weights with a step's answers
  int resample = 0;  // so many times questions whose answers have equal rewards are replaced by others (DAPO)
  SamplingRule sampling;
  PolicyLimits limits;
  AdvantageScale scale = AdvantageScale::kDeviation;
  TokenWeights token_weights = TokenWeights::kTokens;
  RewardRule rewards;
  std::string reference;                 // checkpoint that the divergence is from; default: --init
  std::map<std::string, double> prefer;  // how often a question of this kind is drawn, 1 without an entry
};

}  // namespace areason::train
