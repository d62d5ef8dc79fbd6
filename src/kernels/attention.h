#pragma once
// softmax(q k^T / sqrt(d)) v for every head, with grouped keys and values; one block of queries at a time, so that memory
// grows with one block's scores only. Called by src/model (encoder: no mask; decoder: causal, with a cache).
// Thread rule: one caller at a time per pool. Shapes: q, out [queries][heads * d]; k, v [keys][kv_heads * d].
#include "kernels/linear.h"

namespace areason {

enum class Mask { kNone, kCausal };  // causal: query i sees keys [0, keys - queries + i]

struct AttentionArgs {
  const float* q = nullptr;
  const float* k = nullptr;
  const float* v = nullptr;
  float* out = nullptr;
  int queries = 0;
  int keys = 0;
  int heads = 0;
  int kv_heads = 0;  // divides heads
  int head_dim = 0;
  Mask mask = Mask::kNone;
};

void attention(const KernelContext& context, const AttentionArgs& args);

}  // namespace areason
