#pragma once
// Functions applied to every row of a matrix, on all cores: norms, activations, rotary positions. Called by src/model.
// Thread rule: one caller at a time per pool. Rows are contiguous unless a stride is given.
#include "kernels/linear.h"

namespace areason {

struct NormRows {
  const float* x = nullptr;
  float* y = nullptr;  // may be x
  const float* weight = nullptr;
  const float* bias = nullptr;  // LayerNorm only
  int rows = 0;
  int width = 0;
  float epsilon = 0;
};
void layer_norm(const KernelContext& context, const NormRows& args);
void rms_norm(const KernelContext& context, const NormRows& args);

void gelu(const KernelContext& context, float* x, std::size_t n);                               // exact form, in place
void silu_multiply(const KernelContext& context, float* gate, const float* up, std::size_t n);  // gate = silu(gate) * up

struct RopeRows {
  float* x = nullptr;             // [rows][heads * head_dim], in place
  const float* cosine = nullptr;  // [rows][head_dim / 2]
  const float* sine = nullptr;
  int rows = 0;
  int heads = 0;
  int head_dim = 0;
};
void rope(const KernelContext& context, const RopeRows& args);

}  // namespace areason
