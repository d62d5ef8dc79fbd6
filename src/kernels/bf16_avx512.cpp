// Products of many rows in AVX512-BF16: x and the weights rounded to bf16, pairs of products added in f32. The weights may be
// f32, bf16 or f16. Panel: w[k / 2][column][2], in the memory of an IntPanel; x in tiles of eight rows, q[tile][k / 2][row][2].
#include "kernels/int_table.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__) && defined(__AVX512BF16__)
#include <immintrin.h>

#include <cstring>

#include "kernels/kernel_table.h"

namespace areason {
namespace isa_bf16_avx512 {
namespace {

constexpr int kColumns = 32;
constexpr int kDepth = 256;  // a panel of 16 KB: it stays in the first-level cache
constexpr int kTileRows = 8;
static_assert(kColumns * kDepth * 2 <= sizeof(IntPanel::w));

inline __m512i to_bf16(__m512 low, __m512 high) {
  const __m512bh pairs = _mm512_cvtne2ps_pbh(high, low);
  __m512i out;
  std::memcpy(&out, &pairs, sizeof out);
  return out;
}

// 32 weights as bf16.
inline __m512i weights_at(const IntPackArgs& args, int row, int k) {
  const char* p = static_cast<const char*>(args.weights) + static_cast<std::size_t>(row) * args.row_bytes;
  if (args.type == WeightType::kBF16) return _mm512_loadu_si512(p + 2 * k);
  if (args.type == WeightType::kF32) {
    const auto* f = reinterpret_cast<const float*>(p) + k;
    return to_bf16(_mm512_loadu_ps(f), _mm512_loadu_ps(f + 16));
  }
  const auto half = [&](int i) {
    return _mm512_maskz_cvtph_ps(0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 2 * k) + i));
  };
  return to_bf16(half(0), half(1));
}

inline void store_lanes(std::uint8_t* at, __m512i v) {
  constexpr std::size_t kStep = 4 * kColumns * 4;  // lane i holds pairs 4i …
  _mm_storeu_si128(reinterpret_cast<__m128i*>(at), _mm512_extracti32x4_epi32(v, 0));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(at + kStep), _mm512_extracti32x4_epi32(v, 1));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(at + 2 * kStep), _mm512_extracti32x4_epi32(v, 2));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(at + 3 * kStep), _mm512_extracti32x4_epi32(v, 3));
}

void pack(const IntPackArgs& args) {
  for (int column = 0; column < kColumns; column += 4) {
    const auto row = [&](int r) { return column + r < args.rows ? column + r : args.rows - 1; };
    for (int k = 0; k < args.k; k += 32) {
      const __m512i r0 = weights_at(args, row(0), k), r1 = weights_at(args, row(1), k);
      const __m512i r2 = weights_at(args, row(2), k), r3 = weights_at(args, row(3), k);
      const __m512i a = _mm512_unpacklo_epi32(r0, r1), b = _mm512_unpacklo_epi32(r2, r3);
      const __m512i c = _mm512_unpackhi_epi32(r0, r1), d = _mm512_unpackhi_epi32(r2, r3);
      std::uint8_t* at = args.panel->w + static_cast<std::size_t>(k / 2 * kColumns + column) * 4;
      store_lanes(at, _mm512_unpacklo_epi64(a, b));
      store_lanes(at + kColumns * 4, _mm512_unpackhi_epi64(a, b));
      store_lanes(at + 2 * kColumns * 4, _mm512_unpacklo_epi64(c, d));
      store_lanes(at + 3 * kColumns * 4, _mm512_unpackhi_epi64(c, d));
    }
  }
}

void pack_x(const IntQuantizeArgs& args) {
  for (int k = 0; k < args.k; k += 32) {
    alignas(64) std::int32_t pairs[16];
    _mm512_store_si512(pairs, to_bf16(_mm512_loadu_ps(args.x + k), _mm512_loadu_ps(args.x + k + 16)));
    for (int i = 0; i < 16; ++i) std::memcpy(args.q + static_cast<std::size_t>(k / 2 + i) * 4 * kTileRows, pairs + i, 4);
  }
}

inline __m512bh pair_of(const std::int8_t* q) {
  std::int32_t bits;
  std::memcpy(&bits, q, sizeof bits);
  const __m512i all = _mm512_set1_epi32(bits);
  __m512bh out;
  std::memcpy(&out, &all, sizeof out);
  return out;
}
inline __m512bh load(const std::uint8_t* w) {
  const __m512i bits = _mm512_load_si512(w);
  __m512bh out;
  std::memcpy(&out, &bits, sizeof out);
  return out;
}

template <int kRows>
void tile_rows(const IntTileArgs& args, int row) {
  float* out = args.acc + static_cast<std::size_t>(row) * kColumns;
  __m512 low[kRows], high[kRows];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    low[r] = args.store == Store::kAdd ? _mm512_load_ps(out + r * kColumns) : _mm512_setzero_ps();
    high[r] = args.store == Store::kAdd ? _mm512_load_ps(out + r * kColumns + 16) : _mm512_setzero_ps();
  }
  const std::int8_t* q = args.x.q + static_cast<std::size_t>(row) * static_cast<std::size_t>(args.groups) * 64;
  const std::uint8_t* w = args.panel->w;
  for (int step = 0; step < 16 * args.groups; ++step, w += kColumns * 4, q += 4 * kTileRows) {
    const __m512bh w0 = load(w), w1 = load(w + 64);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const __m512bh x = pair_of(q + 4 * r);
      low[r] = _mm512_dpbf16_ps(low[r], w0, x);
      high[r] = _mm512_dpbf16_ps(high[r], w1, x);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    _mm512_store_ps(out + r * kColumns, low[r]);
    _mm512_store_ps(out + r * kColumns + 16, high[r]);
  }
}

template <int kRows>
void tile_rest(const IntTileArgs& args, int row) {
  if (args.rows - row == kRows) return tile_rows<kRows>(args, row);
  if constexpr (kRows > 1) tile_rest<kRows - 1>(args, row);
}

void tile(const IntTileArgs& args) {
  int row = 0;
  for (; row + kTileRows <= args.rows; row += kTileRows) tile_rows<kTileRows>(args, row);
  tile_rest<kTileRows - 1>(args, row);
}

}  // namespace
}  // namespace isa_bf16_avx512

const IntTable* bf16_table_avx512() {
  using namespace isa_bf16_avx512;
  static const IntTable table = {kColumns, kDepth, kTileRows, 2, &pack_x, nullptr, nullptr, &pack, &tile};
  return &table;
}

}  // namespace areason
#else
namespace areason {
const IntTable* bf16_table_avx512() { return nullptr; }
}  // namespace areason
#endif
