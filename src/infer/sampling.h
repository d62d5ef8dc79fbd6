#pragma once
// From logits to the next token: repetition penalty, mask, temperature, top-k, top-p, min-p, in transformers' order (facts 3.6;
// min-p last, as generation/utils.py of 4.57 puts it). Called by the generator. Thread rule: one sampler per sequence.
#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"
#include "infer/token_mask.h"

namespace areason {

struct SamplingOptions {
  float temperature = 0;         // 0: the best token
  int top_k = 0;                 // 0: off
  float top_p = 1;               // 1: off
  float min_p = 0;               // 0: off
  float repetition_penalty = 1;  // over prompt and output ids, once per distinct id
  std::uint64_t seed = 42;
};

class Sampler {
 public:
  explicit Sampler(const SamplingOptions& options) : options_(options), random_(options.seed) {}
  // These ids are penalised from now on.
  void remember(std::span<const int> ids);
  // Picks a token and returns its id. `logits` is changed. `allowed` may be null; it must allow at least one id.
  // Throws Error(kModel) when the logits are not numbers.
  int pick(std::span<float> logits, const TokenMask* allowed);

 private:
  class Descending;
  void penalise(std::span<float> logits) const;
  int draw(std::span<const int> ids, std::span<const float> weights, double total);

  SamplingOptions options_;
  Random random_;
  std::vector<bool> seen_;
  std::vector<int> seen_ids_;
};

}  // namespace areason
