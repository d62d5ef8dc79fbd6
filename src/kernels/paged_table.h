#pragma once
// The part of paged attention that exists once per instruction set: one head, one page, some queries. Internal to
// paged_attention.cpp and its sources per instruction set. Thread rule: constant tables of pure functions.
#include <cstddef>

#include "kernels/isa.h"
#include "kernels/kv_type.h"

namespace areason {

// Adds one page to the running softmax of `rows` queries.
struct PageArgs {
  KvType type;
  const void* keys;       // [d][32]
  const void* values;     // [32][padded]
  const void* next_keys;  // of what is likely to be added next: only fetched
  int d;
  int padded;
  float scale;
  const float* q;      // [rows][d]
  const int* visible;  // [rows]: how many of the page's positions the query sees; may be <= 0 or > 32
  int rows;
  float* acc;  // [rows][padded]
  float* top;  // [rows], the largest score so far
  float* sum;  // [rows], of exp(score - top)
};

// Rows of one head into the slots [slot, slot + rows) of one page.
struct PageStoreArgs {
  KvType type;
  void* keys;
  void* values;
  int d;
  int padded;
  const float* k;
  const float* v;
  std::size_t stride;  // of k and v
  int slot;
  int rows;
};

struct PagedTable {
  void (*page)(const PageArgs&);
  void (*store)(const PageStoreArgs&);
};

// Null when the instruction set was not compiled in.
const PagedTable* paged_table_portable();
const PagedTable* paged_table_avx2();
const PagedTable* paged_table_avx512();

}  // namespace areason
