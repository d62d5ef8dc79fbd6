#include "kernels/paged_attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/paged_table.h"

namespace areason {
namespace {

constexpr int kBlockQueries = 32;  // queries that go over a sequence's pages together

const PagedTable& table_of(const KernelContext& context) {
  switch (float_isa(context.table.isa)) {
    case Isa::kPortable:
      return *paged_table_portable();
    case Isa::kAvx2:
      return *paged_table_avx2();
    default:
      return *paged_table_avx512();
  }
}

std::size_t size(int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); }

std::byte* keys_of(const PageShape& shape, const PagedSequence& sequence, int page, int head) {
  return sequence.pages[page] + sequence.offset + static_cast<std::size_t>(head) * shape.key_bytes();
}
std::byte* values_of(const PageShape& shape, const PagedSequence& sequence, int page, int head) {
  return sequence.pages[page] + sequence.offset + static_cast<std::size_t>(shape.kv_heads) * shape.key_bytes() +
         static_cast<std::size_t>(head) * shape.value_bytes();
}

// Some queries of one sequence.
struct Block {
  const PagedSequence* sequence;
  std::size_t row;  // of q and out
  int first;        // position of the first query
  int queries;
};

std::vector<Block> split(std::span<const PagedSequence> sequences) {
  std::vector<Block> blocks;
  std::size_t row = 0;
  for (const PagedSequence& sequence : sequences) {
    for (int q = 0; q < sequence.rows; q += kBlockQueries)
      blocks.push_back(
          {&sequence, row + static_cast<std::size_t>(q), sequence.start + q, std::min(kBlockQueries, sequence.rows - q)});
    row += static_cast<std::size_t>(sequence.rows);
  }
  return blocks;
}

struct Scratch {
  std::vector<float> q, acc, top, sum;
  std::vector<int> visible;

  void reset(const PageShape& shape, int rows) {
    q.resize(size(rows, shape.head_dim));
    acc.assign(size(rows, shape.padded()), 0.0f);
    top.assign(static_cast<std::size_t>(rows), -3e38f);
    sum.assign(static_cast<std::size_t>(rows), 0.0f);
    visible.resize(static_cast<std::size_t>(rows));
  }
};

class Job {
 public:
  Job(const PagedTable& table, const PageShape& shape, const float* q, float* out)
      : table_(table), shape_(shape), group_(shape.heads / shape.kv_heads), q_(q), out_(out) {}

  // All queries of the block, for the heads that share one key/value head.
  void run(const Block& block, int kv_head, Scratch& scratch) const {
    const int rows = block.queries * group_, d = shape_.head_dim;
    scratch.reset(shape_, rows);
    for (int r = 0; r < rows; ++r)
      std::memcpy(scratch.q.data() + size(r, d), q_ + at(block, kv_head, r), size(d, sizeof(float)));
    const int last = (block.first + block.queries - 1) / kPagePositions;
    for (int page = 0; page <= last; ++page) {
      for (int r = 0; r < rows; ++r)
        scratch.visible[static_cast<std::size_t>(r)] = block.first + r / group_ + 1 - page * kPagePositions;
      table_.page({shape_.type, keys_of(shape_, *block.sequence, page, kv_head),
                   values_of(shape_, *block.sequence, page, kv_head), d, shape_.padded(),
                   1.0f / std::sqrt(static_cast<float>(d)), scratch.q.data(), scratch.visible.data(), rows, scratch.acc.data(),
                   scratch.top.data(), scratch.sum.data()});
    }
    for (int r = 0; r < rows; ++r) {
      float* out = out_ + at(block, kv_head, r);
      const float* acc = scratch.acc.data() + size(r, shape_.padded());
      for (int i = 0; i < d; ++i) out[i] = acc[i] / scratch.sum[static_cast<std::size_t>(r)];
    }
  }

 private:
  // Row r of a block: query r / group, head r % group of those that share the key/value head.
  std::size_t at(const Block& block, int kv_head, int r) const {
    return (block.row + static_cast<std::size_t>(r / group_)) * size(shape_.heads, shape_.head_dim) +
           size(kv_head * group_ + r % group_, shape_.head_dim);
  }

  const PagedTable& table_;
  const PageShape& shape_;
  int group_;
  const float* q_;
  float* out_;
};

}  // namespace

std::size_t PageShape::key_bytes() const { return size(head_dim, kPagePositions) * kv_element_size(type); }
std::size_t PageShape::value_bytes() const { return size(padded(), kPagePositions) * kv_element_size(type); }

void paged_attention(const KernelContext& context, const PageShape& shape, std::span<const PagedSequence> sequences,
                     const float* q, float* out) {
  const std::vector<Block> blocks = split(sequences);
  std::size_t work = 0;  // multiply-adds
  for (const Block& block : blocks)
    work += size(block.first + block.queries, block.queries) * size(shape.heads, shape.head_dim) * 2;
  const std::size_t tasks = blocks.size() * static_cast<std::size_t>(shape.kv_heads);
  const std::size_t grain = 1 + 32768 * tasks / std::max<std::size_t>(1, work);
  const Job job(table_of(context), shape, q, out);
  // The last block of a prompt has the most keys and comes first.
  context.pool.parallel_for(tasks, grain, [&](std::size_t begin, std::size_t end) {
    Scratch scratch;
    for (; begin < end; ++begin)
      job.run(blocks[blocks.size() - 1 - begin / static_cast<std::size_t>(shape.kv_heads)],
              static_cast<int>(begin % static_cast<std::size_t>(shape.kv_heads)), scratch);
  });
}

void store_pages(const KernelContext& context, const PageShape& shape, std::span<const PagedSequence> sequences,
                 const KeyValueRows& rows) {
  const PagedTable& table = table_of(context);
  std::size_t total = 0;
  for (const PagedSequence& sequence : sequences) total += static_cast<std::size_t>(sequence.rows);
  const std::size_t stride = size(shape.kv_heads, shape.head_dim);
  const auto store_head = [&](int head) {
    std::size_t row = 0;
    for (const PagedSequence& sequence : sequences) {
      for (int done = 0; done < sequence.rows;) {
        const int position = sequence.start + done, page = position / kPagePositions, slot = position % kPagePositions;
        const int count = std::min(kPagePositions - slot, sequence.rows - done);
        const std::size_t from = (row + static_cast<std::size_t>(done)) * stride + size(head, shape.head_dim);
        table.store({shape.type, keys_of(shape, sequence, page, head), values_of(shape, sequence, page, head), shape.head_dim,
                     shape.padded(), rows.k + from, rows.v + from, stride, slot, count});
        done += count;
      }
      row += static_cast<std::size_t>(sequence.rows);
    }
  };
  const std::size_t grain = 1 + 8192 / std::max<std::size_t>(1, total * static_cast<std::size_t>(shape.head_dim));
  context.pool.parallel_for(static_cast<std::size_t>(shape.kv_heads), grain, [&](std::size_t begin, std::size_t end) {
    for (; begin < end; ++begin) store_head(static_cast<int>(begin));
  });
}

}  // namespace areason
