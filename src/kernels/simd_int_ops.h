// Integer vectors of 256 or 512 bits under one set of names, for the kernels of simd_int_*.h. A vector is kQuads lanes of 128
// bits; in the kernels a lane belongs to one group of 32 weights. Compiled once per instruction set (int_avx2.cpp,
// int_avxvnni.cpp, int_avx512vnni.cpp), which define AREASON_ISA_NAMESPACE; see simd_vector.h for the rule about inline
// functions. Thread rule: pure functions.
#pragma once
#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/int_table.h"
#include "kernels/kernel_table.h"

namespace areason::AREASON_ISA_NAMESPACE {
namespace {

// What the unsigned bytes of a format can be: decides how many products fit into 16 bits where there is no VNNI.
enum class Bytes { kU4, kU5, kU6, kS8 };

#if defined(__AVX512VNNI__)
constexpr int kQuads = 4;
using V = __m512i;
using F = __m512;
inline V load(const void* p) { return _mm512_loadu_si512(p); }
inline F loadf(const float* p) { return _mm512_loadu_ps(p); }
inline void storef(float* p, F v) { _mm512_storeu_ps(p, v); }
inline V set1_i32(const void* p) {
  std::int32_t value;
  std::memcpy(&value, p, sizeof value);
  return _mm512_set1_epi32(value);
}
inline F set1f(float x) { return _mm512_set1_ps(x); }
inline F add(F a, F b) { return _mm512_add_ps(a, b); }
inline F mul(F a, F b) { return _mm512_mul_ps(a, b); }
inline F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
inline F to_float(V v) { return _mm512_cvtepi32_ps(v); }
inline V add32(V a, V b) { return _mm512_add_epi32(a, b); }
inline V unpack_low32(V a, V b) { return _mm512_unpacklo_epi32(a, b); }
inline V unpack_high32(V a, V b) { return _mm512_unpackhi_epi32(a, b); }
inline V unpack_low64(V a, V b) { return _mm512_unpacklo_epi64(a, b); }
inline V unpack_high64(V a, V b) { return _mm512_unpackhi_epi64(a, b); }
// The lanes of `pieces` 16-byte pieces at distance `step`.
inline V load_lanes(const std::uint8_t* p, std::size_t step) {
  const auto at = [&](std::size_t i) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i * step)); };
  const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(at(0)), at(1), 1);
  const __m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(at(2)), at(3), 1);
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}
// [a0 a1 a2 a3], [b0 … b3] of lanes a0 b0 a1 b1 | a2 b2 a3 b3.
inline V first_halves(V low, V high) { return _mm512_shuffle_i64x2(low, high, 0x88); }
inline V second_halves(V low, V high) { return _mm512_shuffle_i64x2(low, high, 0xdd); }
inline V low_nibbles(V v) { return _mm512_and_si512(v, _mm512_set1_epi8(15)); }
inline V high_nibbles(V v) { return low_nibbles(_mm512_srli_epi16(v, 4)); }
// Four (kQuads) values, each in all of its lane's elements.
inline V spread(const std::int32_t* p) {
  return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3),
                                  _mm512_castsi128_si512(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
// The same of p[0], p[2], … and of p[1], p[3], …
inline V spread_even(const std::int32_t* p) {
  return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 0, 0, 0, 2, 2, 2, 2, 4, 4, 4, 4, 6, 6, 6, 6),
                                  _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
}
inline V spread_odd(const std::int32_t* p) {
  return _mm512_permutexvar_epi32(_mm512_setr_epi32(1, 1, 1, 1, 3, 3, 3, 3, 5, 5, 5, 5, 7, 7, 7, 7),
                                  _mm512_castsi256_si512(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))));
}
// Lane i of a, then of b, for i in the order of lanes; values[i] in both lanes of i; and these by themselves.
inline void pair_lanes(F a, F b, F (&out)[2]) {
  const __m512d x = _mm512_castps_pd(a), y = _mm512_castps_pd(b);
  out[0] = _mm512_castpd_ps(_mm512_permutex2var_pd(x, _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), y));
  out[1] = _mm512_castpd_ps(_mm512_permutex2var_pd(x, _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15), y));
}
inline void spread_pairs(const float* values, F (&out)[2]) {
  const __m512 all = _mm512_castps128_ps512(_mm_loadu_ps(values));
  out[0] = _mm512_permutexvar_ps(_mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1), all);
  out[1] = _mm512_permutexvar_ps(_mm512_setr_epi32(2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3), all);
}
inline void split_pairs(const F (&pairs)[2], __m256 (&out)[kQuads]) {
  out[0] = _mm512_castps512_ps256(pairs[0]);
  out[1] = _mm512_extractf32x8_ps(pairs[0], 1);
  out[2] = _mm512_castps512_ps256(pairs[1]);
  out[3] = _mm512_extractf32x8_ps(pairs[1], 1);
}
// 32-bit element kElement of each lane in all of that lane.
template <int kElement>
inline V spread_dword(V v) {
  return _mm512_shuffle_epi32(v, static_cast<_MM_PERM_ENUM>(0x55 * kElement));
}
inline V zero() { return _mm512_setzero_si512(); }
template <int kCount>
inline V shift_left(V v) {
  return _mm512_slli_epi32(v, kCount);
}
inline V pack16(V a, V b) { return _mm512_packs_epi32(a, b); }
inline V even32(V a, V b) {
  return _mm512_castps_si512(_mm512_shuffle_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), 0x88));
}
inline V odd32(V a, V b) {
  return _mm512_castps_si512(_mm512_shuffle_ps(_mm512_castsi512_ps(a), _mm512_castsi512_ps(b), 0xdd));
}
inline F widen_u8(__m128i bytes) { return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(bytes)); }
inline F widen_s8(__m128i bytes) { return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes)); }
inline F all_lanes(__m128 v) { return _mm512_broadcast_f32x4(v); }
#else
constexpr int kQuads = 2;
using V = __m256i;
using F = __m256;
inline V load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }
inline F loadf(const float* p) { return _mm256_loadu_ps(p); }
inline void storef(float* p, F v) { _mm256_storeu_ps(p, v); }
inline V set1_i32(const void* p) {
  std::int32_t value;
  std::memcpy(&value, p, sizeof value);
  return _mm256_set1_epi32(value);
}
inline F set1f(float x) { return _mm256_set1_ps(x); }
inline F add(F a, F b) { return _mm256_add_ps(a, b); }
inline F mul(F a, F b) { return _mm256_mul_ps(a, b); }
inline F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
inline F to_float(V v) { return _mm256_cvtepi32_ps(v); }
inline V add32(V a, V b) { return _mm256_add_epi32(a, b); }
inline V unpack_low32(V a, V b) { return _mm256_unpacklo_epi32(a, b); }
inline V unpack_high32(V a, V b) { return _mm256_unpackhi_epi32(a, b); }
inline V unpack_low64(V a, V b) { return _mm256_unpacklo_epi64(a, b); }
inline V unpack_high64(V a, V b) { return _mm256_unpackhi_epi64(a, b); }
inline V two_lanes(const std::uint8_t* first, const std::uint8_t* second) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(first))),
                                 _mm_loadu_si128(reinterpret_cast<const __m128i*>(second)), 1);
}
inline V load_lanes(const std::uint8_t* p, std::size_t step) { return two_lanes(p, p + step); }
// Sixteen bytes in both lanes.
inline V both_lanes(const std::uint8_t* p) {
  return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
inline V first_halves(V low, V high) { return _mm256_permute2x128_si256(low, high, 0x20); }
inline V second_halves(V low, V high) { return _mm256_permute2x128_si256(low, high, 0x31); }
// low's first half and high's second; low's second half and high's first.
inline V outer_halves(V low, V high) { return _mm256_blend_epi32(low, high, 0xf0); }
inline V inner_halves(V low, V high) { return _mm256_permute2x128_si256(low, high, 0x21); }
inline V low_nibbles(V v) { return _mm256_and_si256(v, _mm256_set1_epi8(15)); }
inline V high_nibbles(V v) { return low_nibbles(_mm256_srli_epi16(v, 4)); }
inline V spread_two(const std::int32_t* a, const std::int32_t* b) {
  return _mm256_set_m128i(_mm_set1_epi32(*b), _mm_set1_epi32(*a));
}
inline V spread(const std::int32_t* p) { return spread_two(p, p + 1); }
inline V spread_even(const std::int32_t* p) { return spread_two(p, p + 2); }
inline V spread_odd(const std::int32_t* p) { return spread_two(p + 1, p + 3); }
inline void pair_lanes(F a, F b, F (&out)[2]) {
  out[0] = _mm256_permute2f128_ps(a, b, 0x20);
  out[1] = _mm256_permute2f128_ps(a, b, 0x31);
}
inline void spread_pairs(const float* values, F (&out)[2]) {
  out[0] = set1f(values[0]);
  out[1] = set1f(values[1]);
}
inline void split_pairs(const F (&pairs)[2], __m256 (&out)[kQuads]) {
  out[0] = pairs[0];
  out[1] = pairs[1];
}
template <int kElement>
inline V spread_dword(V v) {
  return _mm256_shuffle_epi32(v, 0x55 * kElement);
}
inline V zero() { return _mm256_setzero_si256(); }
template <int kCount>
inline V shift_left(V v) {
  return _mm256_slli_epi32(v, kCount);
}
inline V pack16(V a, V b) { return _mm256_packs_epi32(a, b); }
inline V even32(V a, V b) {
  return _mm256_castps_si256(_mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88));
}
inline V odd32(V a, V b) {
  return _mm256_castps_si256(_mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0xdd));
}
inline F widen_u8(__m128i bytes) { return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(bytes)); }
inline F widen_s8(__m128i bytes) { return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)); }
inline F all_lanes(__m128 v) { return _mm256_set_m128(v, v); }
#endif
constexpr int kLanes32 = 4 * kQuads;  // 32-bit elements of a vector

// sum += bytes (unsigned, or signed where kBytes says so) * x (signed), four neighbours into each 32-bit element.
#if defined(__AVX512VNNI__)
constexpr bool kVnni = true;
template <Bytes kBytes>
inline V dot4(V sum, V bytes, V x) {
  return _mm512_dpbusd_epi32(sum, bytes, x);
}
// sum += pairs of 16-bit numbers.
inline V add_pairs(V sum, V v) { return _mm512_dpwssd_epi32(sum, v, _mm512_set1_epi16(1)); }
#elif defined(__AVXVNNI__)
constexpr bool kVnni = true;
template <Bytes kBytes>
inline V dot4(V sum, V bytes, V x) {
  return _mm256_dpbusd_avx_epi32(sum, bytes, x);
}
inline V add_pairs(V sum, V v) { return _mm256_dpwssd_avx_epi32(sum, v, _mm256_set1_epi16(1)); }
#else
constexpr bool kVnni = false;
// Pairs of products in 16 bits: 2 * 63 * 127 fits; for signed bytes |w| * sign(w) x has at most 2 * 128 * 127.
template <Bytes kBytes>
inline V pairs(V bytes, V x) {
  if constexpr (kBytes == Bytes::kS8) return _mm256_maddubs_epi16(_mm256_abs_epi8(bytes), _mm256_sign_epi8(x, bytes));
  return _mm256_maddubs_epi16(bytes, x);
}
inline V widen_pairs(V v) { return _mm256_madd_epi16(v, _mm256_set1_epi16(1)); }
inline V add_pairs(V sum, V v) { return add32(sum, widen_pairs(v)); }
template <Bytes kBytes>
inline V dot4(V sum, V bytes, V x) {
  return add_pairs(sum, pairs<kBytes>(bytes, x));
}
#endif

// Two vectors of bytes against two of x.
template <Bytes kBytes>
inline V dot4_two(const V (&bytes)[2], const V (&x)[2]) {
#if !defined(__AVX512VNNI__) && !defined(__AVXVNNI__)
  if constexpr (kBytes == Bytes::kU4 || kBytes == Bytes::kU5)  // 4 * 31 * 127 fits into 16 bits
    return widen_pairs(_mm256_add_epi16(pairs<kBytes>(bytes[0], x[0]), pairs<kBytes>(bytes[1], x[1])));
#endif
  return dot4<kBytes>(dot4<kBytes>(zero(), bytes[0], x[0]), bytes[1], x[1]);
}

// How large the sum of so many products of a byte with a value of x can be.
constexpr int largest_sum(Bytes bytes, int products) {
  return products * 127 * (bytes == Bytes::kU4 ? 15 : bytes == Bytes::kU5 ? 31 : bytes == Bytes::kU6 ? 63 : 255);
}

// Element r of each lane: the sum of that lane of row[r], each element of which is a sum of kProducts, plus the correction.
// Where they fit, they are added as 16-bit pairs.
template <Bytes kBytes, int kProducts>
inline V sum_rows(const V (&row)[4], V correction) {
  if constexpr (largest_sum(kBytes, 2 * kProducts) < 32768) {
    const V a = add_pairs(zero(), pack16(row[0], row[1])), b = add_pairs(zero(), pack16(row[2], row[3]));
    return add_pairs(correction, pack16(a, b));
  } else if constexpr (largest_sum(kBytes, kProducts) < 32768) {
    const V a = add_pairs(zero(), pack16(row[0], row[1])), b = add_pairs(zero(), pack16(row[2], row[3]));
    return add32(add32(even32(a, b), odd32(a, b)), correction);
  } else {
    const V a = add32(unpack_low32(row[0], row[1]), unpack_high32(row[0], row[1]));
    const V b = add32(unpack_low32(row[2], row[3]), unpack_high32(row[2], row[3]));
    return add32(add32(unpack_low64(a, b), unpack_high64(a, b)), correction);
  }
}

inline std::uint16_t load16(const std::uint8_t* p) {
  std::uint16_t value;
  std::memcpy(&value, p, sizeof value);
  return value;
}
inline int load32(const std::uint8_t* p) {
  int value;
  std::memcpy(&value, p, sizeof value);
  return value;
}

}  // namespace
}  // namespace areason::AREASON_ISA_NAMESPACE
