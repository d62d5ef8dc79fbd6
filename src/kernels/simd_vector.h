// A vector of f32 as wide as the instruction set this file is compiled for, in the compilers' vector extension: the kernels
// are written once and compiled once per instruction set (kernels_portable.cpp, kernels_avx2.cpp, kernels_avx512.cpp), which
// define AREASON_ISA_NAMESPACE before including this. Everything here has internal linkage and no inline function of another
// header may be used: the linker would be free to keep the copy with the wrong instructions.
// Thread rule: pure functions.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__F16C__)
#include <immintrin.h>
#endif

#include "kernels/kernel_table.h"

namespace areason::AREASON_ISA_NAMESPACE {
namespace {

#if defined(__AVX512F__)
constexpr int kLanes = 16;
#elif defined(__AVX2__)
constexpr int kLanes = 8;
#else
constexpr int kLanes = 4;  // SSE2 of every x86-64, NEON of every AArch64
#endif

typedef float Vec __attribute__((vector_size(kLanes * 4)));
typedef std::int32_t VecI __attribute__((vector_size(kLanes * 4)));
typedef std::uint32_t VecU __attribute__((vector_size(kLanes * 4)));
typedef std::uint16_t VecH __attribute__((vector_size(kLanes * 2)));

inline Vec load(const float* p) {
  Vec v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
inline void store(float* p, Vec v) { std::memcpy(p, &v, sizeof v); }
inline Vec set1(float x) { return x - Vec{}; }  // x - 0 is x, bit for bit
// The first n (< kLanes) values, `fill` in the other lanes.
inline Vec load_part(const float* p, int n, float fill) {
  Vec v = set1(fill);
  std::memcpy(&v, p, static_cast<std::size_t>(n) * sizeof(float));
  return v;
}
inline void store_part(float* p, Vec v, int n) { std::memcpy(p, &v, static_cast<std::size_t>(n) * sizeof(float)); }

inline Vec vmax(Vec a, Vec b) { return a > b ? a : b; }
inline Vec vmin(Vec a, Vec b) { return a < b ? a : b; }

template <typename Combine>
inline float reduce(Vec v, Combine combine) {
  float lane[kLanes];
  std::memcpy(lane, &v, sizeof v);
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int i = 0; i < width; ++i) lane[i] = combine(lane[i], lane[i + width]);
  return lane[0];
}
inline float sum(Vec v) {
#if defined(__AVX512F__)
  typedef float Half __attribute__((vector_size(32)));
  Half h = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) + __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
#elif defined(__AVX2__)
  Vec h = v;
#endif
#if defined(__AVX2__)
  typedef float Quarter __attribute__((vector_size(16)));
  Quarter q = __builtin_shufflevector(h, h, 0, 1, 2, 3) + __builtin_shufflevector(h, h, 4, 5, 6, 7);
  q += __builtin_shufflevector(q, q, 2, 3, 2, 3);
  return q[0] + q[1];
#else
  return reduce(v, [](float a, float b) { return a + b; });
#endif
}
inline float maximum(Vec v) {
  return reduce(v, [](float a, float b) { return a > b ? a : b; });
}

inline float f16_scalar(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  const std::uint32_t exponent = (bits >> 10) & 31u, mantissa = bits & 1023u;
  if (exponent == 0) {
    const float value = static_cast<float>(mantissa) * 0x1p-24f;
    return sign != 0 ? -value : value;
  }
  const std::uint32_t wide = sign | ((exponent == 31 ? 255u : exponent + 112u) << 23) | (mantissa << 13);
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

// One reader per weight type: kLanes values, or one.
struct ReadF32 {
  using Type = float;
  static Vec vec(const float* p) { return load(p); }
  static float one(const float* p) { return *p; }
};
struct ReadBF16 {
  using Type = std::uint16_t;
  static Vec vec(const std::uint16_t* p) {
    VecH half;
    std::memcpy(&half, p, sizeof half);
    const VecU bits = __builtin_convertvector(half, VecU) << 16;
    return reinterpret_cast<Vec>(bits);
  }
  static float one(const std::uint16_t* p) {
    const std::uint32_t bits = static_cast<std::uint32_t>(*p) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
};
struct ReadF16 {
  using Type = std::uint16_t;
  static Vec vec(const std::uint16_t* p) {
#if defined(__AVX512F__)
    // The zero-masked form: the plain one starts from an undefined register, which GCC 12 warns about.
    return reinterpret_cast<Vec>(_mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
#elif defined(__F16C__)
    return reinterpret_cast<Vec>(_mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
#else
    VecH half;
    std::memcpy(&half, p, sizeof half);
    const VecU wide = __builtin_convertvector(half, VecU);
    // Shifted into f32's fields the exponent lacks 112; a multiplication adds it, to subnormals too.
    const VecU shifted = (wide & 0x7fffu) << 13;
    const Vec magnitude = reinterpret_cast<Vec>(shifted) * 0x1p112f;
    const VecU infinite = reinterpret_cast<VecU>((wide & 0x7c00u) == 0x7c00u) & 0x7f800000u;
    const VecU bits = reinterpret_cast<VecU>(magnitude) | infinite | ((wide & 0x8000u) << 16);
    return reinterpret_cast<Vec>(bits);
#endif
  }
  static float one(const std::uint16_t* p) { return f16_scalar(*p); }
};

// e^x for x in [-87, 88] (clamped), relative error about 1e-7. Coefficients: Cephes expf (Moshier, public domain).
inline Vec exponential(Vec x) {
  x = vmin(vmax(x, set1(-87.0f)), set1(88.0f));
  const Vec magic = set1(12582912.0f);  // 1.5 * 2^23: adding it rounds to a whole number
  const Vec n = (x * 1.44269504f + magic) - magic;
  Vec r = x - n * 0.693359375f;
  r = r - n * -2.12194440e-4f;
  Vec p = r * 1.9875691500e-4f + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const Vec y = p * (r * r) + r + 1.0f;
  const VecI power = (__builtin_convertvector(n, VecI) + 127) << 23;
  return y * reinterpret_cast<Vec>(power);
}

}  // namespace
}  // namespace areason::AREASON_ISA_NAMESPACE
