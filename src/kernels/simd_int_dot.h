// Few rows of x times many weight rows, streaming the weights once: bound by memory. Rows go in bands; while a band is computed
// the next one is fetched in the order of its addresses. See int_table.h for the arithmetic.
// Thread rule: pure functions.
#pragma once

#include <algorithm>
#include <utility>

#include "kernels/simd_int_columns.h"

namespace areason::AREASON_ISA_NAMESPACE {
namespace {

// What a band consists of is forced to be inline: passing these structures costs more than the arithmetic.
constexpr int kBandRows = 8;  // weight rows of a band: two vectors of four

// A step of a weight row, or of x as load() would give it, in the format's order of lanes.
template <class Format>
__attribute__((always_inline)) inline void load_step(Unit unit, int step, V (&out)[2]) {
#if !defined(__AVX512VNNI__)
  if constexpr (Format::kOrder != LaneOrder::kGroups) {
    Format::lie(unit, step, out);
    if constexpr (Format::kOrder == LaneOrder::kApart) return;
    const V low = out[0];
    out[0] = outer_halves(low, out[1]);
    out[1] = inner_halves(low, out[1]);
    return;
  }
#endif
  Format::load(unit, step, out);
}
template <class Format>
__attribute__((always_inline)) inline void order_lanes(V (&v)[2]) {
#if !defined(__AVX512VNNI__)
  const V first = v[0];
  if constexpr (Format::kOrder == LaneOrder::kCrossed) {
    v[0] = outer_halves(first, v[1]);
    v[1] = outer_halves(v[1], first);
  }
  if constexpr (Format::kOrder == LaneOrder::kApart) {
    v[0] = first_halves(first, v[1]);
    v[1] = second_halves(first, v[1]);
  }
#else
  static_cast<void>(v);
#endif
}

// The part of a row of x that a step of kQuads groups needs, shared by all weight rows of a band.
struct StepX {
  V q[2];
  V correction[2];  // of the lanes of sums; [1] only where halves have scales of their own
  F d[2];           // in pairs of lanes, as the sums
  const float* ds;  // of the first group
};

template <class Format>
__attribute__((always_inline)) inline StepX step_x(const IntRows& x, std::size_t group) {
  StepX out;
  out.q[0] = load(x.q + 32 * group);
  out.q[1] = load(x.q + 32 * group + 16 * kQuads);
  order_lanes<Format>(out.q);
  if constexpr (Format::kOrder == LaneOrder::kApart) {
    out.correction[0] = shift_left<Format::kShift>(spread(x.minus_halves + 2 * group));
    out.correction[1] = shift_left<Format::kShift>(spread(x.minus_halves + 2 * group + kQuads));
  } else if constexpr (Format::kHalves) {
    out.correction[0] = shift_left<Format::kShift>(spread_even(x.minus_halves + 2 * group));
    out.correction[1] = shift_left<Format::kShift>(spread_odd(x.minus_halves + 2 * group));
  } else if constexpr (Format::kShift < 32) {
    out.correction[0] = shift_left<Format::kShift>(spread(x.minus_sum + group));
  } else {
    out.correction[0] = zero();
  }
  spread_pairs(x.d + group, out.d);
  out.ds = x.ds + group;
  return out;
}

// Sums of the eight weight rows of a band with one row of x.
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

// All rows of a band, at one unit; the factors of a step in pairs of lanes: all rows of a group, then of the next one.
template <class Format>
struct BandUnit {
  Quad quads[2];
  F scale[Format::kSteps][2];
  F second[Format::kSteps][2];  // only where halves have scales of their own
  F min[Format::kSteps][2];
};
template <class Format>
__attribute__((always_inline)) inline BandUnit<Format> unit_of(const Quad& a, const Quad& b) {
  const auto first = Format::scales(a.rows), last = Format::scales(b.rows);
  BandUnit<Format> out;
  out.quads[0] = a;
  out.quads[1] = b;
#pragma GCC unroll 4
  for (int step = 0; step < Format::kSteps; ++step) {
    pair_lanes(first.scale[step], last.scale[step], out.scale[step]);
    if constexpr (Format::kHalves) pair_lanes(first.second[step], last.second[step], out.second[step]);
    if constexpr (Format::kMinima) pair_lanes(first.min[step], last.min[step], out.min[step]);
  }
  return out;
}

// What a step reads of four rows.
struct QuadBytes {
  V of[4][2];
};

// The integer sums of a step of four rows: of groups (lanes) and rows (elements).
struct Products {
  F first;
  F second;  // only where halves have scales of their own: of the second halves, or (kApart) of the second group
};

// Streams of neighbouring weight rows that a band reads and fetches ahead: with two, a core has more of the memory's answers
// on their way. Measured on a Zen 3; with VNNI not yet.
template <bool kOneRow>
constexpr int kStreams = kOneRow && !kVnni ? 2 : 1;

// A step: its number in the unit, its first group, and what it fetches with either quad: its part of the bytes of as many units
// as the stream has rows in a band.
struct StepAt {
  int step = 0;
  std::size_t group = 0;
  const char* ahead[2] = {};
};

// What was fetched for a band may have left the first-level cache before its turn: where that measured faster, it is fetched a
// second time shortly before. Q4_0 and Q6_K in 512 bits (Zen 5), Q4_K and Q6_K in 256 without VNNI (Zen 3).
template <class Format>
constexpr bool kFetchNear =
    Format::kHalves ? kQuads == 4 || !kVnni
                    : Format::kBytes == Bytes::kU4 && (kQuads == 4 ? !Format::kMinima : !kVnni && Format::kMinima);

template <class Format>
__attribute__((always_inline)) inline void fetch_near(Unit row, int step) {
  constexpr int kLines = (static_cast<int>(Format::kUnitBytes) + 63) / 64, kAhead = 256;
  const int end = (step + 1) * kLines / Format::kSteps;
#pragma GCC unroll 8
  for (int line = step * kLines / Format::kSteps; line < end; ++line)
    _mm_prefetch(reinterpret_cast<const char*>(row) + kAhead + 64 * line, _MM_HINT_T0);
}

// Processors drop prefetches that come faster than memory answers: they are spread over the rows, and with one stream repeated
// a little later. Here as elsewhere always inline: GCC removes calls of a function that does nothing but fetch, as without
// effect.
template <class Format, int kFromStreams>
__attribute__((always_inline)) inline void fetch_part(const char* ahead, int part) {
  constexpr int kRows = kBandRows / kFromStreams, kParts = kRows * Format::kSteps;
  constexpr int kLines = (static_cast<int>(Format::kUnitBytes) * kRows + 63) / 64;
  constexpr int kRepeat = 1024;
  constexpr bool kTwice = kFromStreams == 1 && !(kFetchNear<Format> && Format::kHalves);
  const int end = (part + 1) * kLines / kParts;
#pragma GCC unroll 8
  for (int line = part * kLines / kParts; line < end; ++line) {
    _mm_prefetch(ahead + 64 * line, _MM_HINT_T0);
    if constexpr (kTwice) _mm_prefetch(ahead + 64 * line - kRepeat, _MM_HINT_T0);
  }
}

// With row r of quad 0 or 1.
template <class Format, int kFromStreams>
__attribute__((always_inline)) inline void fetch_row(const BandUnit<Format>& unit, const StepAt& at, int quad, int r) {
  if constexpr (kFromStreams == 0) return;
  constexpr int kRows = kBandRows / std::max(1, kFromStreams);
  fetch_part<Format, std::max(1, kFromStreams)>(at.ahead[quad], kRows * at.step + (4 * quad + r) % kRows);
  if constexpr (kFetchNear<Format>) fetch_near<Format>(unit.quads[quad].rows[r], at.step);
}

template <class Format, int kFromStreams>
__attribute__((always_inline)) inline QuadBytes unpack(const BandUnit<Format>& unit, const StepAt& at, int quad) {
  QuadBytes out;
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    fetch_row<Format, kFromStreams>(unit, at, quad, r);
    load_step<Format>(unit.quads[quad].rows[r], at.step, out.of[r]);
  }
  return out;
}

// Sums of a step that have not been added up yet, a vector a row.
struct QuadProducts {
  V first[4];
  V second[4];  // only where halves have scales of their own
};

template <class Format>
__attribute__((always_inline)) inline void multiply_row(const V (&bytes)[2], const StepX& x, int r, QuadProducts& out) {
  if constexpr (Format::kHalves) {
    out.first[r] = dot4<Format::kBytes>(zero(), bytes[0], x.q[0]);
    out.second[r] = dot4<Format::kBytes>(zero(), bytes[1], x.q[1]);
  } else {
    out.first[r] = dot4_two<Format::kBytes>(bytes, x.q);
  }
}

template <class Format>
__attribute__((always_inline)) inline Products add_up(const QuadProducts& products, const StepX& x) {
  constexpr int kProducts = Format::kHalves ? 4 : 8;
  Products out;
  out.first = to_float(sum_rows<Format::kBytes, kProducts>(products.first, x.correction[0]));
  if constexpr (Format::kHalves) out.second = to_float(sum_rows<Format::kBytes, kProducts>(products.second, x.correction[1]));
  return out;
}

template <class Format>
__attribute__((always_inline)) inline Products multiply(const QuadBytes& bytes, const StepX& x) {
  QuadProducts products;
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) multiply_row<Format>(bytes.of[r], x, r, products);
  return add_up<Format>(products, x);
}

#if !defined(__AVX512VNNI__) && !defined(__AVXVNNI__)
// Has `v` computed where it stands in the source. Without it GCC moves the prefetches of a whole unit in front of its first
// product, where most are dropped, and unpacks eight rows before it multiplies one, in more registers than there are.
inline void compute_here(V& v) { __asm__ volatile("" : "+x"(v)); }

// unpack() and multiply() of one row of x, weight row by weight row.
template <class Format, int kFromStreams>
__attribute__((always_inline)) inline Products multiply_in_turn(const BandUnit<Format>& unit, const StepAt& at, int quad,
                                                                const StepX& x) {
  QuadProducts products;
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    fetch_row<Format, kFromStreams>(unit, at, quad, r);
    V bytes[2];
    load_step<Format>(unit.quads[quad].rows[r], at.step, bytes);
    multiply_row<Format>(bytes, x, r, products);
    if constexpr (Format::kHalves) compute_here(products.second[r]);
    compute_here(products.first[r]);
  }
  return add_up<Format>(products, x);
}
#endif

// The factors of a step times those of x, one group after the other.
inline void step_factors(const F (&factor)[2], const F (&x)[2], __m256 (&out)[kQuads]) {
  split_pairs({mul(factor[0], x[0]), mul(factor[1], x[1])}, out);
}
inline void step_sums(F a, F b, __m256 (&out)[kQuads]) {
  F pairs[2];
  pair_lanes(a, b, pairs);
  split_pairs(pairs, out);
}

template <class Format>
__attribute__((always_inline)) inline void add_step(BandSums& sums, const BandUnit<Format>& unit, int step, const StepX& x,
                                                    const Products (&products)[2]) {
  __m256 first[kQuads], second[kQuads], factor[kQuads], next[kQuads];
  step_sums(products[0].first, products[1].first, first);
  step_factors(unit.scale[step], x.d, factor);
  if constexpr (Format::kHalves) {
    step_sums(products[0].second, products[1].second, second);
    step_factors(unit.second[step], x.d, next);
  }
  if constexpr (Format::kOrder == LaneOrder::kApart) {
    std::swap(first[1], second[0]);  // halves first, then groups: to the order of the others
  }
#pragma GCC unroll 4
  for (int i = 0; i < kQuads; ++i) {
    sums.acc = _mm256_fmadd_ps(first[i], factor[i], sums.acc);
    if constexpr (Format::kHalves) sums.acc = _mm256_fmadd_ps(second[i], next[i], sums.acc);
  }
  if constexpr (Format::kMinima) {
    __m256 min[kQuads];
    split_pairs(unit.min[step], min);
#pragma GCC unroll 4
    for (int i = 0; i < kQuads; ++i) sums.min = _mm256_fmadd_ps(min[i], _mm256_set1_ps(x.ds[i]), sums.min);
  }
}

// One step of a band for all rows of x: the weights are unpacked once.
template <class Format, bool kOneRow, int kFromStreams>
__attribute__((always_inline)) inline void band_step(const IntDotArgs& args, const BandUnit<Format>& unit, const StepAt& at,
                                                     BandSums* sums) {
#if !defined(__AVX512VNNI__) && !defined(__AVXVNNI__)
  if constexpr (kOneRow) {
    const StepX x = step_x<Format>(args.x[0], at.group);
    const Products a = multiply_in_turn<Format, kFromStreams>(unit, at, 0, x);
    const Products b = multiply_in_turn<Format, kFromStreams>(unit, at, 1, x);
    return add_step<Format>(sums[0], unit, at.step, x, {a, b});
  }
#endif
  const QuadBytes a = unpack<Format, kFromStreams>(unit, at, 0), b = unpack<Format, kFromStreams>(unit, at, 1);
  const int rows = kOneRow ? 1 : args.rows;
  for (int r = 0; r < rows; ++r) {
    const StepX x = step_x<Format>(args.x[r], at.group);
    add_step<Format>(sums[r], unit, at.step, x, {multiply<Format>(a, x), multiply<Format>(b, x)});
  }
}

// What is left of a row after its whole units; only formats of small blocks have that.
template <class Format, bool kOneRow>
__attribute__((noinline)) void band_rest(const IntDotArgs& args, const Quad (&quads)[2], std::size_t group, BandSums* sums) {
  PaddedUnits padded[2];
  Quad copy[2];
  for (int i = 0; i < 2; ++i) padded[i].fill(quads[i].rows, args.row_bytes % Format::kUnitBytes, copy[i].rows);
  band_step<Format, kOneRow, 0>(args, unit_of<Format>(copy[0], copy[1]), {0, group, {}}, sums);
}

// The weight rows of a band: four from first[0] and four from first[1] on, or one row alone.
struct BandPlace {
  int first[2];
  bool alone;
};

template <bool kOneRow>
__attribute__((always_inline)) inline void finish_band(const IntDotArgs& args, const BandPlace& place, const BandSums* sums) {
  const int rows = kOneRow ? 1 : args.rows, columns = place.alone ? 1 : kBandRows;
  for (int r = 0; r < rows; ++r) {
    float value[kBandRows];
    _mm256_storeu_ps(value, _mm256_sub_ps(sums[r].acc, sums[r].min));
    float* y = args.y + static_cast<std::size_t>(r) * args.y_stride;
    for (int c = 0; c < columns; ++c) {
      const int column = place.first[c / 4] + c % 4;
      float total = value[c];
      if (args.bias != nullptr) total = total + args.bias[column];
      y[column] = args.store == Store::kAdd ? y[column] + total : total;
    }
  }
}

template <class Format, bool kOneRow>
void band(const IntDotArgs& args, const BandPlace& place) {
  const auto row = [&](int index) {
    return static_cast<const std::uint8_t*>(args.weights) + static_cast<std::size_t>(index) * args.row_bytes;
  };
  const std::size_t stride = place.alone ? 0 : args.row_bytes;
  Unit a = row(place.first[0]), b = row(place.first[1]);
  // The bytes after the band's in the order of their addresses: the next band, or what follows in the file.
  constexpr int kFromStreams = kStreams<kOneRow>;
  const char* ahead[2];
  ahead[0] = reinterpret_cast<const char*>(a) + kBandRows / kFromStreams * args.row_bytes;
  ahead[1] = kFromStreams == 1 ? ahead[0] : reinterpret_cast<const char*>(b) + 4 * args.row_bytes;
  BandSums sums[kOneRow ? 1 : kIntDotRows];
  std::size_t group = 0;
  for (std::size_t unit = args.row_bytes / Format::kUnitBytes; unit > 0; --unit) {
    const auto weights = unit_of<Format>(quad_at(a, stride), quad_at(b, stride));
#pragma GCC unroll 4
    for (int step = 0; step < Format::kSteps; ++step, group += kQuads)
      band_step<Format, kOneRow, kFromStreams>(args, weights, {step, group, {ahead[0], ahead[1]}}, sums);
    for (const char*& stream : ahead) stream += kBandRows / kFromStreams * Format::kUnitBytes;
    a += Format::kUnitBytes;
    b += Format::kUnitBytes;
  }
  if (args.row_bytes % Format::kUnitBytes != 0)
    band_rest<Format, kOneRow>(args, {quad_at(a, stride), quad_at(b, stride)}, group, sums);
  finish_band<kOneRow>(args, place, sums);
}

template <class Format, bool kOneRow>
void dot_bands(const IntDotArgs& args) {
  const int bands = args.n / kBandRows;
  for (int i = 0; i < bands; ++i) {
    const int first = kStreams<kOneRow> == 1 ? kBandRows * i : 4 * i;
    band<Format, kOneRow>(args, {{first, first + (kStreams<kOneRow> == 1 ? 4 : 4 * bands)}, false});
  }
  for (int row = kBandRows * bands; row < args.n; ++row) band<Format, kOneRow>(args, {{row, row}, true});
}

template <class Format>
void dot_rows(const IntDotArgs& args) {
  if (args.rows == 1) return dot_bands<Format, true>(args);
  if (kQuads == 4 && args.rows >= Format::kColumnRows) return dot_columns<Format>(args);
  dot_bands<Format, false>(args);
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
