#pragma once
// Attention of the audio encoder in the arithmetic of its weights. Where they are integers, queries, keys, values and
// probabilities are rounded to int8 per group of 32 as activations are, where they are f16 (a converted encoder) and the
// machine multiplies bf16, to bf16; both products then run through linear(). Else it is attention() in f32. No mask; several
// windows at once, each seeing itself only. Called by encoder.cpp. Thread rule: one caller at a time per pool. Shapes: q, k, v,
// out [positions of all windows][heads * head_dim].
#include <vector>

#include "kernels/linear.h"

namespace areason {

struct EncoderAttention {
  int heads = 0;
  int head_dim = 0;
  WeightType weights = WeightType::kF32;  // of the layer's projections
  std::vector<int> windows;               // positions of each

  void run(const KernelContext& context, const float* q, const float* k, const float* v, float* out) const;
};

}  // namespace areason
