#include "model/encoder_attention.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>

#include "kernels/attention.h"
#include "kernels/half.h"
#include "kernels/quant_blocks.h"

namespace areason {
namespace {

constexpr int kQueryBlock = 512;  // queries of a task: their scores stay in the cache, packed keys are used often enough

std::size_t size(int n) { return static_cast<std::size_t>(n); }
int blocks_of(int values) { return (values + kSmallBlock - 1) / kSmallBlock; }

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

// Keys [positions][head_dim] and values, transposed, [head_dim][positions] of one head, as rows of Q8_0.
struct HeadBlocks {
  std::vector<BlockQ8_0> keys, values;
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

HeadBlocks quantize_head(const Head& head) {
  const int key_blocks = blocks_of(head.dim), value_blocks = blocks_of(head.positions);
  HeadBlocks blocks{std::vector<BlockQ8_0>(size(head.positions * key_blocks)),
                    std::vector<BlockQ8_0>(size(head.dim * value_blocks))};
  for (int p = 0; p < head.positions; ++p)
    for (int b = 0; b < key_blocks; ++b)
      blocks.keys[size(p * key_blocks + b)] = to_block(head.k + size(p) * head.stride + size(b * kSmallBlock));
  std::vector<float> turned(size(head.dim * kSmallBlock));
  for (int b = 0; b < value_blocks; ++b) {
    const int used = std::min(kSmallBlock, head.positions - b * kSmallBlock);
    std::fill(turned.begin(), turned.end(), 0.0f);
    for (int p = 0; p < used; ++p) {
      const float* value = head.v + size(b * kSmallBlock + p) * head.stride;
      for (int i = 0; i < head.dim; ++i) turned[size(i * kSmallBlock + p)] = value[i];
    }
    for (int i = 0; i < head.dim; ++i) blocks.values[size(i * value_blocks + b)] = to_block(turned.data() + i * kSmallBlock);
  }
  return blocks;
}

// out[rows] of queries from `first` on. `single` is a context whose pool is this thread alone.
void attend_block(const KernelContext& single, const Head& head, const HeadBlocks& blocks, int first,
                  std::vector<float>& scores) {
  const int rows = std::min(kQueryBlock, head.positions - first), padded = blocks_of(head.positions) * kSmallBlock;
  const std::size_t stride = size(padded) + 16;  // rows apart in the cache's sets
  scores.resize(size(rows) * stride);
  const LinearOutput score{blocks.keys.data(), WeightType::kQ8_0, head.positions, nullptr, scores.data(), stride,
                           Store::kReplace};
  linear(single, {head.q + size(first) * head.stride, head.stride, rows, head.dim}, {&score, 1});
  const float scale = 1.0f / std::sqrt(static_cast<float>(head.dim));
  for (int r = 0; r < rows; ++r) {
    float* row = scores.data() + size(r) * stride;
    single.table.softmax(row, head.positions, scale);
    std::fill(row + head.positions, row + padded, 0.0f);
  }
  const LinearOutput sum{blocks.values.data(), WeightType::kQ8_0, head.dim, nullptr, head.out + size(first) * head.stride,
                         head.stride,          Store::kReplace};
  linear(single, {scores.data(), stride, rows, padded}, {&sum, 1});
}

struct Task {
  std::size_t head;
  int first;
};

void integer_attention(const KernelContext& context, const std::vector<Head>& heads) {
  std::vector<HeadBlocks> blocks(heads.size());
  context.pool.parallel_for(heads.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (; begin < end; ++begin) blocks[begin] = quantize_head(heads[begin]);
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
      attend_block(single, heads[task.head], blocks[task.head], task.first, scores);
    }
  });
}

}  // namespace

void EncoderAttention::run(const KernelContext& context, const float* q, const float* k, const float* v, float* out) const {
  const std::size_t stride = size(heads * head_dim);
  const bool integers = is_quantized(weights) && head_dim % kSmallBlock == 0;
  std::vector<Head> parts;
  std::size_t at = 0;
  for (const int positions : windows) {
    if (!integers)
      attention(context, {q + at, k + at, v + at, out + at, positions, positions, heads, heads, head_dim, Mask::kNone});
    else
      for (int h = 0; h < heads; ++h) {
        const std::size_t from = at + size(h * head_dim);
        parts.push_back({q + from, k + from, v + from, out + from, positions, head_dim, stride});
      }
    at += size(positions) * stride;
  }
  if (integers) integer_attention(context, parts);
}

}  // namespace areason
