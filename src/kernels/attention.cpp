#include "kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/panels.h"

namespace areason {
namespace {

constexpr int kQueryBlock = 96;  // queries that share packed keys and values; a multiple of every table's mr
constexpr int kStreamedQueries = 8;

int visible_keys(const AttentionArgs& args, int query) {
  return args.mask == Mask::kCausal ? args.keys - args.queries + query + 1 : args.keys;
}

std::size_t q_stride(const AttentionArgs& args) {
  return static_cast<std::size_t>(args.heads) * static_cast<std::size_t>(args.head_dim);
}
std::size_t kv_stride(const AttentionArgs& args) {
  return static_cast<std::size_t>(args.kv_heads) * static_cast<std::size_t>(args.head_dim);
}
std::size_t query_blocks(const AttentionArgs& args) {
  return static_cast<std::size_t>((args.queries + kQueryBlock - 1) / kQueryBlock);
}
float score_scale(const AttentionArgs& args) { return 1.0f / std::sqrt(static_cast<float>(args.head_dim)); }

// One query, all heads that share a key/value head; task = query * kv_heads + kv_head.
void one_query(const KernelTable& table, const AttentionArgs& args, std::size_t task, std::vector<float>& scores) {
  const int query = static_cast<int>(task) / args.kv_heads, kv_head = static_cast<int>(task) % args.kv_heads;
  const int group = args.heads / args.kv_heads, d = args.head_dim, keys = visible_keys(args, query);
  const std::size_t head_offset =
      static_cast<std::size_t>(query) * q_stride(args) + static_cast<std::size_t>(kv_head * group * d);
  const std::size_t kv_offset = static_cast<std::size_t>(kv_head) * static_cast<std::size_t>(d);
  scores.resize(static_cast<std::size_t>(group) * static_cast<std::size_t>(keys));
  table.dot({args.q + head_offset, static_cast<std::size_t>(d), args.k + kv_offset, WeightType::kF32, kv_stride(args), nullptr,
             scores.data(), static_cast<std::size_t>(keys), group, keys, d, Store::kReplace});
  for (int g = 0; g < group; ++g) {
    float* row = scores.data() + static_cast<std::size_t>(g) * static_cast<std::size_t>(keys);
    table.softmax(row, keys, score_scale(args));
    table.weighted_sum(
        {row, args.v + kv_offset, kv_stride(args), keys, d, args.out + head_offset + static_cast<std::size_t>(g * d)});
  }
}

struct Scratch {
  std::vector<float> scores;
  std::vector<float> panels;
};

struct Block {
  int head;
  int query;  // first
  int rows;
  int keys;            // seen by the last query
  std::size_t stride;  // of scores
};

// scores[rows][keys] = q k^T
void compute_scores(const KernelTable& table, const AttentionArgs& args, const Block& block, Scratch& scratch) {
  const int d = args.head_dim;
  const std::size_t kv_offset =
      static_cast<std::size_t>(block.head / (args.heads / args.kv_heads)) * static_cast<std::size_t>(d);
  const float* q = args.q + static_cast<std::size_t>(block.query) * q_stride(args) + static_cast<std::size_t>(block.head * d);
  for (int key = 0; key < block.keys; key += kGroupColumns) {
    const int columns = std::min(kGroupColumns, block.keys - key);
    for (int depth = 0; depth < d; depth += kPanelDepth) {
      const int k = std::min(kPanelDepth, d - depth);
      for (int c = 0; c < columns; c += table.nr)
        table.pack({args.k + kv_offset + static_cast<std::size_t>(key + c) * kv_stride(args) + depth, WeightType::kF32,
                    kv_stride(args), std::min(table.nr, columns - c), k,
                    scratch.panels.data() + static_cast<std::size_t>(c * k)});
      multiply_panels(table, {q + depth, q_stride(args), block.rows, k}, {scratch.panels.data(), columns, nullptr},
                      {scratch.scores.data() + key, block.stride, depth == 0 ? Store::kReplace : Store::kAdd});
    }
  }
}

void softmax_rows(const KernelTable& table, const AttentionArgs& args, const Block& block, Scratch& scratch) {
  for (int r = 0; r < block.rows; ++r) {
    float* row = scratch.scores.data() + static_cast<std::size_t>(r) * block.stride;
    const int keys = visible_keys(args, block.query + r);
    table.softmax(row, keys, score_scale(args));
    std::fill(row + keys, row + block.keys, 0.0f);
  }
}

// out[rows][d] = scores · values
void add_values(const KernelTable& table, const AttentionArgs& args, const Block& block, Scratch& scratch) {
  const int d = args.head_dim;
  const std::size_t kv_offset =
      static_cast<std::size_t>(block.head / (args.heads / args.kv_heads)) * static_cast<std::size_t>(d);
  float* out = args.out + static_cast<std::size_t>(block.query) * q_stride(args) + static_cast<std::size_t>(block.head * d);
  for (int key = 0; key < block.keys; key += kPanelDepth) {
    const int depth = std::min(kPanelDepth, block.keys - key);
    for (int column = 0; column < d; column += kGroupColumns) {
      const int columns = std::min(kGroupColumns, d - column);
      for (int c = 0; c < columns; c += table.nr) {
        float* panel = scratch.panels.data() + static_cast<std::size_t>(c * depth);
        const int used = std::min(table.nr, columns - c);
        for (int p = 0; p < depth; ++p, panel += table.nr) {
          const float* value = args.v + kv_offset + static_cast<std::size_t>(key + p) * kv_stride(args) + column + c;
          std::memcpy(panel, value, static_cast<std::size_t>(used) * sizeof(float));
          std::fill(panel + used, panel + table.nr, 0.0f);
        }
      }
      multiply_panels(table, {scratch.scores.data() + key, block.stride, block.rows, depth},
                      {scratch.panels.data(), columns, nullptr},
                      {out + column, q_stride(args), key == 0 ? Store::kReplace : Store::kAdd});
    }
  }
}

// Task = head * blocks of queries + block.
void query_block(const KernelTable& table, const AttentionArgs& args, std::size_t task, Scratch& scratch) {
  const std::size_t blocks = query_blocks(args);
  const int head = static_cast<int>(task / blocks), query = static_cast<int>(task % blocks) * kQueryBlock;
  const int rows = std::min(kQueryBlock, args.queries - query);
  const int keys = visible_keys(args, query + rows - 1);
  // 16 floats of padding keep rows apart in the cache's sets.
  const Block block{head, query, rows, keys, static_cast<std::size_t>(keys) + 16};
  scratch.scores.resize(static_cast<std::size_t>(rows) * block.stride);
  scratch.panels.resize(static_cast<std::size_t>(kPanelDepth) * kGroupColumns);
  compute_scores(table, args, block, scratch);
  softmax_rows(table, args, block, scratch);
  add_values(table, args, block, scratch);
}

}  // namespace

void attention(const KernelContext& context, const AttentionArgs& args) {
  if (args.queries <= 0 || args.keys <= 0) return;
  if (args.queries <= kStreamedQueries) {
    const std::size_t work = static_cast<std::size_t>(args.keys) * q_stride(args) / static_cast<std::size_t>(args.kv_heads);
    const auto tasks = static_cast<std::size_t>(args.queries) * static_cast<std::size_t>(args.kv_heads);
    context.pool.parallel_for(tasks, 1 + 32768 / std::max<std::size_t>(1, work), [&](std::size_t begin, std::size_t end) {
      std::vector<float> scores;
      for (; begin < end; ++begin) one_query(context.table, args, begin, scores);
    });
    return;
  }
  context.pool.parallel_for(query_blocks(args) * static_cast<std::size_t>(args.heads), 1,
                            [&](std::size_t begin, std::size_t end) {
                              Scratch scratch;
                              for (; begin < end; ++begin) query_block(context.table, args, begin, scratch);
                            });
}

}  // namespace areason
