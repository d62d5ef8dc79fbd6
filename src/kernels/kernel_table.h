#pragma once
// The functions that exist once per instruction set: one thread's work on raw pointers. Drivers (linear.h, attention.h, rows.h)
// split work over a pool and call through a table. Internal to src/kernels and its tests.
// Thread rule: constant tables of pure functions. Matrices are row-major; strides count elements.
#include <cstddef>
#include <cstdint>

#include "kernels/isa.h"
#include "kernels/weight_type.h"

namespace areason {

enum class Store { kReplace, kAdd };  // y = value, or y += value

// Packs `rows` (<= nr) weight rows of `k` values into panel[k][nr] of f32; missing rows become zeros.
struct PackArgs {
  const void* weights;
  WeightType type;
  std::size_t stride;
  int rows;
  int k;
  float* panel;
};

// a[rows <= mr][k] -> packed[k][mr]; missing rows become zeros.
struct PackRowsArgs {
  const float* a;
  std::size_t stride;
  int rows;
  int k;
  float* packed;
};

// c[m][n] (+)= a[m][k] · panel[k][nr] (+ bias[n]), for any m and n <= nr. `packed_a` is from pack_a.
struct TileArgs {
  const float* packed_a;
  const float* panel;
  const float* bias;  // may be null
  float* c;
  std::size_t c_stride;
  int m;  // <= mr
  int n;
  int k;
  Store store;
};

// y[m][n] (+)= x[m] · w[n] (+ bias[n]) for any m, streaming the weight rows once per four rows of x.
struct DotArgs {
  const float* x;
  std::size_t x_stride;
  const void* weights;
  WeightType type;
  std::size_t w_stride;
  const float* bias;  // may be null
  float* y;
  std::size_t y_stride;
  int m;
  int n;
  int k;
  Store store;
};

// out[d] = sum over p of weight[p] * values[p][d]
struct WeightedSumArgs {
  const float* weight;
  const float* values;
  std::size_t stride;
  int n;
  int d;
  float* out;
};

struct NormArgs {
  const float* x;
  const float* weight;
  const float* bias;  // LayerNorm only
  float* y;
  int n;
  float epsilon;
};

struct IntTable;  // int_table.h

struct KernelTable {
  Isa isa;
  const IntTable* integers;
  const IntTable* bf16;  // null where there are no such instructions
  int mr;                // rows of a register tile
  int nr;                // columns of a panel
  void (*pack)(const PackArgs&);
  void (*pack_a)(const PackRowsArgs&);
  void (*tile)(const TileArgs&);
  void (*dot)(const DotArgs&);
  void (*weighted_sum)(const WeightedSumArgs&);
  void (*softmax)(float* x, int n, float scale);  // x = softmax(scale * x) in place
  void (*layer_norm)(const NormArgs&);
  void (*rms_norm)(const NormArgs&);
  void (*gelu)(float* x, std::size_t n);                                        // exact (erf) form, in place
  void (*silu_multiply)(float* gate, const float* up, std::size_t n);           // gate = silu(gate) * up
  void (*rope)(float* head, const float* cosine, const float* sine, int half);  // rotate-half form, in place
};

constexpr int kMaxMr = 16;
constexpr int kMaxNr = 64;

// The table of an instruction set, or null when it was not compiled in; `integers` is what this instruction set has without
// VNNI.
const KernelTable* kernel_table_portable();
const KernelTable* kernel_table_avx2();
const KernelTable* kernel_table_avx512();

// The table of active_isa(), or of `isa`, which must be one of available_isas().
const KernelTable& active_kernels();
const KernelTable& kernels_of(Isa isa);

}  // namespace areason
