#pragma once
// GGML's block formats, bit for bit as they stand in GGUF files (ggml-common.h: block_q8_0 … block_q6_K), and their scalar
// conversion to and from f32. Called by the GGUF reader and writer, by kernels and by tests.
// Thread rule: pure functions. Units: a row is k weights; k is a multiple of block_size(type).
#include <cstddef>
#include <cstdint>

#include "kernels/weight_type.h"

namespace areason {

constexpr int kSmallBlock = 32;   // weights of a Q8_0 or Q4_0 block
constexpr int kSuperBlock = 256;  // weights of a K-quant's block

// w = d * q
struct BlockQ8_0 {
  std::uint16_t d;  // f16
  std::int8_t q[kSmallBlock];
};
// w = d * (q - 8); q[j] holds weight j in its low and weight j + 16 in its high half
struct BlockQ4_0 {
  std::uint16_t d;
  std::uint8_t q[kSmallBlock / 2];
};
// Eight groups of 32: w = d * scale * q - dmin * min, with six-bit scales and minima (group_scale below).
// 64 weights take 32 bytes of q: the first 32 the low halves, the next 32 the high halves.
struct BlockQ4_K {
  std::uint16_t d;
  std::uint16_t dmin;
  std::uint8_t scales[12];
  std::uint8_t q[kSuperBlock / 2];
};
// As Q4_K; bit g of high[l] is the fifth bit of weight l of group g.
struct BlockQ5_K {
  std::uint16_t d;
  std::uint16_t dmin;
  std::uint8_t scales[12];
  std::uint8_t high[kSuperBlock / 8];
  std::uint8_t q[kSuperBlock / 2];
};
// Sixteen groups of 16: w = d * scale * (q - 32). Each half of 128 weights has 64 bytes of low (weights 0…63 in the low, 64…127
// in the high halves) and 32 bytes of high (two bits for each of the weights l, l + 32, l + 64, l + 96).
struct BlockQ6_K {
  std::uint8_t low[kSuperBlock / 2];
  std::uint8_t high[kSuperBlock / 4];
  std::int8_t scales[kSuperBlock / 16];
  std::uint16_t d;
};
static_assert(sizeof(BlockQ8_0) == 34 && sizeof(BlockQ4_0) == 18);
static_assert(sizeof(BlockQ4_K) == 144 && sizeof(BlockQ5_K) == 176 && sizeof(BlockQ6_K) == 210);

// out[0 … k) = the row's weights.
void dequantize_row(WeightType type, const void* row, int k, float* out);
// The row that ggml's quantize_row_*_ref makes of x; kF32, kBF16, kF16, kQ8_0 and kQ4_0 only (Error(kFailure) otherwise).
// Values must be finite.
void quantize_row(WeightType type, const float* x, int k, void* row);

// The six-bit scale and minimum of group j (0…7) of a Q4_K or Q5_K block (ggml's get_scale_min_k4).
struct GroupScale {
  std::uint8_t scale;
  std::uint8_t min;
};
inline GroupScale group_scale(const std::uint8_t* scales, int j) {
  const auto byte = [](int value) { return static_cast<std::uint8_t>(value); };
  if (j < 4) return {byte(scales[j] & 63), byte(scales[j + 4] & 63)};
  return {byte((scales[j + 4] & 15) | ((scales[j - 4] >> 6) << 4)), byte((scales[j + 4] >> 4) | ((scales[j] >> 6) << 4))};
}

}  // namespace areason
