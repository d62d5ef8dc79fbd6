#pragma once
// Raw-pointer loops that fuse what autograd would otherwise do in many passes over memory: RMS norm, rotary embedding with the
// split into heads, SwiGLU, masked softmax, cross entropy. Called by fused_ops.cpp only, which adds autograd. The file
// kernels.cpp is compiled for the machine it is built on and includes no torch header, so that no inline function of torch is
// compiled twice with different instruction sets. Every function works on a range of rows and is called from several threads
// on disjoint ranges. T is float or Bf16; sums are f32.
#include <cstdint>

namespace areason::train {

struct Bf16 {
  std::uint16_t bits;
};

struct RopeShape {
  std::int64_t tokens = 0;
  int heads = 0, kv_heads = 0, head_dim = 0;
  int out_columns() const { return (heads + 2 * kv_heads) * head_dim; }
};

// y = x * inv_rms(x) * weight; x [rows][width] f32.
template <typename T>
void rms_norm_rows(const float* x, const float* weight, T* y, float* inv_rms, std::int64_t rows, int width, float eps);
// Writes dx and adds to dweight [width].
template <typename T>
void rms_norm_grad_rows(const float* x, const float* weight, const float* inv_rms, const T* dy, float* dx, float* dweight,
                        std::int64_t rows, int width);

// qkv [tokens][(heads + 2 kv) * dim] -> q [heads][tokens][dim], k, v [kv][tokens][dim], rotated by cos/sin [positions][dim / 2]
// (null: no rotation). Rows [begin, end).
template <typename T>
void split_heads_rows(const T* qkv, T* q, T* k, T* v, const RopeShape& shape, const float* cos, const float* sin,
                      const std::int64_t* positions, std::int64_t begin, std::int64_t end);
// The inverse (transposed) map for gradients.
template <typename T>
void merge_heads_rows(T* qkv, const T* q, const T* k, const T* v, const RopeShape& shape, const float* cos, const float* sin,
                      const std::int64_t* positions, std::int64_t begin, std::int64_t end);

// y [rows][ffn] = silu(gate) * up with gate_up [rows][2 * ffn].
template <typename T>
void swiglu_rows(const T* gate_up, T* y, std::int64_t rows, int ffn);
template <typename T>
void swiglu_grad_rows(const T* gate_up, const T* dy, T* dgate_up, std::int64_t rows, int ffn);

struct SoftmaxShape {
  int queries = 0;  // row r is query r % queries
  int keys = 0;
  int shared = 0;      // keys every query sees; query i sees keys [0, shared + i] …
  bool causal = true;  // … or all of them
  float scale = 1;
};
// In place, rows [begin, end) of scores [.][keys]; unseen keys become 0.
template <typename T>
void softmax_rows(T* scores, const SoftmaxShape& shape, std::int64_t begin, std::int64_t end);
// dscores (in place of dprob) = scale * prob * (dprob - sum(prob * dprob)).
template <typename T>
void softmax_grad_rows(const T* prob, T* dprob, const SoftmaxShape& shape, std::int64_t begin, std::int64_t end);

struct CrossEntropyRows {
  const std::int64_t* labels = nullptr;  // per row
  float* loss = nullptr;                 // per row: the plain cross entropy …
  float* objective = nullptr;            // … and what the gradient belongs to: with label smoothing and the z-loss
  std::uint8_t* right = nullptr;         // per row: the label had the largest logit
  int vocab = 0;
  float smoothing = 0;  // share of the target that all tokens have alike (as transformers' LabelSmoother)
  float z = 0;          // weight of the squared log of the softmax's denominator
};
// Replaces the logits of rows [begin, end) by the gradient of the objective.
template <typename T>
void cross_entropy_rows(T* logits, const CrossEntropyRows& io, std::int64_t begin, std::int64_t end);

}  // namespace areason::train
