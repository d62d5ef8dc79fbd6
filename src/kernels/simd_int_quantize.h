// Activations to int8, once per instruction set; see int_table.h for the rule. In the compilers' vector extension or plain C++,
// so that the portable build shares it. Thread rule: pure functions.
#pragma once
#include <cstring>

#include "kernels/int_table.h"
#include "kernels/simd_vector.h"

namespace areason::AREASON_ISA_NAMESPACE {
namespace {

// The largest magnitude of 32 values.
inline float largest(const float* x) {
  Vec top = {};
  for (int i = 0; i < 32; i += kLanes) {
    const Vec v = load(x + i);
    top = vmax(top, v > -v ? v : -v);
  }
#if defined(__AVX2__)
#if defined(__AVX512F__)
  const __m256 half = _mm256_max_ps(_mm512_castps512_ps256(top), _mm512_extractf32x8_ps(top, 1));
#else
  const __m256 half = top;
#endif
  __m128 quarter = _mm_max_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
  quarter = _mm_max_ps(quarter, _mm_movehl_ps(quarter, quarter));
  return _mm_cvtss_f32(_mm_max_ss(quarter, _mm_shuffle_ps(quarter, quarter, 1)));
#else
  return maximum(top);
#endif
}

#if defined(__AVX2__)
// As below, in AVX2's instructions: their rounding is to even too, minimum and maximum treat NaN alike.
inline void round_group(const float* x, float inverse, std::int8_t* q, std::int32_t (&half)[2]) {
  const __m256 factor = _mm256_set1_ps(inverse), top = _mm256_set1_ps(127.0f), bottom = _mm256_set1_ps(-127.0f);
  const auto whole = [&](int i) {
    const __m256 v = _mm256_mul_ps(_mm256_loadu_ps(x + i), factor);
    return _mm256_cvtps_epi32(_mm256_max_ps(_mm256_min_ps(v, top), bottom));
  };
  // Both packings work within lanes of 128 bits: elements 0, 4, 1, 5, … of 32 bits come out.
  const __m256i mixed = _mm256_packs_epi16(_mm256_packs_epi32(whole(0), whole(8)), _mm256_packs_epi32(whole(16), whole(24)));
  const __m256i bytes = _mm256_permutevar8x32_epi32(mixed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(q), bytes);
  const __m256i sums = _mm256_sad_epu8(_mm256_xor_si256(bytes, _mm256_set1_epi8(-128)), _mm256_setzero_si256());
  half[0] = static_cast<std::int32_t>(_mm256_extract_epi64(sums, 0) + _mm256_extract_epi64(sums, 1)) - 16 * 128;
  half[1] = static_cast<std::int32_t>(_mm256_extract_epi64(sums, 2) + _mm256_extract_epi64(sums, 3)) - 16 * 128;
}
#else
// q and its sums over 16.
inline void round_group(const float* x, float inverse, std::int8_t* q, std::int32_t (&half)[2]) {
  const Vec magic = set1(12582912.0f);  // 1.5 * 2^23: adding it rounds to the nearest whole number, ties to even
  for (int i = 0; i < 32; i += kLanes) {
    Vec v = load(x + i) * inverse;
    v = v < 127.0f ? v : set1(127.0f);
    v = v > -127.0f ? v : set1(-127.0f);
    const VecI whole = __builtin_convertvector((v + magic) - magic, VecI);
    for (int lane = 0; lane < kLanes; ++lane) q[i + lane] = static_cast<std::int8_t>(whole[lane]);
  }
  half[0] = half[1] = 0;
  for (int i = 0; i < 32; ++i) half[i / 16] += q[i];
}
#endif

struct RowScale {
  float d;
  float inverse;
  std::int32_t exponent;
};

inline RowScale row_scale(float top, RowScales scales) {
  // Smaller values are nothing beside any other; larger ones are cut, so that products of scales stay finite.
  if (!(top > 1e-20f)) return {0.0f, 0.0f, 0};
  top = top < 1e30f ? top : 1e30f;
  float d = top / 127.0f;
  if (scales == RowScales::kExact) return {d, 127.0f / top, 0};
  std::uint32_t bits;
  std::memcpy(&bits, &d, sizeof bits);
  bits = (bits + 0x1fffffu) & ~0x1fffffu;  // two bits of the mantissa, rounded up
  std::memcpy(&d, &bits, sizeof d);
  return {d, 1.0f / d, static_cast<std::int32_t>(bits & 0x7f800000u) - 0x3f800000};
}

// Groups whose halves stand together in the order of rows by themselves.
#if defined(__AVX512VNNI__)
constexpr std::size_t kTogether = 4;
#elif defined(__AVX2__)
constexpr std::size_t kTogether = 2;
#else
constexpr std::size_t kTogether = 1;
#endif

inline void quantize_group(const float* x, std::size_t group, const IntQuantizeArgs& args) {
  const RowScale scale = row_scale(largest(x), args.scales);
  std::int32_t half[2];
  std::int8_t q[32];
  round_group(x, scale.inverse, q, half);
  const auto step = static_cast<std::size_t>(args.step), at = step * group;
  if (step == 1) {
    std::int8_t* first = args.q + 32 * kTogether * (group / kTogether) + 16 * (group % kTogether);
    std::memcpy(first, q, 16);
    std::memcpy(first + 16 * kTogether, q + 16, 16);
  } else {
    for (std::size_t i = 0; i < 8; ++i) std::memcpy(args.q + 4 * step * (8 * group + i), q + 4 * i, 4);
  }
  args.d[at] = scale.d;
  args.ds[at] = scale.d * static_cast<float>(half[0] + half[1]);
  args.minus_sum[at] = -(half[0] + half[1]);
  if (args.scales == RowScales::kCoarse) {
    args.exponent[at] = scale.exponent;
    return;
  }
  args.minus_halves[2 * at] = -half[0];
  args.minus_halves[2 * at + step] = -half[1];
}

void int_quantize(const IntQuantizeArgs& args) {
  std::size_t group = 0;
  for (; group < static_cast<std::size_t>(args.k / 32); ++group) quantize_group(args.x + 32 * group, group, args);
  const float zeros[32] = {};
  for (; group < static_cast<std::size_t>(args.groups); ++group) quantize_group(zeros, group, args);
}

}  // namespace
}  // namespace areason::AREASON_ISA_NAMESPACE
