// One row of x times many weight rows, streaming the weights once: bound by memory. Rows go in bands; while a band is computed
// the next one is fetched in the order of its addresses. See int_table.h for the arithmetic.
// Thread rule: pure functions.
#pragma once
#include "kernels/simd_int_formats.h"

namespace areason::AREASON_ISA_NAMESPACE {
namespace {

constexpr int kBandRows = 8;  // weight rows of a band: two vectors of four

// The part of x that a step of kQuads groups needs, shared by all rows of a band.
struct StepX {
  V q[2];
  V correction[2];  // of a group in its lane; [1] only where halves have scales of their own
  F d;
  F ds;
};

template <class Format>
inline StepX step_x(const IntRows& x, std::size_t group) {
  StepX out;
  const V low = load(x.q + 32 * group), high = load(x.q + 32 * group + 16 * kQuads);
  out.q[0] = first_halves(low, high);
  out.q[1] = second_halves(low, high);
  if constexpr (Format::kHalves) {
    out.correction[0] = shift_left<Format::kShift>(spread_even(x.minus_halves + 2 * group));
    out.correction[1] = shift_left<Format::kShift>(spread_odd(x.minus_halves + 2 * group));
  } else if constexpr (Format::kShift < 32) {
    out.correction[0] = shift_left<Format::kShift>(spread(x.minus_sum + group));
  } else {
    out.correction[0] = zero();
  }
  out.d = spread(x.d + group);
  if constexpr (Format::kMinima) out.ds = spread(x.ds + group);
  return out;
}

// Sums of the eight rows of a band.
struct BandSums {
  __m256 acc = _mm256_setzero_ps();
  __m256 min = _mm256_setzero_ps();
};

// Four weight rows at the same place.
struct Quad {
  Unit rows[4];
};
inline Quad quad_at(Unit first, std::size_t stride) {
  return {{first, first + stride, first + 2 * stride, first + 3 * stride}};
}

// What a step of four rows adds: products of groups (lanes) and rows (elements).
struct Products {
  F first;
  F second;  // only where halves have scales of their own
  F min;
};

// A step of four rows: its number in the unit, and what it fetches (or null): its part of the bytes of eight units.
struct StepAt {
  int step = 0;
  int part = 0;
  const char* ahead = nullptr;
};

// Processors drop prefetches that come faster than memory answers: they are spread over the rows, and repeated a little later.
template <class Format>
inline void fetch_part(const char* ahead, int part) {
  constexpr int kLines = (static_cast<int>(Format::kUnitBytes) * kBandRows + 63) / 64, kParts = kBandRows * Format::kSteps;
  constexpr int kRepeat = 1024;
#pragma GCC unroll 8
  for (int line = part * kLines / kParts; line < (part + 1) * kLines / kParts; ++line) {
    _mm_prefetch(ahead + 64 * line, _MM_HINT_T0);
    _mm_prefetch(ahead + 64 * line - kRepeat, _MM_HINT_T0);
  }
}

template <class Format, bool kFetch>
inline Products multiply(const Quad& quad, const typename Format::Scales& scales, const StepAt& at, const StepX& x) {
  const int step = at.step;
  V first[4], second[4];
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    if constexpr (kFetch) fetch_part<Format>(at.ahead, at.part + r);
    V bytes[2];
    Format::load(quad.rows[r], step, bytes);
    if constexpr (Format::kHalves) {
      first[r] = dot4<Format::kBytes>(zero(), bytes[0], x.q[0]);
      second[r] = dot4<Format::kBytes>(zero(), bytes[1], x.q[1]);
    } else {
      first[r] = dot4_two<Format::kBytes>(bytes, x.q);
    }
  }
  constexpr int kProducts = Format::kHalves ? 4 : 8;
  Products out;
  out.first = mul(to_float(sum_rows<Format::kBytes, kProducts>(first, x.correction[0])), mul(scales.scale[step], x.d));
  if constexpr (Format::kHalves)
    out.second = mul(to_float(sum_rows<Format::kBytes, kProducts>(second, x.correction[1])), mul(scales.second[step], x.d));
  if constexpr (Format::kMinima) out.min = mul(scales.min[step], x.ds);
  return out;
}

template <class Format>
inline void add_step(BandSums& sums, const Products& a, const Products& b) {
  __m256 first[kQuads], second[kQuads];
  pair_lanes(a.first, b.first, first);
  if constexpr (Format::kHalves) pair_lanes(a.second, b.second, second);
#pragma GCC unroll 4
  for (int i = 0; i < kQuads; ++i) {
    sums.acc = _mm256_add_ps(sums.acc, first[i]);
    if constexpr (Format::kHalves) sums.acc = _mm256_add_ps(sums.acc, second[i]);
  }
  if constexpr (Format::kMinima) {
    pair_lanes(a.min, b.min, first);
#pragma GCC unroll 4
    for (int i = 0; i < kQuads; ++i) sums.min = _mm256_add_ps(sums.min, first[i]);
  }
}

inline void finish_band(const IntDotArgs& args, int first, int rows, const BandSums& sums) {
  float value[kBandRows];
  _mm256_storeu_ps(value, _mm256_sub_ps(sums.acc, sums.min));
  for (int r = 0; r < rows; ++r) {
    float total = value[r];
    if (args.bias != nullptr) total = total + args.bias[first + r];
    args.y[first + r] = args.store == Store::kAdd ? args.y[first + r] + total : total;
  }
}

// What is left of a row after its whole units; only formats of small blocks have that.
template <class Format>
__attribute__((noinline)) void band_rest(const Quad& a, const Quad& b, std::size_t bytes, const StepX& x, BandSums& sums) {
  PaddedUnits padded[2];
  Quad copy[2];
  padded[0].fill(a.rows, bytes, copy[0].rows);
  padded[1].fill(b.rows, bytes, copy[1].rows);
  add_step<Format>(sums, multiply<Format, false>(copy[0], Format::scales(copy[0].rows), {}, x),
                   multiply<Format, false>(copy[1], Format::scales(copy[1].rows), {}, x));
}

// Eight rows from `first` on; or, with a stride of zero, one.
template <class Format>
void band(const IntDotArgs& args, int first, std::size_t stride) {
  const int rows = stride == 0 ? 1 : kBandRows;
  Unit a = static_cast<const std::uint8_t*>(args.weights) + static_cast<std::size_t>(first) * args.row_bytes;
  Unit b = a + 4 * stride;
  // The bytes after this band, in the order of their addresses: the next band, or what follows in the file.
  const char* ahead = reinterpret_cast<const char*>(a) + kBandRows * args.row_bytes;
  const std::size_t units = args.row_bytes / Format::kUnitBytes, rest = args.row_bytes % Format::kUnitBytes;
  BandSums sums;
  std::size_t group = 0;
  for (std::size_t unit = 0; unit < units; ++unit) {
    const Quad quad_a = quad_at(a, stride), quad_b = quad_at(b, stride);
    const auto scales_a = Format::scales(quad_a.rows), scales_b = Format::scales(quad_b.rows);
#pragma GCC unroll 4
    for (int step = 0; step < Format::kSteps; ++step, group += kQuads) {
      const StepX x = step_x<Format>(args.x, group);
      const Products product_a = multiply<Format, true>(quad_a, scales_a, {step, kBandRows * step, ahead}, x);
      add_step<Format>(sums, product_a, multiply<Format, true>(quad_b, scales_b, {step, kBandRows * step + 4, ahead}, x));
    }
    ahead += kBandRows * Format::kUnitBytes;
    a += Format::kUnitBytes;
    b += Format::kUnitBytes;
  }
  if (rest != 0) band_rest<Format>(quad_at(a, stride), quad_at(b, stride), rest, step_x<Format>(args.x, group), sums);
  finish_band(args, first, rows, sums);
}

template <class Format>
void dot_rows(const IntDotArgs& args) {
  int first = 0;
  for (; first + kBandRows <= args.n; first += kBandRows) band<Format>(args, first, args.row_bytes);
  for (; first < args.n; ++first) band<Format>(args, first, 0);
}

void int_dot(const IntDotArgs& args) {
  switch (args.type) {
    case WeightType::kQ8_0:
      return dot_rows<FormatQ8_0>(args);
    case WeightType::kQ4_0:
      return dot_rows<FormatQ4_0>(args);
    case WeightType::kQ4_K:
      return dot_rows<FormatQ4_K>(args);
    case WeightType::kQ5_K:
      return dot_rows<FormatQ5_K>(args);
    case WeightType::kQ6_K:
      return dot_rows<FormatQ6_K>(args);
    default:
      return;
  }
}

}  // namespace
}  // namespace areason::AREASON_ISA_NAMESPACE
