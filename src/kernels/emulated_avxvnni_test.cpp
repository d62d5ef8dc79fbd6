// See emulated_tables.h.
#include "kernels/emulated_tables.h"

#if defined(__AVX2__) && defined(__F16C__)
#include <immintrin.h>

namespace {
// sum += unsigned bytes of a times signed bytes of b, four neighbours together.
inline __m256i emulated_dpbusd(__m256i sum, __m256i a, __m256i b) {
  const auto pairs = [](__m128i x, __m128i y) { return _mm256_madd_epi16(_mm256_cvtepu8_epi16(x), _mm256_cvtepi8_epi16(y)); };
  const __m256i low = pairs(_mm256_castsi256_si128(a), _mm256_castsi256_si128(b));
  const __m256i high = pairs(_mm256_extracti128_si256(a, 1), _mm256_extracti128_si256(b, 1));
  return _mm256_add_epi32(sum, _mm256_permute4x64_epi64(_mm256_hadd_epi32(low, high), 0xd8));
}
inline __m256i emulated_dpwssd(__m256i sum, __m256i a, __m256i b) { return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b)); }
}  // namespace
#define _mm256_dpbusd_avx_epi32 emulated_dpbusd
#define _mm256_dpwssd_avx_epi32 emulated_dpwssd
#define __AVXVNNI__ 1

#define AREASON_ISA_NAMESPACE emulated_avxvnni
#include "kernels/simd_int_dot.h"
#include "kernels/simd_int_quantize.h"
#include "kernels/simd_int_tile.h"

namespace areason {

const IntTable* emulated_table_avxvnni() {
  using namespace emulated_avxvnni;
  static const IntTable table = {kColumns, kDepth, kTileRows, 1, &int_quantize, &int_dot, nullptr, &int_pack, &int_tile};
  return &table;
}

}  // namespace areason
#else
namespace areason {
const IntTable* emulated_table_avxvnni() { return nullptr; }
}  // namespace areason
#endif
