#pragma once
// What kernels.h does with raw pointers, done with torch's operations: taken by fused_ops.cpp when tensors are not on the
// processor. Equal to the kernels within rounding; nothing here waits for the device. Attention goes through
// scaled_dot_product_attention, one call a run of a packed row: on CUDA in bf16 that is a flash kernel, and for the suffixes of
// a shared prefix, which need a mask, the memory-efficient one; neither keeps probabilities. Thread rule: as torch.
#include <memory>

#include "train/fused_ops.h"

namespace areason::train {

// As rms_norm(), swiglu() and attention() of fused_ops.h.
at::Tensor plain_rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, at::ScalarType out_type);
at::Tensor plain_swiglu(const at::Tensor& gate_up);
at::Tensor plain_attention(const at::Tensor& qkv, const AttentionPlan& plan);

// The rows of a piece of the head: logits [n, V] become the gradient of the rows' objectives; returns [3, n] f32: the plain
// cross entropies, whether each label had the largest logit (1 or 0), the objectives.
at::Tensor plain_cross_entropy(at::Tensor logits, const at::Tensor& labels, const HeadLossOptions& options);

}  // namespace areason::train
