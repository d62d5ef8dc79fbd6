#pragma once
// y = x W^T + b, several W with the same x at once, on all cores; weights of any WeightType are read in place.
// Few rows stream the weights (bound by memory); many rows pack weight panels tile by tile. Called by src/model.
// Quantised weights: x is rounded to int8 per row and group of 32, once for all outputs of a call. Their results do not depend
// on the number of rows, nor on the instruction set or the number of threads (design.md, 7). Thread rule: one caller at a time
// per pool. Matrices are row-major; strides count elements.
#include <span>

#include "base/thread_pool.h"
#include "kernels/kernel_table.h"

namespace areason {

// What every driver needs: where to run and which instructions.
struct KernelContext {
  ThreadPool& pool;
  const KernelTable& table;
};

// How f32 activations may be rounded for f32, bf16 and f16 weights.
enum class Activations {
  kExact,  // not at all: parity with the reference
  kBF16,   // to bf16 where the instruction set multiplies that faster; every factor is then good to 2^-8
};

struct LinearInput {
  const float* x = nullptr;  // [rows][k]
  std::size_t stride = 0;
  int rows = 0;
  int k = 0;  // of quantised weights: a multiple of their block_size
  Activations activations = Activations::kExact;
};

struct LinearOutput {
  const void* weights = nullptr;  // [n][k], contiguous rows of row_bytes(type, k)
  WeightType type = WeightType::kF32;
  int n = 0;
  const float* bias = nullptr;  // [n] or null
  float* y = nullptr;           // [rows][n]
  std::size_t stride = 0;
  Store store = Store::kReplace;
};

// Up to this many rows the weights are streamed instead of packed.
constexpr int kStreamedRows = 16;

void linear(const KernelContext& context, const LinearInput& input, std::span<const LinearOutput> outputs);

}  // namespace areason
