#include "kernels/quant_blocks.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "base/error.h"
#include "kernels/half.h"

namespace areason {
namespace {

void dequantize(const BlockQ8_0& block, float* out) {
  const float d = f16_bits_to_f32(block.d);
  for (int i = 0; i < kSmallBlock; ++i) out[i] = d * static_cast<float>(block.q[i]);
}

void dequantize(const BlockQ4_0& block, float* out) {
  const float d = f16_bits_to_f32(block.d);
  for (int i = 0; i < kSmallBlock / 2; ++i) {
    out[i] = d * static_cast<float>((block.q[i] & 15) - 8);
    out[i + kSmallBlock / 2] = d * static_cast<float>((block.q[i] >> 4) - 8);
  }
}

// Weight l of group g of a K-quant with halves of bytes.
int half_byte(const std::uint8_t* q, int g, int l) {
  const int byte = q[g / 2 * 32 + l];
  return g % 2 == 0 ? byte & 15 : byte >> 4;
}

template <typename Block, typename Value>
void dequantize_groups(const Block& block, float* out, Value value) {
  const float d = f16_bits_to_f32(block.d), dmin = f16_bits_to_f32(block.dmin);
  for (int g = 0; g < 8; ++g) {
    const GroupScale group = group_scale(block.scales, g);
    const float scale = d * static_cast<float>(group.scale), min = dmin * static_cast<float>(group.min);
    for (int l = 0; l < 32; ++l) *out++ = scale * static_cast<float>(value(g, l)) - min;
  }
}

void dequantize(const BlockQ4_K& block, float* out) {
  dequantize_groups(block, out, [&](int g, int l) { return half_byte(block.q, g, l); });
}

void dequantize(const BlockQ5_K& block, float* out) {
  dequantize_groups(block, out, [&](int g, int l) { return half_byte(block.q, g, l) + 16 * ((block.high[l] >> g) & 1); });
}

void dequantize(const BlockQ6_K& block, float* out) {
  const float d = f16_bits_to_f32(block.d);
  for (int i = 0; i < kSuperBlock; ++i) {
    const int half = i / 128, quarter = i % 128 / 32, l = i % 32;
    const int low = block.low[half * 64 + quarter % 2 * 32 + l], high = block.high[half * 32 + l];
    const int q = (quarter < 2 ? low & 15 : low >> 4) | (((high >> (2 * quarter)) & 3) << 4);
    out[i] = d * static_cast<float>(block.scales[i / 16]) * static_cast<float>(q - 32);
  }
}

template <typename Block>
void dequantize_blocks(const void* row, int k, float* out) {
  constexpr int size = sizeof(Block) >= sizeof(BlockQ4_K) ? kSuperBlock : kSmallBlock;
  const auto* blocks = static_cast<const Block*>(row);
  for (int i = 0; i < k / size; ++i) dequantize(blocks[i], out + i * size);
}

// 1 / d; 0 where d is nothing, or so little that its inverse is infinite (as f16 it is 0 anyway).
float inverse_of(float d) {
  const float inverse = 1.0f / d;
  return std::isfinite(inverse) ? inverse : 0.0f;
}

void quantize(const float* x, BlockQ8_0& block) {
  float top = 0.0f;
  for (int i = 0; i < kSmallBlock; ++i) top = std::max(top, std::fabs(x[i]));
  const float d = top / 127.0f, inverse = inverse_of(d);
  block.d = f32_to_f16_bits(d);
  for (int i = 0; i < kSmallBlock; ++i) block.q[i] = static_cast<std::int8_t>(std::round(x[i] * inverse));
}

void quantize(const float* x, BlockQ4_0& block) {
  float extreme = 0.0f;  // with its sign: it becomes -8, so that the longer side of the range is used
  for (int i = 0; i < kSmallBlock; ++i)
    if (std::fabs(extreme) < std::fabs(x[i])) extreme = x[i];
  const float d = extreme / -8.0f, inverse = inverse_of(d);
  block.d = f32_to_f16_bits(d);
  const auto level = [&](float value) { return std::min(15, static_cast<int>(value * inverse + 8.5f)); };
  for (int i = 0; i < kSmallBlock / 2; ++i)
    block.q[i] = static_cast<std::uint8_t>(level(x[i]) | (level(x[i + kSmallBlock / 2]) << 4));
}

// 16-bit floats at any address: tensors of a safetensors file may begin at odd ones.
void widen(const void* row, int k, float (*to_f32)(std::uint16_t), float* out) {
  const auto* bytes = static_cast<const char*>(row);
  for (int i = 0; i < k; ++i) {
    std::uint16_t bits;
    std::memcpy(&bits, bytes + 2 * static_cast<std::size_t>(i), sizeof bits);
    out[i] = to_f32(bits);
  }
}

template <typename Block>
void quantize_blocks(const float* x, int k, void* row) {
  auto* blocks = static_cast<Block*>(row);
  for (int i = 0; i < k / kSmallBlock; ++i) quantize(x + i * kSmallBlock, blocks[i]);
}

}  // namespace

void dequantize_row(WeightType type, const void* row, int k, float* out) {
  const std::size_t bytes = row_bytes(type, k);  // throws on a length that the format cannot have
  switch (type) {
    case WeightType::kF32:
      std::memcpy(out, row, bytes);
      return;
    case WeightType::kBF16:
      return widen(row, k, bf16_bits_to_f32, out);
    case WeightType::kF16:
      return widen(row, k, f16_bits_to_f32, out);
    case WeightType::kQ8_0:
      return dequantize_blocks<BlockQ8_0>(row, k, out);
    case WeightType::kQ4_0:
      return dequantize_blocks<BlockQ4_0>(row, k, out);
    case WeightType::kQ4_K:
      return dequantize_blocks<BlockQ4_K>(row, k, out);
    case WeightType::kQ5_K:
      return dequantize_blocks<BlockQ5_K>(row, k, out);
    case WeightType::kQ6_K:
      return dequantize_blocks<BlockQ6_K>(row, k, out);
  }
}

void quantize_row(WeightType type, const float* x, int k, void* row) {
  const std::size_t bytes = row_bytes(type, k);
  auto* half = static_cast<std::uint16_t*>(row);
  switch (type) {
    case WeightType::kF32:
      std::memcpy(row, x, bytes);
      return;
    case WeightType::kBF16:
      std::transform(x, x + k, half, f32_to_bf16_bits);
      return;
    case WeightType::kF16:
      std::transform(x, x + k, half, f32_to_f16_bits);
      return;
    case WeightType::kQ8_0:
      return quantize_blocks<BlockQ8_0>(x, k, row);
    case WeightType::kQ4_0:
      return quantize_blocks<BlockQ4_0>(x, k, row);
    default:
      throw Error(ErrorCode::kFailure, std::string(weight_type_name(type)) + " is a format that is read, not made",
                  "use Q8_0 or Q4_0");
  }
}

}  // namespace areason
