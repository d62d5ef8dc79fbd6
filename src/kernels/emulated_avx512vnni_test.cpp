// See emulated_tables.h. SIMDe gives its functions the names of the intrinsics; those that its version in Debian 12 lacks are
// written here, element by element.
#include "kernels/emulated_tables.h"

#if defined(__AVX2__) && defined(__F16C__) && __has_include(<simde/x86/avx512.h>)
#include <immintrin.h>

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

#include <cstring>

namespace {

template <class T, int kCount>
struct Elements {
  T of[kCount];
};
template <class T, int kCount, class Vector>
Elements<T, kCount> elements(const Vector& v) {
  Elements<T, kCount> out;
  static_assert(sizeof out == sizeof v);
  std::memcpy(&out, &v, sizeof out);
  return out;
}
// A vector whose element i is at(i).
template <class Vector, class T, int kCount, class At>
Vector vector_of(const At& at) {
  Elements<T, kCount> in;
  for (int i = 0; i < kCount; ++i) in.of[i] = static_cast<T>(at(i));
  Vector out;
  static_assert(sizeof out == sizeof in);
  std::memcpy(&out, &in, sizeof out);
  return out;
}

inline simde__m512 emulated_cvtepi32_ps(simde__m512i v) {
  const auto e = elements<int, 16>(v);
  return vector_of<simde__m512, float, 16>([&](int i) { return e.of[i]; });
}
inline simde__m512i emulated_cvtepi8_epi32(simde__m128i v) {
  const auto e = elements<signed char, 16>(v);
  return vector_of<simde__m512i, int, 16>([&](int i) { return e.of[i]; });
}
inline simde__m512i emulated_cvtepu8_epi32(simde__m128i v) {
  const auto e = elements<unsigned char, 16>(v);
  return vector_of<simde__m512i, int, 16>([&](int i) { return e.of[i]; });
}
inline simde__m256 emulated_extractf32x8_ps(simde__m512 v, int half) {
  const auto e = elements<float, 16>(v);
  return vector_of<simde__m256, float, 8>([&](int i) { return e.of[8 * half + i]; });
}
inline simde__m512 emulated_maskz_cvtph_ps(unsigned mask, simde__m256i v) {
  const auto e = elements<unsigned short, 16>(v);
  return vector_of<simde__m512, float, 16>([&](int i) { return (mask >> i & 1u) != 0 ? _cvtsh_ss(e.of[i]) : 0.0f; });
}
inline simde__m512i emulated_shuffle_epi32(simde__m512i v, int order) {
  const auto e = elements<int, 16>(v);
  return vector_of<simde__m512i, int, 16>([&](int i) { return e.of[i / 4 * 4 + (order >> 2 * (i % 4) & 3)]; });
}
inline simde__m512i emulated_shuffle_i64x2(simde__m512i a, simde__m512i b, int order) {
  const auto x = elements<long long, 8>(a), y = elements<long long, 8>(b);
  return vector_of<simde__m512i, long long, 8>(
      [&](int i) { return (i < 4 ? x : y).of[2 * (order >> 2 * (i / 2) & 3) + i % 2]; });
}
inline simde__m512i emulated_zextsi256_si512(simde__m256i v) {
  const auto e = elements<int, 8>(v);
  return vector_of<simde__m512i, int, 16>([&](int i) { return i < 8 ? e.of[i] : 0; });
}

}  // namespace
#undef _mm512_shuffle_epi32
#define _mm512_cvtepi32_ps emulated_cvtepi32_ps
#define _mm512_cvtepi8_epi32 emulated_cvtepi8_epi32
#define _mm512_cvtepu8_epi32 emulated_cvtepu8_epi32
#define _mm512_extractf32x8_ps emulated_extractf32x8_ps
#define _mm512_maskz_cvtph_ps emulated_maskz_cvtph_ps
#define _mm512_shuffle_epi32 emulated_shuffle_epi32
#define _mm512_shuffle_i64x2 emulated_shuffle_i64x2
#define _mm512_zextsi256_si512 emulated_zextsi256_si512
#define __AVX512VNNI__ 1
#define __AVX512F__ 1

#define AREASON_ISA_NAMESPACE emulated_avx512vnni
#include "kernels/simd_int_dot.h"
#include "kernels/simd_int_quantize.h"
#include "kernels/simd_int_tile.h"

namespace areason {

const IntTable* emulated_table_avx512vnni() {
  using namespace emulated_avx512vnni;
  static const IntTable table = {kColumns, kDepth, kTileRows, 1, &int_quantize, &int_dot, nullptr, &int_pack, &int_tile};
  return &table;
}

}  // namespace areason
#else
namespace areason {
const IntTable* emulated_table_avx512vnni() { return nullptr; }
}  // namespace areason
#endif
