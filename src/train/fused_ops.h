#pragma once
// Autograd functions over kernels.h: the parts of the model that plain ATen would do in many passes over memory. Called by
// decoder.cpp and encoder.cpp. Tensors are f32 or bf16 (activations), contiguous; statistics, weights of norms and the
// residual stream are f32. Thread rule: one thread at a time (they use torch's own pool).
#include <memory>
#include <vector>

#include "train/torch.h"

namespace areason::train {

// x [T, H] f32 -> [T, H] in `out_type`.
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, at::ScalarType out_type);

// Which keys a run of queries sees: the shared prefix [prefix_begin, +prefix) and then itself causally (or all of itself).
// A whole sequence is one block without prefix; the suffixes of a packed row are blocks that share one.
struct AttentionBlock {
  std::int64_t begin = 0, count = 0;
  std::int64_t prefix_begin = 0, prefix = 0;
  bool causal = true;
};

struct AttentionPlan {
  int heads = 0, kv_heads = 0, head_dim = 0;
  std::vector<AttentionBlock> blocks;
  at::Tensor positions;  // [T] i64; used when cos is defined
  at::Tensor cos, sin;   // [max positions, head_dim / 2] f32, or undefined: no rotation
};

// qkv [T, (heads + 2 kv) * dim] (after the projections' biases) -> [T, heads * dim]: splits, rotates, attends block by block.
at::Tensor attention(const at::Tensor& qkv, std::shared_ptr<const AttentionPlan> plan);

// gate_up [T, 2F] -> silu(gate) * up [T, F].
at::Tensor swiglu(const at::Tensor& gate_up);

struct TokenLoss {
  at::Tensor sum;                   // scalar f32 with gradient: the sum over the rows
  std::vector<float> loss;          // per row
  std::vector<std::uint8_t> right;  // per row: the label had the largest logit
};
// logits [N, V] are consumed: their memory becomes the gradient. Call backward at most once. `weights` [N] f32, or undefined
// for ones: `sum` and the gradient are weighted, the losses per row are not.
TokenLoss cross_entropy_sum(const at::Tensor& logits, const at::Tensor& labels, const at::Tensor& weights = {});

}  // namespace areason::train
