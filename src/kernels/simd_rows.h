// Functions of one row of values, once per instruction set; see simd_vector.h for how this is compiled and kernel_table.h for
// what each computes. Thread rule: pure functions.
#pragma once
#include "kernels/simd_vector.h"

namespace areason::AREASON_ISA_NAMESPACE {
namespace {

// Calls body(load, store) for whole vectors and once for the rest: f maps a vector to a vector.
template <typename Map>
inline void map_row(const float* x, float* y, std::size_t n, Map map) {
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(y + i, map(load(x + i), i, kLanes));
  const int rest = static_cast<int>(n - i);
  if (rest > 0) store_part(y + i, map(load_part(x + i, rest, 0.0f), i, rest), rest);
}

inline Vec load_some(const float* p, int n) { return n == kLanes ? load(p) : load_part(p, n, 0.0f); }

void softmax(float* x, int n, float scale) {
  constexpr float kLowest = -3.4e38f;
  Vec highest = set1(kLowest);
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) highest = vmax(highest, load(x + i));
  if (i < n) highest = vmax(highest, load_part(x + i, n - i, kLowest));
  const Vec top = set1(maximum(highest));
  Vec total = {};
  for (i = 0; i + kLanes <= n; i += kLanes) {
    const Vec e = exponential((load(x + i) - top) * scale);
    store(x + i, e);
    total += e;
  }
  float all = 0.0f;
  if (i < n) {
    const Vec e = exponential((load_part(x + i, n - i, 0.0f) - top) * scale);
    store_part(x + i, e, n - i);
    for (int t = i; t < n; ++t) all += x[t];
  }
  all += sum(total);
  const float inverse = 1.0f / all;
  map_row(x, x, static_cast<std::size_t>(n), [&](Vec v, std::size_t, int) { return v * inverse; });
}

// Sum of f(x) over a row; f(0-filled rest) is cut off by `rest` lanes being summed one by one.
template <typename Map>
inline float sum_row(const float* x, int n, Map map) {
  Vec total = {};
  int i = 0;
  for (; i + kLanes <= n; i += kLanes) total += map(load(x + i));
  float rest[kLanes] = {};
  if (i < n) store(rest, map(load_part(x + i, n - i, 0.0f)));
  float all = sum(total);
  for (int t = 0; t < n - i; ++t) all += rest[t];
  return all;
}

// The root by Newton's method from a float estimate would need <cmath>; the builtin compiles to one instruction.
inline float root(float x) { return __builtin_sqrtf(x); }

void layer_norm(const NormArgs& args) {
  const float count = static_cast<float>(args.n);
  const float mean = sum_row(args.x, args.n, [](Vec v) { return v; }) / count;
  const float variance = sum_row(args.x, args.n, [&](Vec v) { return (v - mean) * (v - mean); }) / count;
  const float factor = 1.0f / root(variance + args.epsilon);
  map_row(args.x, args.y, static_cast<std::size_t>(args.n), [&](Vec v, std::size_t i, int lanes) {
    return (v - mean) * factor * load_some(args.weight + i, lanes) + load_some(args.bias + i, lanes);
  });
}

void rms_norm(const NormArgs& args) {
  const float squares = sum_row(args.x, args.n, [](Vec v) { return v * v; });
  const float factor = 1.0f / root(squares / static_cast<float>(args.n) + args.epsilon);
  map_row(args.x, args.y, static_cast<std::size_t>(args.n),
          [&](Vec v, std::size_t i, int lanes) { return v * factor * load_some(args.weight + i, lanes); });
}

// x * Phi(x) with Phi from erfc: Abramowitz and Stegun, formula 7.1.26 (absolute error of erf at most 1.5e-7). Written with
// the small tail of the distribution, so that nothing cancels for negative x.
void gelu(float* x, std::size_t n) {
  map_row(x, x, n, [](Vec v, std::size_t, int) {
    const Vec magnitude = v < 0.0f ? -v : v;
    const Vec z = magnitude * 0.70710678f;
    const Vec t = 1.0f / (1.0f + 0.3275911f * z);
    Vec p = t * 1.061405429f - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    const Vec tail = 0.5f * (p * t) * exponential(-(z * z));
    return v * (v < 0.0f ? tail : 1.0f - tail);
  });
}

void silu_multiply(float* gate, const float* up, std::size_t n) {
  map_row(gate, gate, n,
          [&](Vec v, std::size_t i, int lanes) { return v / (1.0f + exponential(-v)) * load_some(up + i, lanes); });
}

void rope(float* head, const float* cosine, const float* sine, int half) {
  int i = 0;
  for (; i + kLanes <= half; i += kLanes) {
    const Vec a = load(head + i), b = load(head + half + i), c = load(cosine + i), s = load(sine + i);
    store(head + i, a * c - b * s);
    store(head + half + i, b * c + a * s);
  }
  for (; i < half; ++i) {
    const float a = head[i], b = head[half + i];
    head[i] = a * cosine[i] - b * sine[i];
    head[half + i] = b * cosine[i] + a * sine[i];
  }
}

}  // namespace
}  // namespace areason::AREASON_ISA_NAMESPACE
