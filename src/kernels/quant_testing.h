#pragma once
// For tests and benchmarks of the block formats: random blocks of every kind, as a file made elsewhere could hold them.
// Thread rule: pure functions.
#include <cmath>
#include <cstring>
#include <vector>

#include "base/random.h"
#include "kernels/half.h"
#include "kernels/quant_blocks.h"

namespace areason::testing {

// n rows of k weights: every bit of the integers is random, the scales are such that weights have a size of about 1.
inline std::vector<std::byte> random_blocks(WeightType type, int n, int k, Random& random) {
  std::vector<std::byte> out(row_bytes(type, k) * static_cast<std::size_t>(n));
  for (auto& byte : out) byte = static_cast<std::byte>(random.next_u32() >> 24);
  const auto scale = [&](std::byte* at, float size) {
    const float sign = random.below(4) == 0 ? -1.0f : 1.0f;
    const std::uint16_t bits = f32_to_f16_bits(sign * size * (0.5f + static_cast<float>(random.uniform())));
    std::memcpy(at, &bits, 2);
  };
  const std::size_t bytes = block_bytes(type);
  for (std::size_t at = 0; at < out.size() && is_quantized(type); at += bytes) {
    std::byte* block = out.data() + at;
    switch (type) {
      case WeightType::kQ8_0:
        scale(block, 1.0f / 64);
        break;
      case WeightType::kQ4_0:
        scale(block, 1.0f / 4);
        break;
      case WeightType::kQ4_K:
      case WeightType::kQ5_K:
        scale(block, type == WeightType::kQ4_K ? 1.0f / 256 : 1.0f / 512);
        scale(block + 2, 1.0f / 32);
        break;
      default:  // Q6_K
        scale(block + bytes - 2, 1.0f / 1024);
    }
  }
  return out;
}

inline std::vector<float> dequantized(WeightType type, const std::vector<std::byte>& rows, int n, int k) {
  std::vector<float> out(static_cast<std::size_t>(n) * static_cast<std::size_t>(k));
  for (int r = 0; r < n; ++r)
    dequantize_row(type, rows.data() + row_bytes(type, k) * static_cast<std::size_t>(r), k,
                   out.data() + static_cast<std::size_t>(r) * static_cast<std::size_t>(k));
  return out;
}

}  // namespace areason::testing
