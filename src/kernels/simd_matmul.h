// Matrix products of one thread, once per instruction set; see simd_vector.h for how this is compiled and kernel_table.h for
// what each function computes. Thread rule: pure functions.
#pragma once
#include "kernels/simd_vector.h"

namespace areason::AREASON_ISA_NAMESPACE {
namespace {

// A register tile of kMr x 2 vectors: as many accumulators as the registers hold beside two panel vectors and a broadcast.
#if defined(__AVX512F__)
constexpr int kMr = 12;
#elif defined(__AVX2__)
constexpr int kMr = 6;
#else
constexpr int kMr = 4;
#endif
constexpr int kNr = 2 * kLanes;
constexpr int kRowStep = kMr / (kMr > 6 ? 3 : 2);  // remainders of rows are rounded up to this

// Four lanes: what rows and columns change places in.
typedef float Quad __attribute__((vector_size(16)));
inline Quad load_quad(const float* p) {
  Quad v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

// Four values of each of four rows to columns at this distance.
template <int kStep>
inline void transpose_four(const Quad (&row)[4], float* out) {
  const Quad low01 = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
  const Quad high01 = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
  const Quad low23 = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
  const Quad high23 = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
  const Quad columns[4] = {__builtin_shufflevector(low01, low23, 0, 1, 4, 5), __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
                           __builtin_shufflevector(high01, high23, 0, 1, 4, 5),
                           __builtin_shufflevector(high01, high23, 2, 3, 6, 7)};
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) std::memcpy(out + i * kStep, &columns[i], sizeof(Quad));
}

template <typename Read>
void pack_rows(const PackArgs& args) {
  const auto* weights = static_cast<const typename Read::Type*>(args.weights);
  int k = 0;
  for (; k + kLanes <= args.k; k += kLanes) {
    float* out = args.panel + static_cast<std::size_t>(k) * kNr;
    for (int r = 0; r < kNr; r += 4) {
      float block[4][kLanes];
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i)
        store(block[i], r + i < args.rows ? Read::vec(weights + static_cast<std::size_t>(r + i) * args.stride + k) : Vec{});
#pragma GCC unroll 4
      for (int i = 0; i < kLanes; i += 4)
        transpose_four<kNr>(
            {load_quad(block[0] + i), load_quad(block[1] + i), load_quad(block[2] + i), load_quad(block[3] + i)},
            out + i * kNr + r);
    }
  }
  for (; k < args.k; ++k)
    for (int r = 0; r < kNr; ++r)
      args.panel[static_cast<std::size_t>(k) * kNr + r] =
          r < args.rows ? Read::one(weights + static_cast<std::size_t>(r) * args.stride + k) : 0.0f;
}

void pack(const PackArgs& args) {
  switch (args.type) {
    case WeightType::kF32:
      return pack_rows<ReadF32>(args);
    case WeightType::kBF16:
      return pack_rows<ReadBF16>(args);
    case WeightType::kF16:
      return pack_rows<ReadF16>(args);
    default:  // block formats do not come here
      return;
  }
}

inline void pack_a_two(Quad a, Quad b, float* out) {
  const Quad low = __builtin_shufflevector(a, b, 0, 4, 1, 5), high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  float pairs[8];
  std::memcpy(pairs, &low, sizeof low);
  std::memcpy(pairs + 4, &high, sizeof high);
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) std::memcpy(out + i * kMr, pairs + 2 * i, 2 * sizeof(float));
}

void pack_a(const PackRowsArgs& args) {
  static_assert(kMr % 2 == 0);
  const auto row = [&](int r) { return args.a + static_cast<std::size_t>(r) * args.stride; };
  int k = 0;
  for (; k + 4 <= args.k; k += 4) {
    float* out = args.packed + static_cast<std::size_t>(k) * kMr;
    const auto quad = [&](int r) { return r < args.rows ? load_quad(row(r) + k) : Quad{}; };
#pragma GCC unroll 4
    for (int r = 0; r + 4 <= kMr; r += 4) transpose_four<kMr>({quad(r), quad(r + 1), quad(r + 2), quad(r + 3)}, out + r);
    if constexpr (kMr % 4 == 2) pack_a_two(quad(kMr - 2), quad(kMr - 1), out + kMr - 2);
  }
  for (; k < args.k; ++k)
    for (int r = 0; r < kMr; ++r) args.packed[static_cast<std::size_t>(k) * kMr + r] = r < args.rows ? row(r)[k] : 0.0f;
}

inline void finish_row(const TileArgs& args, int row, Vec low, Vec high) {
  float* c = args.c + static_cast<std::size_t>(row) * args.c_stride;
  if (args.n == kNr) {
    if (args.bias != nullptr) {
      low += load(args.bias);
      high += load(args.bias + kLanes);
    }
    if (args.store == Store::kAdd) {
      low += load(c);
      high += load(c + kLanes);
    }
    store(c, low);
    store(c + kLanes, high);
    return;
  }
  float value[kNr];
  store(value, low);
  store(value + kLanes, high);
  for (int i = 0; i < args.n; ++i) {
    const float total = value[i] + (args.bias != nullptr ? args.bias[i] : 0.0f);
    c[i] = args.store == Store::kAdd ? c[i] + total : total;
  }
}

template <int kRows>
void tile_rows(const TileArgs& args) {
  // The results' place is needed last and has often left the caches.
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r)
    if (r < args.m) __builtin_prefetch(args.c + static_cast<std::size_t>(r) * args.c_stride, 1);
  Vec low[kRows] = {}, high[kRows] = {};
  const float* a = args.packed_a;
  const float* b = args.panel;
  for (int k = 0; k < args.k; ++k, a += kMr, b += kNr) {
    const Vec b0 = load(b), b1 = load(b + kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      low[r] += a[r] * b0;
      high[r] += a[r] * b1;
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r)
    if (r < args.m) finish_row(args, r, low[r], high[r]);
}

void tile(const TileArgs& args) {
  if (args.m <= kRowStep) return tile_rows<kRowStep>(args);
  if (args.m <= 2 * kRowStep) return tile_rows<2 * kRowStep>(args);
  tile_rows<kMr>(args);
}

// kRows rows of x times kWeights weight rows. The sums of a pair do not depend on which others are computed beside it.
template <typename Read, int kRows, int kWeights>
inline void dot_block(const DotArgs& args, int m, int n) {
  const auto* w = static_cast<const typename Read::Type*>(args.weights) + static_cast<std::size_t>(n) * args.w_stride;
  const float* x = args.x + static_cast<std::size_t>(m) * args.x_stride;
  Vec acc[kRows][kWeights] = {};
  int k = 0;
  for (; k + kLanes <= args.k; k += kLanes) {
    Vec wv[kWeights];
#pragma GCC unroll 8
    for (int j = 0; j < kWeights; ++j) wv[j] = Read::vec(w + static_cast<std::size_t>(j) * args.w_stride + k);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const Vec xv = load(x + static_cast<std::size_t>(i) * args.x_stride + k);
#pragma GCC unroll 8
      for (int j = 0; j < kWeights; ++j) acc[i][j] += xv * wv[j];
    }
  }
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kWeights; ++j) {
      float total = sum(acc[i][j]);
      for (int t = k; t < args.k; ++t)
        total +=
            x[static_cast<std::size_t>(i) * args.x_stride + t] * Read::one(w + static_cast<std::size_t>(j) * args.w_stride + t);
      if (args.bias != nullptr) total += args.bias[n + j];
      float* y = args.y + static_cast<std::size_t>(m + i) * args.y_stride + n + j;
      *y = args.store == Store::kAdd ? *y + total : total;
    }
  }
}

template <typename Read, int kWeights>
inline void dot_weights(const DotArgs& args, int n) {
  int m = 0;
  for (; m + 4 <= args.m; m += 4) dot_block<Read, 4, kWeights>(args, m, n);
  for (; m < args.m; ++m) dot_block<Read, 1, kWeights>(args, m, n);
}

template <typename Read>
void dot_typed(const DotArgs& args) {
  int n = 0;
  if (args.m < 4) {
    for (; n + 8 <= args.n; n += 8) dot_weights<Read, 8>(args, n);
  } else {
    for (; n + 2 <= args.n; n += 2) dot_weights<Read, 2>(args, n);
  }
  for (; n < args.n; ++n) dot_weights<Read, 1>(args, n);
}

void dot(const DotArgs& args) {
  switch (args.type) {
    case WeightType::kF32:
      return dot_typed<ReadF32>(args);
    case WeightType::kBF16:
      return dot_typed<ReadBF16>(args);
    case WeightType::kF16:
      return dot_typed<ReadF16>(args);
    default:  // block formats do not come here
      return;
  }
}

// kParts vectors of the output at a time.
template <int kParts>
inline void weighted_sum_part(const WeightedSumArgs& args, int from) {
  Vec acc[kParts] = {};
  const float* values = args.values + from;
  for (int p = 0; p < args.n; ++p, values += args.stride) {
    const Vec weight = set1(args.weight[p]);
#pragma GCC unroll 8
    for (int i = 0; i < kParts; ++i) acc[i] += weight * load(values + i * kLanes);
  }
  for (int i = 0; i < kParts; ++i) store(args.out + from + i * kLanes, acc[i]);
}

void weighted_sum(const WeightedSumArgs& args) {
  int from = 0;
  for (; from + 4 * kLanes <= args.d; from += 4 * kLanes) weighted_sum_part<4>(args, from);
  for (; from + kLanes <= args.d; from += kLanes) weighted_sum_part<1>(args, from);
  for (; from < args.d; ++from) {
    float total = 0.0f;
    for (int p = 0; p < args.n; ++p) total += args.weight[p] * args.values[static_cast<std::size_t>(p) * args.stride + from];
    args.out[from] = total;
  }
}

}  // namespace
}  // namespace areason::AREASON_ISA_NAMESPACE
