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

// Neighbouring queries of one sequence.
struct Piece {
  const PagedSequence* sequence;
  int first;  // position of the first query
  int queries;
  int last_page() const { return (first + queries - 1) / kPagePositions; }
};

// Pieces that go over their pages together, at most kBlockQueries queries: one of a long prompt, or those of sequences that
// share their first pages. A query's result does not depend on the others.
struct Block {
  std::vector<Piece> pieces;
  std::size_t row;  // of q and out
  int queries;
  int last_page() const {
    int last = 0;
    for (const Piece& piece : pieces) last = std::max(last, piece.last_page());
    return last;
  }
};

std::vector<Block> split(std::span<const PagedSequence> sequences) {
  std::vector<Block> blocks;
  std::size_t row = 0;
  for (const PagedSequence& sequence : sequences) {
    for (int q = 0; q < sequence.rows; q += kBlockQueries) {
      const Piece piece{&sequence, sequence.start + q, std::min(kBlockQueries, sequence.rows - q)};
      const bool joins = !blocks.empty() && blocks.back().queries + piece.queries <= kBlockQueries &&
                         blocks.back().pieces.back().sequence->pages[0] == sequence.pages[0];
      if (!joins) blocks.push_back({{}, row, 0});
      blocks.back().pieces.push_back(piece);
      blocks.back().queries += piece.queries;
      row += static_cast<std::size_t>(piece.queries);
    }
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
  Job(const PagedTable& table, const PageShape& shape, const QueryRows& rows)
      : table_(table), shape_(shape), group_(shape.heads / shape.kv_heads), rows_(rows) {}

  // All queries of the block, for the heads that share one key/value head.
  void run(const Block& block, int kv_head, Scratch& scratch) const {
    const int rows = block.queries * group_, d = shape_.head_dim;
    scratch.reset(shape_, rows);
    for (int r = 0; r < rows; ++r)
      std::memcpy(scratch.q.data() + size(r, d), rows_.q + at(block, kv_head, r), size(d, sizeof(float)));
    const int last = block.last_page();
    for (int page = 0; page <= last; ++page) add_page(block, page, kv_head, scratch);
    for (int r = 0; r < rows; ++r) {
      float* out = rows_.out + at(block, kv_head, r);
      const float* acc = scratch.acc.data() + size(r, shape_.padded());
      for (int i = 0; i < d; ++i) out[i] = acc[i] / scratch.sum[static_cast<std::size_t>(r)];
    }
  }

 private:
  // Query r / group of a block, head r % group of those that share the key/value head.
  std::size_t at(const Block& block, int kv_head, int r) const {
    return (block.row + static_cast<std::size_t>(r / group_)) * size(shape_.heads, shape_.head_dim) +
           size(kv_head * group_ + r % group_, shape_.head_dim);
  }

  // Pieces in a row that have the same page go over it together.
  void add_page(const Block& block, int page, int kv_head, Scratch& scratch) const {
    int row = 0;
    for (std::size_t i = 0; i < block.pieces.size();) {
      const PagedSequence* sequence = block.pieces[i].sequence;
      const bool has_page = page <= block.pieces[i].last_page();
      const int begin = row;
      do {
        const Piece& piece = block.pieces[i];
        for (int r = 0; r < piece.queries * group_; ++r)
          scratch.visible[static_cast<std::size_t>(row++)] = piece.first + r / group_ + 1 - page * kPagePositions;
        ++i;
      } while (i < block.pieces.size() && has_page && page <= block.pieces[i].last_page() &&
               block.pieces[i].sequence->pages[page] == sequence->pages[page]);
      if (has_page) call(*sequence, {begin, row - begin, page, kv_head}, scratch);
    }
  }

  struct Call {
    int row;
    int rows;
    int page;
    int kv_head;
  };
  void call(const PagedSequence& sequence, const Call& c, Scratch& scratch) const {
    const int d = shape_.head_dim, last = (sequence.start + sequence.rows - 1) / kPagePositions;
    const std::byte* next = c.page < last ? keys_of(shape_, sequence, c.page + 1, c.kv_head)
                                          : keys_of(shape_, sequence, 0, std::min(c.kv_head + 1, shape_.kv_heads - 1));
    table_.page({shape_.type, keys_of(shape_, sequence, c.page, c.kv_head), values_of(shape_, sequence, c.page, c.kv_head),
                 next, d, shape_.padded(), 1.0f / std::sqrt(static_cast<float>(d)), scratch.q.data() + size(c.row, d),
                 scratch.visible.data() + c.row, c.rows, scratch.acc.data() + size(c.row, shape_.padded()),
                 scratch.top.data() + c.row, scratch.sum.data() + c.row});
  }

  const PagedTable& table_;
  const PageShape& shape_;
  int group_;
  const QueryRows& rows_;
};

}  // namespace

std::size_t PageShape::key_bytes() const { return size(head_dim, kPagePositions) * kv_element_size(type); }
std::size_t PageShape::value_bytes() const { return size(padded(), kPagePositions) * kv_element_size(type); }

void paged_attention(const KernelContext& context, const PageShape& shape, std::span<const PagedSequence> sequences,
                     const QueryRows& rows) {
  const std::vector<Block> blocks = split(sequences);
  std::size_t work = 0;  // multiply-adds
  for (const Block& block : blocks)
    work += size((block.last_page() + 1) * kPagePositions, block.queries) * size(shape.heads, shape.head_dim) * 2;
  const std::size_t tasks = blocks.size() * static_cast<std::size_t>(shape.kv_heads);
  const std::size_t grain = 1 + 32768 * tasks / std::max<std::size_t>(1, work);
  const Job job(table_of(context), shape, rows);
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
  // Every element of a key has a cache line of its own, which waits for memory.
  const std::size_t grain = 1 + 1024 / std::max<std::size_t>(1, total * static_cast<std::size_t>(shape.head_dim));
  context.pool.parallel_for(static_cast<std::size_t>(shape.kv_heads), grain, [&](std::size_t begin, std::size_t end) {
    for (; begin < end; ++begin) store_head(static_cast<int>(begin));
  });
}

}  // namespace areason
