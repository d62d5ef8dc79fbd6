#pragma once
// softmax(q k^T / sqrt(d)) v over keys and values that lie in pages of 32 positions, for several sequences at once, causal;
// online softmax, so that memory does not grow with the context. What a query gets is the same, bit for bit, whether it is
// computed alone, in a long prompt or beside other sequences: keys are taken page by page, every sum has one order.
// Called by src/model (decoder). Thread rule: one caller at a time per pool; pages are only read by paged_attention().
// Page of one layer: keys [kv_heads][head_dim][32], then values [kv_heads][32][padded], padded = head_dim rounded up to 16;
// every element must be finite, also of positions not yet written.
#include <span>

#include "kernels/kv_type.h"
#include "kernels/linear.h"

namespace areason {

constexpr int kPagePositions = 32;

struct PageShape {
  KvType type = KvType::kF32;
  int heads = 0;
  int kv_heads = 0;  // divides heads
  int head_dim = 0;

  int padded() const { return (head_dim + 15) / 16 * 16; }
  std::size_t key_bytes() const;    // of one head in one page
  std::size_t value_bytes() const;  // of one head in one page
  std::size_t bytes() const { return static_cast<std::size_t>(kv_heads) * (key_bytes() + value_bytes()); }
};

// One layer of one sequence: page i holds positions [32 i, 32 i + 32).
struct PagedSequence {
  std::byte* const* pages = nullptr;
  std::size_t offset = 0;  // of the layer within a page
  int start = 0;           // position of the first row below
  int rows = 0;
};

struct QueryRows {
  const float* q = nullptr;  // [rows of all sequences][heads * head_dim]
  float* out = nullptr;      // the same
};
// Row i of a sequence sees positions [0, start + i]. Neighbouring sequences that begin with the same pages read them once.
void paged_attention(const KernelContext& context, const PageShape& shape, std::span<const PagedSequence> sequences,
                     const QueryRows& rows);

struct KeyValueRows {
  const float* k = nullptr;  // [rows of all sequences][kv_heads * head_dim]
  const float* v = nullptr;
};
// Writes the rows of every sequence at their positions; values beyond the type's range are cut to its largest.
void store_pages(const KernelContext& context, const PageShape& shape, std::span<const PagedSequence> sequences,
                 const KeyValueRows& rows);

}  // namespace areason
