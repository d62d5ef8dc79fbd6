// One row of x times many weight rows, streaming the weights once: bound by memory. Rows go in bands; while a band is computed
// the next one is fetched in the order of its addresses. See int_table.h for the arithmetic.
// Thread rule: pure functions.
#pragma once
#include "kernels/simd_int_formats.h"

namespace areason::AREASON_ISA_NAMESPACE {
namespace {

constexpr int kBandQuads = 2;  // four weight rows each

// The part of x that a step of kQuads groups needs, shared by all rows of a band.
struct StepX {
  V q[2];
  V correction[2];  // [1] only where halves have scales of their own
  F d;
  F ds;
};

template <class Format>
inline StepX step_x(const IntRows& x, std::size_t group) {
  StepX out;
  const V low = load(x.q + 32 * group), high = load(x.q + 32 * group + 16 * kQuads);
  out.q[0] = first_halves(low, high);
  out.q[1] = second_halves(low, high);
  const __m128i shift = _mm_cvtsi32_si128(Format::kShift);
  if constexpr (Format::kHalves) {
    const std::int32_t* halves = x.minus_halves + 2 * group;  // a0 b0 a1 b1 …
    std::int32_t a[kQuads], b[kQuads];
    for (int i = 0; i < kQuads; ++i) a[i] = halves[2 * i], b[i] = halves[2 * i + 1];
    out.correction[0] = shift_left(first_elements(a), shift);
    out.correction[1] = shift_left(first_elements(b), shift);
  } else {
    out.correction[0] = shift_left(first_elements(x.minus_sum + group), shift);
  }
  out.d = spread(x.d + group);
  if constexpr (Format::kMinima) out.ds = spread(x.ds + group);
  return out;
}

// acc += the lanes of v, one after another.
inline __m128 add_lanes(__m128 acc, F v) {
  acc = _mm_add_ps(acc, lane<0>(v));
  acc = _mm_add_ps(acc, lane<1>(v));
#if defined(__AVX512VNNI__)
  acc = _mm_add_ps(acc, lane<2>(v));
  acc = _mm_add_ps(acc, lane<3>(v));
#endif
  return acc;
}
inline __m128 add_lanes_of_two(__m128 acc, F a, F b) {  // a0 b0 a1 b1 …
  acc = _mm_add_ps(_mm_add_ps(acc, lane<0>(a)), lane<0>(b));
  acc = _mm_add_ps(_mm_add_ps(acc, lane<1>(a)), lane<1>(b));
#if defined(__AVX512VNNI__)
  acc = _mm_add_ps(_mm_add_ps(acc, lane<2>(a)), lane<2>(b));
  acc = _mm_add_ps(_mm_add_ps(acc, lane<3>(a)), lane<3>(b));
#endif
  return acc;
}

// Four weight rows: where they are, the scales of the current unit, and their sums.
template <class Format>
struct Quad {
  Unit rows[4];
  typename Format::Scales scales;
  __m128 acc = _mm_setzero_ps();
  __m128 min = _mm_setzero_ps();
};

template <class Format>
inline void quad_step(Quad<Format>& quad, int step, const StepX& x) {
  V first[4], second[4];
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    V bytes[2];
    Format::load(quad.rows[r], step, bytes);
    if constexpr (Format::kHalves) {
      first[r] = dot4<Format::kBytes>(x.correction[0], bytes[0], x.q[0]);
      second[r] = dot4<Format::kBytes>(x.correction[1], bytes[1], x.q[1]);
    } else {
      first[r] = dot4_two<Format::kBytes>(x.correction[0], bytes, x.q);
    }
  }
  const F product = mul(to_float(sum_rows(first)), mul(quad.scales.scale[step], x.d));
  if constexpr (Format::kHalves)
    quad.acc = add_lanes_of_two(quad.acc, product, mul(to_float(sum_rows(second)), mul(quad.scales.second[step], x.d)));
  else
    quad.acc = add_lanes(quad.acc, product);
  if constexpr (Format::kMinima) quad.min = add_lanes(quad.min, mul(quad.scales.min[step], x.ds));
}

template <class Format>
inline void finish_quad(const IntDotArgs& args, int first, const Quad<Format>& quad) {
  float value[4];
  _mm_storeu_ps(value, _mm_sub_ps(quad.acc, quad.min));
  for (int r = 0; r < 4 && first + r < args.n; ++r) {
    float total = value[r];
    if (args.bias != nullptr) total = total + args.bias[first + r];
    args.y[first + r] = args.store == Store::kAdd ? args.y[first + r] + total : total;
  }
}

// Fetches [from, to) of the bytes that follow a band.
inline void fetch(const char* p, std::size_t from, std::size_t to) {
  for (std::size_t at = from & ~std::size_t{63}; at < to; at += 64) _mm_prefetch(p + at, _MM_HINT_T0);
}

template <class Format>
inline void band(const IntDotArgs& args, int first) {
  const auto* weights = static_cast<const std::uint8_t*>(args.weights);
  Quad<Format> quads[kBandQuads];
  for (int i = 0; i < 4 * kBandQuads; ++i) {
    const int row = first + i < args.n ? first + i : args.n - 1;
    quads[i / 4].rows[i % 4] = weights + static_cast<std::size_t>(row) * args.row_bytes;
  }
  const bool last = first + 4 * kBandQuads >= args.n;
  const char* next = reinterpret_cast<const char*>(weights) + static_cast<std::size_t>(first + 4 * kBandQuads) * args.row_bytes;
  const std::size_t units = args.row_bytes / Format::kUnitBytes, rest = args.row_bytes % Format::kUnitBytes;
  std::size_t group = 0;
  for (std::size_t unit = 0; unit < units; ++unit) {
    if (!last) fetch(next, unit * Format::kUnitBytes * 4 * kBandQuads, (unit + 1) * Format::kUnitBytes * 4 * kBandQuads);
    for (auto& quad : quads) quad.scales = Format::scales(quad.rows);
    for (int step = 0; step < Format::kSteps; ++step, group += kQuads) {
      const StepX x = step_x<Format>(args.x, group);
#pragma GCC unroll 4
      for (auto& quad : quads) quad_step<Format>(quad, step, x);
    }
    for (auto& quad : quads)
      for (Unit& row : quad.rows) row += Format::kUnitBytes;
  }
  if (rest != 0) {  // only formats of small blocks
    const StepX x = step_x<Format>(args.x, group);
    for (auto& quad : quads) {
      PaddedUnits padded;
      padded.fill(quad.rows, rest, quad.rows);
      quad.scales = Format::scales(quad.rows);
      quad_step<Format>(quad, 0, x);
    }
  }
  for (int q = 0; q < kBandQuads; ++q) finish_quad(args, first + 4 * q, quads[q]);
}

template <class Format>
void dot_rows(const IntDotArgs& args) {
  for (int first = 0; first < args.n; first += 4 * kBandQuads) band<Format>(args, first);
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
