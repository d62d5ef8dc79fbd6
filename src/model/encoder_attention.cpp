#include "model/encoder_attention.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/attention.h"
#include "kernels/half.h"
#include "kernels/quant_blocks.h"

namespace areason {
namespace {

constexpr int kQueryBlock = 512;  // queries of a task: their scores stay in the cache, packed keys are used often enough

std::size_t size(int n) { return static_cast<std::size_t>(n); }
int units_of(int values) { return (values + kSmallBlock - 1) / kSmallBlock; }

// 32 values to int8 with one scale; loops that compilers vectorise, unlike quantize_row()'s rounding.
BlockQ8_0 to_block(const float* x) {
  std::int32_t largest = 0;  // bits of floats without their sign are in the floats' order
  for (int i = 0; i < kSmallBlock; ++i) largest = std::max(largest, std::bit_cast<std::int32_t>(x[i]) & 0x7fffffff);
  const float scale = std::bit_cast<float>(largest) / 127.0f, inverse = scale > 0.0f ? 1.0f / scale : 0.0f;
  BlockQ8_0 block;
  block.d = f32_to_f16_bits(scale);
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it leaves the nearest integer in the low bits
  for (int i = 0; i < kSmallBlock; ++i)
    block.q[i] = static_cast<std::int8_t>(std::bit_cast<std::int32_t>(x[i] * inverse + kRound) - 0x4b400000);
  return block;
}

// 32 neighbouring values of a row of this type.
void write_unit(WeightType type, const float* x, std::byte* out) {
  if (type == WeightType::kQ8_0) {
    const BlockQ8_0 block = to_block(x);
    std::memcpy(out, &block, sizeof block);
    return;
  }
  std::uint16_t bits[kSmallBlock];
  for (int i = 0; i < kSmallBlock; ++i) bits[i] = f32_to_bf16_bits(x[i]);
  std::memcpy(out, bits, sizeof bits);
}

// Keys [positions][head_dim] and values, transposed, [head_dim][positions rounded up to 32] of one head, as rows of `type`.
struct HeadRows {
  WeightType type;
  std::vector<std::byte> keys, values;
};

struct Head {
  const float* q;
  const float* k;
  const float* v;
  float* out;
  int positions;
  int dim;
  std::size_t stride;
};

HeadRows convert_head(const Head& head, WeightType type) {
  const int key_units = units_of(head.dim), value_units = units_of(head.positions);
  const std::size_t unit = row_bytes(type, kSmallBlock);
  HeadRows rows{type, std::vector<std::byte>(size(head.positions * key_units) * unit),
                std::vector<std::byte>(size(head.dim * value_units) * unit)};
  for (int p = 0; p < head.positions; ++p)
    for (int u = 0; u < key_units; ++u)
      write_unit(type, head.k + size(p) * head.stride + size(u * kSmallBlock),
                 rows.keys.data() + size(p * key_units + u) * unit);
  std::vector<float> turned(size(head.dim * kSmallBlock));
  for (int u = 0; u < value_units; ++u) {
    const int used = std::min(kSmallBlock, head.positions - u * kSmallBlock);
    if (used < kSmallBlock) std::fill(turned.begin(), turned.end(), 0.0f);
    for (int p = 0; p < used; ++p) {
      const float* value = head.v + size(u * kSmallBlock + p) * head.stride;
      for (int i = 0; i < head.dim; ++i) turned[size(i * kSmallBlock + p)] = value[i];
    }
    for (int i = 0; i < head.dim; ++i)
      write_unit(type, turned.data() + i * kSmallBlock, rows.values.data() + size(i * value_units + u) * unit);
  }
  return rows;
}

// out[rows] of queries from `first` on. `single` is a context whose pool is this thread alone.
void attend_block(const KernelContext& single, const Head& head, const HeadRows& keys_values, int first,
                  std::vector<float>& scores) {
  const int rows = std::min(kQueryBlock, head.positions - first), padded = units_of(head.positions) * kSmallBlock;
  const std::size_t stride = size(padded) + 16;  // rows apart in the cache's sets
  scores.resize(size(rows) * stride);
  const LinearOutput score{keys_values.keys.data(), keys_values.type, head.positions, nullptr,
                           scores.data(),           stride,           Store::kReplace};
  linear(single, {head.q + size(first) * head.stride, head.stride, rows, head.dim, Activations::kBF16}, {&score, 1});
  const float scale = 1.0f / std::sqrt(static_cast<float>(head.dim));
  for (int r = 0; r < rows; ++r) {
    float* row = scores.data() + size(r) * stride;
    single.table.softmax(row, head.positions, scale);
    std::fill(row + head.positions, row + padded, 0.0f);
  }
  const LinearOutput sum{keys_values.values.data(),
                         keys_values.type,
                         head.dim,
                         nullptr,
                         head.out + size(first) * head.stride,
                         head.stride,
                         Store::kReplace};
  linear(single, {scores.data(), stride, rows, padded, Activations::kBF16}, {&sum, 1});
}

struct Task {
  std::size_t head;
  int first;
};

void rounded_attention(const KernelContext& context, const std::vector<Head>& heads, WeightType type) {
  std::vector<HeadRows> rows(heads.size());
  context.pool.parallel_for(heads.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (; begin < end; ++begin) rows[begin] = convert_head(heads[begin], type);
  });
  std::vector<Task> tasks;
  for (std::size_t h = 0; h < heads.size(); ++h)
    for (int first = 0; first < heads[h].positions; first += kQueryBlock) tasks.push_back({h, first});
  context.pool.parallel_for(tasks.size(), 1, [&](std::size_t begin, std::size_t end) {
    ThreadPool alone(1);
    const KernelContext single{alone, context.table};
    std::vector<float> scores;
    for (; begin < end; ++begin) {
      const Task& task = tasks[begin];
      attend_block(single, heads[task.head], rows[task.head], task.first, scores);
    }
  });
}

}  // namespace

void EncoderAttention::run(const KernelContext& context, const float* q, const float* k, const float* v, float* out) const {
  const bool rounded = is_quantized(weights) || (weights == WeightType::kF16 && context.table.bf16 != nullptr);
  const bool exact = !rounded || head_dim % kSmallBlock != 0;
  const std::size_t stride = size(heads * head_dim);
  std::vector<Head> parts;
  std::size_t at = 0;
  for (const int positions : windows) {
    if (exact)
      attention(context, {q + at, k + at, v + at, out + at, positions, positions, heads, heads, head_dim, Mask::kNone});
    else
      for (int h = 0; h < heads; ++h) {
        const std::size_t from = at + size(h * head_dim);
        parts.push_back({q + from, k + from, v + from, out + from, positions, head_dim, stride});
      }
    at += size(positions) * stride;
  }
  if (!exact) rounded_attention(context, parts, is_quantized(weights) ? WeightType::kQ8_0 : WeightType::kBF16);
}

}  // namespace areason
