// One page of paged attention, once per instruction set; see simd_vector.h for how this is compiled and paged_table.h for what
// it computes. Every query's sums have one order, whatever rows are computed beside it. Thread rule: pure functions.
#pragma once
#include "kernels/paged_table.h"
#include "kernels/simd_vector.h"

namespace areason::AREASON_ISA_NAMESPACE {
namespace {

constexpr int kPage = 32;
constexpr int kVecs = kPage / kLanes;

// Queries whose scores are computed together, and vectors of a value row: what the registers hold.
#if defined(__AVX512F__)
constexpr int kScoreRows = 8, kValueRows = 4, kValueVecs = 4;
#elif defined(__AVX2__)
constexpr int kScoreRows = 2, kValueRows = 2, kValueVecs = 4;
#else
constexpr int kScoreRows = 1, kValueRows = 1, kValueVecs = 4;
#endif

// One row alone waits for memory: while it goes over keys, its values are fetched, and the next page's keys while it goes over
// these. Fetches kBytes of `other` at the place that `at` has in `block`.
template <std::size_t kBytes>
__attribute__((always_inline)) inline void fetch(const void* block, const void* at, const void* other) {
  const auto place = static_cast<const char*>(at) - static_cast<const char*>(block);
  for (std::size_t line = 0; line < kBytes; line += 64)
    __builtin_prefetch(static_cast<const char*>(other) + place + static_cast<std::ptrdiff_t>(line));
}

// scores[rows][32] = q · keys
template <typename Read, int kRows>
__attribute__((noinline)) void page_scores(const PageArgs& args, int row, float* scores) {
  const auto* keys = static_cast<const typename Read::Type*>(args.keys);
  const float* q = args.q + static_cast<std::size_t>(row) * static_cast<std::size_t>(args.d);
  Vec acc[kRows][kVecs] = {};
  for (int i = 0; i < args.d; ++i, keys += kPage) {
    Vec key[kVecs];
#pragma GCC unroll 8
    for (int j = 0; j < kVecs; ++j) key[j] = Read::vec(keys + j * kLanes);
    if constexpr (kRows == 1) fetch<kPage * sizeof(typename Read::Type)>(args.keys, keys, args.values);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Vec value = set1(q[r * args.d + i]);
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) acc[r][j] += value * key[j];
    }
  }
  for (int r = 0; r < kRows; ++r)
    for (int j = 0; j < kVecs; ++j) store(scores + r * kPage + j * kLanes, acc[r][j]);
}

// Scores become weights; the row's sums so far are scaled to the new largest score.
__attribute__((noinline)) void page_softmax(const PageArgs& args, int row, float* scores) {
  const int visible = args.visible[row] < kPage ? args.visible[row] : kPage;
  for (int j = visible < 0 ? 0 : visible; j < kPage; ++j) scores[j] = -3e38f;
  Vec most = set1(-3e38f);
  for (int j = 0; j < kVecs; ++j) {
    const Vec scaled = vmax(load(scores + j * kLanes) * args.scale, set1(-3e38f));
    store(scores + j * kLanes, scaled);
    most = vmax(most, scaled);
  }
  const float page_top = maximum(most);
  const float top = page_top > args.top[row] ? page_top : args.top[row];
  Vec total = {};
  for (int j = 0; j < kVecs; ++j) {
    const Vec weight = exponential(load(scores + j * kLanes) - top);
    store(scores + j * kLanes, weight);
  }
  for (int j = visible < 0 ? 0 : visible; j < kPage; ++j) scores[j] = 0.0f;
  for (int j = 0; j < kVecs; ++j) total += load(scores + j * kLanes);
  float factor[kLanes];
  store(factor, exponential(set1(args.top[row] - top)));
  args.sum[row] *= factor[0];
  args.sum[row] += sum(total);
  args.top[row] = top;
  if (factor[0] == 1.0f) return;
  float* acc = args.acc + static_cast<std::size_t>(row) * static_cast<std::size_t>(args.padded);
  for (int i = 0; i < args.padded; i += kLanes) store(acc + i, load(acc + i) * factor[0]);
}

// acc[rows][from, from + vectors) += weights · values, of the first `positions` positions
template <typename Read, int kRows, int kVectors>
__attribute__((noinline)) void page_values(const PageArgs& args, int row, int from, const float* weights, int positions) {
  const auto* values = static_cast<const typename Read::Type*>(args.values) + from;
  float* out = args.acc + static_cast<std::size_t>(row) * static_cast<std::size_t>(args.padded) + from;
  Vec acc[kRows][kVectors];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) acc[r][j] = load(out + r * args.padded + j * kLanes);
  for (int p = 0; p < positions; ++p, values += args.padded) {
    Vec value[kVectors];
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) value[j] = Read::vec(values + j * kLanes);
    if constexpr (kRows == 1) fetch<kVectors * kLanes * sizeof(typename Read::Type)>(args.values, values, args.next_keys);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const Vec weight = set1(weights[r * kPage + p]);
#pragma GCC unroll 8
      for (int j = 0; j < kVectors; ++j) acc[r][j] += weight * value[j];
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) store(out + r * args.padded + j * kLanes, acc[r][j]);
}

template <typename Read, int kRows>
void page_value_rows(const PageArgs& args, int row, const float* weights, int positions) {
  int from = 0;
  for (; from + kValueVecs * kLanes <= args.padded; from += kValueVecs * kLanes)
    page_values<Read, kRows, kValueVecs>(args, row, from, weights, positions);
  for (; from < args.padded; from += kLanes) page_values<Read, kRows, 1>(args, row, from, weights, positions);
}

template <typename Read>
void page_typed(const PageArgs& args) {
  constexpr int kTile = 8;  // a multiple of kScoreRows and kValueRows
  float scores[kTile * kPage];
  for (int row = 0; row < args.rows; row += kTile) {
    const int rows = args.rows - row < kTile ? args.rows - row : kTile;
    int r = 0, most = 0;
    for (; r + kScoreRows <= rows; r += kScoreRows) page_scores<Read, kScoreRows>(args, row + r, scores + r * kPage);
    for (; r < rows; ++r) page_scores<Read, 1>(args, row + r, scores + r * kPage);
    for (r = 0; r < rows; ++r) {
      page_softmax(args, row + r, scores + r * kPage);
      if (args.visible[row + r] > most) most = args.visible[row + r];
    }
    // Weights of positions that a row does not see are 0 and change nothing.
    const int positions = most < kPage ? most : kPage;
    for (r = 0; r + kValueRows <= rows; r += kValueRows)
      page_value_rows<Read, kValueRows>(args, row + r, scores + r * kPage, positions);
    for (; r < rows; ++r) page_value_rows<Read, 1>(args, row + r, scores + r * kPage, positions);
  }
}

void page(const PageArgs& args) {
  switch (args.type) {
    case KvType::kF32:
      return page_typed<ReadF32>(args);
    case KvType::kF16:
      return page_typed<ReadF16>(args);
    case KvType::kBF16:
      return page_typed<ReadBF16>(args);
  }
}

struct WriteF32 {
  using Type = float;
  static float from(float x) { return x; }
};
struct WriteF16 {
  using Type = std::uint16_t;
  static std::uint16_t from(float x) {
    x = x > 65504.0f ? 65504.0f : x < -65504.0f ? -65504.0f : x;
#if defined(__F16C__)
    return static_cast<std::uint16_t>(_cvtss_sh(x, _MM_FROUND_TO_NEAREST_INT));
#else
    std::uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    const std::uint32_t sign = bits >> 16 & 0x8000u;
    const float magnitude = x < 0 ? -x : x;
    // Below 2^-14 halves are multiples of 2^-24: adding 0.5 (whose unit is 2^-24) rounds to one.
    if (magnitude < 0x1p-14f) {
      const float shifted = magnitude + 0.5f;
      std::uint32_t low;
      std::memcpy(&low, &shifted, sizeof low);
      return static_cast<std::uint16_t>(sign | (low & 0xffffu));
    }
    bits &= 0x7fffffffu;
    const std::uint32_t rounded = bits + 0xfffu + (bits >> 13 & 1u);
    return static_cast<std::uint16_t>(sign | ((rounded - (112u << 23)) >> 13));
#endif
  }
};
struct WriteBF16 {
  using Type = std::uint16_t;
  static std::uint16_t from(float x) {
    x = x > 3.3895314e38f ? 3.3895314e38f : x < -3.3895314e38f ? -3.3895314e38f : x;  // the largest bfloat16
    std::uint32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    return static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
  }
};

template <typename Write>
void store_typed(const PageStoreArgs& args) {
  using Type = typename Write::Type;
  for (int r = 0; r < args.rows; ++r) {
    const float* k = args.k + static_cast<std::size_t>(r) * args.stride;
    const float* v = args.v + static_cast<std::size_t>(r) * args.stride;
    Type* key = static_cast<Type*>(args.keys) + args.slot + r;
    Type* value =
        static_cast<Type*>(args.values) + static_cast<std::size_t>(args.slot + r) * static_cast<std::size_t>(args.padded);
    for (int i = 0; i < args.d; ++i) key[i * kPage] = Write::from(k[i]);
    for (int i = 0; i < args.d; ++i) value[i] = Write::from(v[i]);
  }
}

void store_rows(const PageStoreArgs& args) {
  switch (args.type) {
    case KvType::kF32:
      return store_typed<WriteF32>(args);
    case KvType::kF16:
      return store_typed<WriteF16>(args);
    case KvType::kBF16:
      return store_typed<WriteBF16>(args);
  }
}

}  // namespace
}  // namespace areason::AREASON_ISA_NAMESPACE
