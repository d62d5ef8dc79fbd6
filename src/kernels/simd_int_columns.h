// Some rows of x times many weight rows, streaming the weights once. What simd_int_dot.h does for one row, adding up the parts
// of a sum that lie beside each other in a vector, costs as much for every further row; here the weights change places first,
// once for all rows, so that every element of a vector is the sum of one weight row and one group. Pays from a format's
// kColumnRows on, in 512 bits. See int_table.h for the arithmetic. Thread rule: pure functions.
#pragma once
#include "kernels/simd_int_pack.h"

namespace areason::AREASON_ISA_NAMESPACE {
namespace {

constexpr int kBandColumns = 4 * kQuads;      // weight rows at once: kQuads times four
constexpr int kColumnTogether = 16 / kQuads;  // rows of x: with as many quads, sixteen sums

// A step of kQuads groups. Its bytes: [dword of a group][quad], lanes are groups, the elements of a lane are rows.
struct ColumnStep {
  alignas(64) std::uint8_t w[8 * kQuads * sizeof(V)];
  F scale[kQuads];   // of a group's columns
  F second[kQuads];  // only where halves have scales of their own
  F min[kQuads];
  std::size_t group;  // the first
  const char* ahead;  // what is to be fetched
};

// Sums of rows of x with all columns: [row of x][column].
struct ColumnSums {
  alignas(64) float acc[kIntDotRows * kBandColumns] = {};
  alignas(64) float min[kIntDotRows * kBandColumns] = {};
};

// Part kPart of eight of the bytes of a step: those that follow these weight rows, in the order of their addresses, are fetched
// with the products of every few rows of x, since processors drop prefetches that come faster than memory answers.
template <class Format, int kPart>
__attribute__((always_inline)) inline void fetch_columns(const char* ahead) {
  constexpr std::size_t kLines = (kBandColumns * Format::kUnitBytes / Format::kSteps + 63) / 64;
  constexpr std::size_t kEnd = (kPart + 1) * kLines / 8;
#pragma GCC unroll 8
  for (std::size_t line = kPart * kLines / 8; line < kEnd; ++line) _mm_prefetch(ahead + 64 * line, _MM_HINT_T0);
}

template <class Format>
__attribute__((always_inline)) inline void unpack_columns(const UnitRows& rows, int step, ColumnStep& out) {
#pragma GCC unroll 4
  for (int quad = 0; quad < kQuads; ++quad) {
    V half[2][4];
    transposed_quad<Format>(rows[quad], step, half);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      store(out.w + static_cast<std::size_t>(i * kQuads + quad) * sizeof(V), half[0][i]);
      store(out.w + static_cast<std::size_t>((i + 4) * kQuads + quad) * sizeof(V), half[1][i]);
    }
  }
}

template <int kRows>
using ColumnProducts = V[kRows][kQuads];

// Dword kDword of both halves of every group (0 … 7) of x times those of the weights.
template <class Format, int kRows, int kDword>
__attribute__((always_inline)) inline void multiply_dword(const ColumnStep& step, const V (&x)[kRows],
                                                          ColumnProducts<kRows>& sum) {
  fetch_columns<Format, kDword>(step.ahead);
  V all[kRows];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) all[r] = spread_dword<kDword % 4>(x[r]);
#pragma GCC unroll 4
  for (int quad = 0; quad < kQuads; ++quad) {
    const V weights = load(step.w + static_cast<std::size_t>(kDword * kQuads + quad) * sizeof(V));
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) sum[r][quad] = dot4<Format::kBytes>(sum[r][quad], weights, all[r]);
  }
}

// Half kHalf of the groups of a step.
template <class Format, int kRows, int kHalf>
__attribute__((always_inline)) inline void multiply_half(const ColumnStep& step, const IntRows* x, ColumnProducts<kRows>& sum) {
  V values[kRows];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) values[r] = load(x[r].q + 32 * step.group + 16 * kQuads * kHalf);
  multiply_dword<Format, kRows, 4 * kHalf>(step, values, sum);
  multiply_dword<Format, kRows, 4 * kHalf + 1>(step, values, sum);
  multiply_dword<Format, kRows, 4 * kHalf + 2>(step, values, sum);
  multiply_dword<Format, kRows, 4 * kHalf + 3>(step, values, sum);
}

// Vectors whose lanes are groups to vectors of all columns of a group.
inline void to_groups(F (&v)[kQuads]) {
  V bits[kQuads];
  std::memcpy(bits, v, sizeof bits);
  transpose_lanes(bits);
  std::memcpy(v, bits, sizeof bits);
}

// Sums begin with what the format's offset adds, of all groups or of one half of them.
template <class Format, int kRows, int kHalf>
__attribute__((always_inline)) inline void begin_columns(const IntRows* x, std::size_t group, ColumnProducts<kRows>& sum) {
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    V offset = zero();
    if constexpr (Format::kHalves) {
      const std::int32_t* minus = x[r].minus_halves + 2 * group;
      offset = shift_left<Format::kShift>(kHalf == 0 ? spread_even(minus) : spread_odd(minus));
    } else if constexpr (Format::kShift < 32) {
      offset = shift_left<Format::kShift>(spread(x[r].minus_sum + group));
    }
#pragma GCC unroll 4
    for (int quad = 0; quad < kQuads; ++quad) sum[r][quad] = offset;
  }
}

inline void add_minima(const ColumnStep& step, const IntRows& x, float* min) {
  F total = loadf(min);
#pragma GCC unroll 4
  for (std::size_t g = 0; g < kQuads; ++g) total = fma(step.min[g], set1f(x.ds[step.group + g]), total);
  storef(min, total);
}

// One step for kRows rows of x, whose sums are at `acc` and `min`.
template <class Format, int kRows>
__attribute__((always_inline)) inline void column_rows(const ColumnStep& step, const IntRows* x, float* acc, float* min) {
  ColumnProducts<kRows> sum, second;
  begin_columns<Format, kRows, 0>(x, step.group, sum);
  multiply_half<Format, kRows, 0>(step, x, sum);
  if constexpr (Format::kHalves) {
    begin_columns<Format, kRows, 1>(x, step.group, second);
    multiply_half<Format, kRows, 1>(step, x, second);
  } else {
    multiply_half<Format, kRows, 1>(step, x, sum);
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    transpose_lanes(sum[r]);
    if constexpr (Format::kHalves) transpose_lanes(second[r]);
    F total = loadf(acc + r * kBandColumns);
#pragma GCC unroll 4
    for (std::size_t g = 0; g < kQuads; ++g) {
      const F d = set1f(x[r].d[step.group + g]);
      total = fma(to_float(sum[r][g]), mul(step.scale[g], d), total);
      if constexpr (Format::kHalves) total = fma(to_float(second[r][g]), mul(step.second[g], d), total);
    }
    storef(acc + r * kBandColumns, total);
    if constexpr (Format::kMinima) add_minima(step, x[r], min + r * kBandColumns);
  }
}

// One step for all rows of x.
template <class Format>
void column_step(const IntDotArgs& args, const ColumnStep& step, ColumnSums& sums) {
  constexpr int kMost = Format::kHalves ? kColumnTogether / 2 : kColumnTogether;
  int r = 0;
  for (; r + kMost <= args.rows; r += kMost)
    column_rows<Format, kMost>(step, args.x + r, sums.acc + r * kBandColumns, sums.min + r * kBandColumns);
  for (; r < args.rows; ++r) column_rows<Format, 1>(step, args.x + r, sums.acc + r * kBandColumns, sums.min + r * kBandColumns);
}

// A unit of all rows; returns where the next one's fetching begins.
template <class Format>
inline const char* column_unit(const IntDotArgs& args, const UnitRows& rows, std::size_t group, const char* ahead,
                               ColumnSums& sums) {
  typename Format::Scales scales[kQuads];
  for (int quad = 0; quad < kQuads; ++quad) scales[quad] = Format::scales(rows[quad]);
  ColumnStep step;
  step.ahead = ahead;
  step.group = group;
  for (int i = 0; i < Format::kSteps; ++i, step.group += kQuads) {
    unpack_columns<Format>(rows, i, step);
    for (int quad = 0; quad < kQuads; ++quad) {
      step.scale[quad] = scales[quad].scale[i];
      if constexpr (Format::kHalves) step.second[quad] = scales[quad].second[i];
      if constexpr (Format::kMinima) step.min[quad] = scales[quad].min[i];
    }
    to_groups(step.scale);
    if constexpr (Format::kHalves) to_groups(step.second);
    if constexpr (Format::kMinima) to_groups(step.min);
    column_step<Format>(args, step, sums);
    step.ahead += kBandColumns * Format::kUnitBytes / Format::kSteps;
  }
  return step.ahead;
}

// `columns` weight rows from `first` on.
struct ColumnPlace {
  int first;
  int columns;
};

inline void finish_columns(const IntDotArgs& args, const ColumnPlace& place, const ColumnSums& sums) {
  for (int r = 0; r < args.rows; ++r) {
    float* y = args.y + static_cast<std::size_t>(r) * args.y_stride + place.first;
    for (int c = 0; c < place.columns; ++c) {
      float total = sums.acc[r * kBandColumns + c] - sums.min[r * kBandColumns + c];
      if (args.bias != nullptr) total = total + args.bias[place.first + c];
      y[c] = args.store == Store::kAdd ? y[c] + total : total;
    }
  }
}

template <class Format>
void columns(const IntDotArgs& args, const ColumnPlace& place) {
  const auto* weights = static_cast<const std::uint8_t*>(args.weights) + static_cast<std::size_t>(place.first) * args.row_bytes;
  UnitRows rows;
  for (int i = 0; i < kBandColumns; ++i)
    rows[i / 4][i % 4] = weights + static_cast<std::size_t>(i < place.columns ? i : place.columns - 1) * args.row_bytes;
  const char* ahead = reinterpret_cast<const char*>(weights) + kBandColumns * args.row_bytes;
  ColumnSums sums;
  std::size_t group = 0;
  for (std::size_t unit = args.row_bytes / Format::kUnitBytes; unit > 0; --unit, group += kQuads * Format::kSteps) {
    ahead = column_unit<Format>(args, rows, group, ahead, sums);
    for (auto& quad : rows)
      for (Unit& row : quad) row += Format::kUnitBytes;
  }
  if (args.row_bytes % Format::kUnitBytes != 0) {  // only formats of small blocks have a rest
    PaddedUnits padded[kQuads];
    UnitRows copy;
    for (int quad = 0; quad < kQuads; ++quad) padded[quad].fill(rows[quad], args.row_bytes % Format::kUnitBytes, copy[quad]);
    column_unit<Format>(args, copy, group, ahead, sums);
  }
  finish_columns(args, place, sums);
}

template <class Format>
void dot_columns(const IntDotArgs& args) {
  for (int first = 0; first < args.n; first += kBandColumns)
    columns<Format>(args, {first, first + kBandColumns <= args.n ? kBandColumns : args.n - first});
}

}  // namespace
}  // namespace areason::AREASON_ISA_NAMESPACE
