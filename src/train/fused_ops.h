#pragma once
// Autograd functions over kernels.h: the parts of the model that plain ATen would do in many passes over memory. On another
// device than the processor the same is done by torch's operations (device_ops.h). Called by train_model.cpp. Tensors are f32
// or bf16 (activations), contiguous; statistics, weights of norms and the residual stream are f32. Thread rule: one thread at a
// time (they use torch's own pool).
#include <functional>
#include <memory>
#include <span>
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
  at::Tensor sum;                   // scalar f32 with gradient: the sum of the rows' objectives
  std::vector<float> loss;          // per row: the plain cross entropy
  std::vector<std::uint8_t> right;  // per row: the label had the largest logit
  at::Tensor on_device;             // both as [2, N] f32 until settle(); undefined on the processor
  // Waits for the device and fills `loss` and `right`.
  void settle();
};
struct HeadLossOptions {
  at::Tensor weights;    // [N] f32, or undefined for ones: `sum` and the gradient are weighted, the losses per row are not
  double smoothing = 0;  // label smoothing
  double z = 0;          // z-loss
  // Of another distribution than the softmax of the logits: softmax(scale * logits + shifts[shift_rows]).
  double scale = 1;
  at::Tensor shifts, shift_rows;  // [K, V] f32 and [N] i64, or undefined: none
  // In place of `weights`: told the plain losses of the rows from `begin` on, writes their weights. The gradient of `sum` is
  // then that of the weighted losses, the weights being constants; its value means nothing.
  std::function<void(std::int64_t begin, std::span<const float> losses, float* weights)> weigh;
  // Of logits at a time. On a device in f32, and four times as many: its matrix products want more rows.
  std::int64_t bytes = std::int64_t{64} << 20;
};
// x [N, H] times weight [V, H] (both of the compute type) against labels [N]. Logits exist for a few rows at a time only, their
// gradients are taken at once. Call backward at most once.
TokenLoss head_loss(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& labels,
                    const HeadLossOptions& options = {});

// What a layer computes; called with Pass::kAgain in the backward pass, when it must do exactly what it did before.
enum class Pass { kFirst, kAgain };
using LayerBody = std::function<at::Tensor(const at::Tensor& x, Pass pass)>;
// body(x) that keeps x alone and computes the rest again for the gradient. `parameters`: every leaf that body reads.
at::Tensor recomputed(const at::Tensor& x, const std::vector<at::Tensor>& parameters, const LayerBody& body);

}  // namespace areason::train
