#pragma once
// y = x W^T + b, several W with the same x at once, on all cores: f32 activations, f32, bf16 or f16 weights read in place.
// Few rows stream the weights (bound by memory); many rows pack weight panels tile by tile into f32. Called by src/model.
// Thread rule: one caller at a time per pool. Matrices are row-major; strides count elements.
#include <span>

#include "base/thread_pool.h"
#include "kernels/kernel_table.h"

namespace areason {

// What every driver needs: where to run and which instructions.
struct KernelContext {
  ThreadPool& pool;
  const KernelTable& table;
};

struct LinearInput {
  const float* x = nullptr;  // [rows][k]
  std::size_t stride = 0;
  int rows = 0;
  int k = 0;
};

struct LinearOutput {
  const void* weights = nullptr;  // [n][k], contiguous
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
