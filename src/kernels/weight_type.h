#pragma once
// The formats that a weight matrix may have in memory, and their sizes. Rows are contiguous; a row of k weights of a block
// format is k / block_size blocks (GGML's layouts, quant_blocks.h). Called by everything that stores or reads weights.
// Thread rule: pure functions. Errors: Error(kModel) for a row length that a block format cannot hold.
#include <cstddef>

namespace areason {

enum class WeightType { kF32, kBF16, kF16, kQ8_0, kQ4_0, kQ4_K, kQ5_K, kQ6_K };

constexpr WeightType kWeightTypes[] = {WeightType::kF32,  WeightType::kBF16, WeightType::kF16,  WeightType::kQ8_0,
                                       WeightType::kQ4_0, WeightType::kQ4_K, WeightType::kQ5_K, WeightType::kQ6_K};

// As in GGUF tools: "F32", "BF16", "F16", "Q8_0", …
const char* weight_type_name(WeightType type);
// Weights of one block: 1, 32 or 256.
int block_size(WeightType type);
// Bytes of one block.
std::size_t block_bytes(WeightType type);
// Blocks of integers with scales: multiplied in integers (linear.h).
constexpr bool is_quantized(WeightType type) { return type >= WeightType::kQ8_0; }
// Alignment that the kernels want of a matrix's first byte: that of its elements or of its blocks' f16 scales.
std::size_t weight_alignment(WeightType type);
// Bytes of a row of k weights.
std::size_t row_bytes(WeightType type, int k);

}  // namespace areason
