// The block formats as vectors of bytes, four weight rows at a time: for each format
//   kUnitBytes            bytes of a unit (one or several blocks) that `scales` covers: kSteps vectors' worth of groups
//   load(unit, step)      kQuads groups: the first 16 weights of group i in lane i of out[0], the next 16 in lane i of out[1]
//   nibbles(unit, step)   formats of nibbles only: the same groups as they are stored, and split() makes the above of them
//   scales(units)         f32 factors of four rows: lane i belongs to group i of a step, element r to row r
//   pair(a, b, step, group, half), pair_nibbles(a, b, step, part)   256 bits only: 16 weights of unit a in one lane and of b in
//                         the other; of nibbles, part 0 and 1 of what the step stores, whose low and high halves go where
//                         kBlockNibbles says: to the halves of group `part`, or to half `part` of both groups
//   kOrder                the order of lanes in which dot products take a step: not as load() gives them where that saves
//                         exchanging lanes; then lie(unit, step) is how 32 weights of each of two groups lie there
//   kColumnRows           rows of x from which on simd_int_columns.h is faster than simd_int_dot.h, measured with 512 bits
// Thread rule: pure functions.
#pragma once
#include "kernels/simd_int_ops.h"

namespace areason::AREASON_ISA_NAMESPACE {
namespace {

using Unit = const std::uint8_t*;

// Lanes of the two vectors of a step: with a and b for the halves of a group,
//   kGroups   0a 1a … | 0b 1b …   as load() gives them
//   kCrossed  0a 1b | 0b 1a       a group's sum is still its lane's
//   kApart    0a 0b | 1a 1b       for halves with scales of their own
enum class LaneOrder { kGroups, kCrossed, kApart };

// The f16 at the same place of four rows. Put together as whole numbers, since vectors have enough to do.
inline long long four_halves(const Unit (&rows)[4], std::size_t at) {
  const auto half = [&](int r) { return static_cast<std::uint64_t>(load16(rows[r] + at)); };
  return static_cast<long long>(half(0) | half(1) << 16 | half(2) << 32 | half(3) << 48);
}
inline __m128 halves_of(const Unit (&rows)[4], std::size_t at) {
  return _mm_cvtph_ps(_mm_cvtsi64_si128(four_halves(rows, at)));
}

// Scales of a format without superblocks: kQuads blocks of kBlockBytes, each opened by its f16.
template <std::size_t kBlockBytes>
inline F small_scales(const Unit (&rows)[4]) {
#if defined(__AVX512VNNI__)
  // 16-bit element 4 * block + row, from the row's element where the block begins; two reaches of 64 bytes cover four blocks.
  constexpr std::size_t kReach = kBlockBytes * 3 + 2 <= 64 ? 0 : 2 * kBlockBytes;
  constexpr short kBlock1 = kBlockBytes / 2;
  constexpr short kBlock2 = kReach == 0 ? 2 * kBlock1 : 0, kBlock3 = kReach == 0 ? 3 * kBlock1 : kBlock1;
  const __m512i index = _mm512_zextsi256_si512(_mm256_setr_epi16(
      0, 0, 0, 0, kBlock1, kBlock1, kBlock1, kBlock1, kBlock2, kBlock2, kBlock2, kBlock2, kBlock3, kBlock3, kBlock3, kBlock3));
  __m512i out = _mm512_setzero_si512();
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    const auto mask = static_cast<__mmask32>(0x1111u << r);
    if constexpr (kReach == 0) {
      out = _mm512_mask_permutexvar_epi16(out, mask, index, load(rows[r]));
    } else {
      out = _mm512_mask_permutexvar_epi16(out, mask & 0xffu, index, load(rows[r]));
      out = _mm512_mask_permutexvar_epi16(out, mask & 0xff00u, index, load(rows[r] + kReach));
    }
  }
  return _mm512_maskz_cvtph_ps(0xffff, _mm512_castsi512_si256(out));
#else
  return _mm256_cvtph_ps(_mm_set_epi64x(four_halves(rows, kBlockBytes), four_halves(rows, 0)));
#endif
}

struct FormatQ4_0 {
  static constexpr Bytes kBytes = Bytes::kU4;
  static constexpr int kShift = 3;  // the offset, 8, as a power of two
  static constexpr int kSteps = 1;
  static constexpr bool kMinima = false, kHalves = false;
  static constexpr LaneOrder kOrder = LaneOrder::kGroups;
  static constexpr std::size_t kUnitBytes = 18 * kQuads;
  static constexpr int kColumnRows = 7;
  struct Scales {
    F scale[1];
  };
  static V nibbles(Unit unit, int) { return load_lanes(unit + 2, 18); }
  static void split(V q, V (&out)[2]) {
    out[0] = low_nibbles(q);
    out[1] = high_nibbles(q);
  }
  static void load(Unit unit, int step, V (&out)[2]) { split(nibbles(unit, step), out); }
#if !defined(__AVX512VNNI__)
  static constexpr bool kBlockNibbles = true;
  static V pair_nibbles(Unit a, Unit b, int, int part) { return two_lanes(a + 18 * part + 2, b + 18 * part + 2); }
#endif
  static Scales scales(const Unit (&rows)[4]) { return {{small_scales<18>(rows)}}; }
};

struct FormatQ8_0 {
  static constexpr Bytes kBytes = Bytes::kS8;
  static constexpr int kShift = kVnni ? 7 : 32;  // VNNI wants unsigned bytes: 128 is added, and subtracted from the sum
  static constexpr int kSteps = 1;
  static constexpr bool kMinima = false, kHalves = false;
  static constexpr LaneOrder kOrder = kQuads == 2 ? LaneOrder::kCrossed : LaneOrder::kGroups;
  static constexpr std::size_t kUnitBytes = 34 * kQuads;
  static constexpr int kColumnRows = 12;
  struct Scales {
    F scale[1];
  };
  static void load(Unit unit, int, V (&out)[2]) {
#if defined(__AVX512VNNI__)
    const auto block = [&](int i) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(unit + 34 * i + 2)); };
    const V low = _mm512_inserti64x4(_mm512_castsi256_si512(block(0)), block(1), 1);
    const V high = _mm512_inserti64x4(_mm512_castsi256_si512(block(2)), block(3), 1);
    const V flip = _mm512_set1_epi8(-128);
    out[0] = _mm512_xor_si512(first_halves(low, high), flip);
    out[1] = _mm512_xor_si512(second_halves(low, high), flip);
#else
    V whole[2];
    lie(unit, 0, whole);
    out[0] = first_halves(whole[0], whole[1]);
    out[1] = second_halves(whole[0], whole[1]);
#endif
  }
#if !defined(__AVX512VNNI__)
  static void lie(Unit unit, int, V (&out)[2]) {
    const V flip = _mm256_set1_epi8(kVnni ? -128 : 0);
    out[0] = _mm256_xor_si256(areason::AREASON_ISA_NAMESPACE::load(unit + 2), flip);
    out[1] = _mm256_xor_si256(areason::AREASON_ISA_NAMESPACE::load(unit + 36), flip);
  }
  static V pair(Unit a, Unit b, int, int group, int half) {
    const int at = 34 * group + 16 * half + 2;
    return _mm256_xor_si256(two_lanes(a + at, b + at), _mm256_set1_epi8(kVnni ? -128 : 0));
  }
#endif
  static Scales scales(const Unit (&rows)[4]) { return {{small_scales<34>(rows)}}; }
};

// Bytes of four rows, [row][group], as f32 for the groups of each step, [group][row].
template <int kSteps>
struct GroupFloats {
  F of[kSteps];
};

// Eight bytes a row (two 32-bit elements: groups 0…3 and 4…7) to factors, times a factor of the row.
inline void group_factors(__m128i first, __m128i second, F row_factor, F* out) {
  const __m128i transpose = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  first = _mm_shuffle_epi8(first, transpose);
  second = _mm_shuffle_epi8(second, transpose);
  if constexpr (kQuads == 4) {
    out[0] = mul(widen_u8(first), row_factor);
    out[1] = mul(widen_u8(second), row_factor);
  } else {
    out[0] = mul(widen_u8(first), row_factor);
    out[1] = mul(widen_u8(_mm_srli_si128(first, 8)), row_factor);
    out[2] = mul(widen_u8(second), row_factor);
    out[3] = mul(widen_u8(_mm_srli_si128(second, 8)), row_factor);
  }
}

constexpr int kSuperSteps = 8 / kQuads;  // of a block of 256

struct SuperScales {
  F scale[kSuperSteps];
  F min[kSuperSteps];
};

// Q4_K and Q5_K begin alike: d, dmin, twelve bytes of six-bit scales and minima.
inline SuperScales super_scales(const Unit (&rows)[4]) {
  const auto row = [&](int r) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[r])); };
  const __m128i r0 = row(0), r1 = row(1), r2 = row(2), r3 = row(3);
  const __m128i low01 = _mm_unpacklo_epi32(r0, r1), low23 = _mm_unpacklo_epi32(r2, r3);
  const __m128i high01 = _mm_unpackhi_epi32(r0, r1), high23 = _mm_unpackhi_epi32(r2, r3);
  const __m128i a = _mm_unpackhi_epi64(low01, low23);  // bytes 4 to 7 of the rows
  const __m128i b = _mm_unpacklo_epi64(high01, high23), c = _mm_unpackhi_epi64(high01, high23);
  const __m128i six = _mm_set1_epi8(63), four = _mm_set1_epi8(15), top = _mm_set1_epi8(48);
  const auto upper = [&](__m128i v) { return _mm_and_si128(_mm_srli_epi16(v, 2), top); };  // the two high bits of each byte
  // d of the rows, then dmin.
  const __m256 factors = _mm256_cvtph_ps(
      _mm_shuffle_epi8(_mm_unpacklo_epi64(low01, low23), _mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15)));
  SuperScales out;
  group_factors(_mm_and_si128(a, six), _mm_or_si128(_mm_and_si128(c, four), upper(a)),
                all_lanes(_mm256_castps256_ps128(factors)), out.scale);
  group_factors(_mm_and_si128(b, six), _mm_or_si128(_mm_and_si128(_mm_srli_epi16(c, 4), four), upper(b)),
                all_lanes(_mm256_extractf128_ps(factors, 1)), out.min);
  return out;
}

// 32 bytes hold a group in their low and the next one in their high halves; kQuads groups of a step.
inline void split_nibble_groups(V v, V (&out)[2]) {
  const V low = low_nibbles(v), high = high_nibbles(v);
#if defined(__AVX512VNNI__)
  // lanes g0a g0b g2a g2b | g1a g1b g3a g3b
  out[0] = _mm512_permutex2var_epi64(low, _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13), high);
  out[1] = _mm512_permutex2var_epi64(low, _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15), high);
#else
  out[0] = first_halves(low, high);
  out[1] = second_halves(low, high);
#endif
}

struct FormatQ4_K {
  static constexpr Bytes kBytes = Bytes::kU4;
  static constexpr int kShift = 32;  // no offset: shifted by 32, the correction is zero
  static constexpr int kSteps = kSuperSteps;
  static constexpr bool kMinima = true, kHalves = false;
  static constexpr LaneOrder kOrder = LaneOrder::kGroups;
  static constexpr std::size_t kUnitBytes = 144;
  static constexpr int kColumnRows = 7;
  using Scales = SuperScales;
  static V nibbles(Unit unit, int step) { return areason::AREASON_ISA_NAMESPACE::load(unit + 16 + step * 16 * kQuads); }
  static void split(V q, V (&out)[2]) { split_nibble_groups(q, out); }
  static void load(Unit unit, int step, V (&out)[2]) {
#if defined(__AVX512VNNI__)
    split(nibbles(unit, step), out);
#else
    // Shifts by lane, as exchanging lanes is slow.
    const V shift = _mm256_setr_epi32(0, 0, 0, 0, 4, 4, 4, 4);
    for (int half = 0; half < 2; ++half)
      out[half] = low_nibbles(_mm256_srlv_epi32(both_lanes(unit + 16 + 32 * step + 16 * half), shift));
#endif
  }
#if !defined(__AVX512VNNI__)
  static constexpr bool kBlockNibbles = false;
  static V pair_nibbles(Unit a, Unit b, int step, int part) {
    const int at = 16 + 32 * step + 16 * part;
    return two_lanes(a + at, b + at);
  }
#endif
  static Scales scales(const Unit (&rows)[4]) { return super_scales(rows); }
};

struct FormatQ5_K {
  static constexpr Bytes kBytes = Bytes::kU5;
  static constexpr int kShift = 32;
  static constexpr int kSteps = kSuperSteps;
  static constexpr bool kMinima = true, kHalves = false;
  static constexpr LaneOrder kOrder = LaneOrder::kGroups;
  static constexpr std::size_t kUnitBytes = 176;
  static constexpr int kColumnRows = 7;
  using Scales = SuperScales;
  static void load(Unit unit, int step, V (&out)[2]) {
    split_nibble_groups(areason::AREASON_ISA_NAMESPACE::load(unit + 48 + step * 16 * kQuads), out);
    const auto* high = reinterpret_cast<const __m128i*>(unit + 16);
    for (int part = 0; part < 2; ++part) {
      const __m128i bits = _mm_loadu_si128(high + part);
#if defined(__AVX512VNNI__)
      // Bit g of a byte belongs to group g; lane i holds group 4 * step + i.
      const __m512i mask = _mm512_set_epi64(0x0808080808080808, 0x0808080808080808, 0x0404040404040404, 0x0404040404040404,
                                            0x0202020202020202, 0x0202020202020202, 0x0101010101010101, 0x0101010101010101);
      const __m512i shifted = _mm512_broadcast_i32x4(_mm_srli_epi16(bits, 4 * step));
      out[part] = _mm512_mask_add_epi8(out[part], _mm512_test_epi8_mask(shifted, mask), out[part], _mm512_set1_epi8(16));
#else
      const __m256i mask = _mm256_set_epi64x(0x0202020202020202, 0x0202020202020202, 0x0101010101010101, 0x0101010101010101);
      const __m256i shifted = _mm256_broadcastsi128_si256(_mm_srli_epi16(bits, 2 * step));
      const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(shifted, mask), mask);
      out[part] = _mm256_or_si256(out[part], _mm256_and_si256(set, _mm256_set1_epi8(16)));
#endif
    }
  }
#if !defined(__AVX512VNNI__)
  static V pair(Unit a, Unit b, int step, int group, int half) {
    const V nibbles = two_lanes(a + 48 + 32 * step + 16 * half, b + 48 + 32 * step + 16 * half);
    const V bits = _mm256_srli_epi16(two_lanes(a + 16 + 16 * half, b + 16 + 16 * half), 2 * step + group);
    const V fifth = _mm256_and_si256(_mm256_slli_epi16(bits, 4), _mm256_set1_epi8(16));
    return _mm256_or_si256(group == 0 ? low_nibbles(nibbles) : high_nibbles(nibbles), fifth);
  }
#endif
  static Scales scales(const Unit (&rows)[4]) { return super_scales(rows); }
};

struct FormatQ6_K {
  static constexpr Bytes kBytes = Bytes::kU6;
  static constexpr int kShift = 5;
  static constexpr int kSteps = kSuperSteps;
  static constexpr bool kMinima = false, kHalves = true;  // a scale for every 16 weights
  static constexpr LaneOrder kOrder = kQuads == 2 ? LaneOrder::kApart : LaneOrder::kGroups;
  static constexpr std::size_t kUnitBytes = 210;
  static constexpr int kColumnRows = 4;
  struct Scales {
    F scale[kSteps];   // of out[0]
    F second[kSteps];  // of out[1]
  };

  static void load(Unit unit, int step, V (&out)[2]) {
#if defined(__AVX512VNNI__)
    const V v = areason::AREASON_ISA_NAMESPACE::load(unit + 64 * step);
    const __m512i high = _mm512_broadcast_i64x4(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(unit + 128 + 32 * step)));
    const __m512i top = _mm512_set1_epi8(48);
    // Two bits of each byte to bits 4 and 5: those of weights l and l + 32 for the low halves, l + 64 and l + 96 for the high.
    const __m512i left = _mm512_sllv_epi16(high, _mm512_inserti64x4(_mm512_set1_epi16(4), _mm256_set1_epi16(2), 1));
    const __m512i right = _mm512_srlv_epi16(high, _mm512_inserti64x4(_mm512_setzero_si512(), _mm256_set1_epi16(2), 1));
    const V low_half = _mm512_or_si512(low_nibbles(v), _mm512_and_si512(left, top));
    const V high_half = _mm512_or_si512(high_nibbles(v), _mm512_and_si512(right, top));
    out[0] = first_halves(low_half, high_half);
    out[1] = second_halves(low_half, high_half);
#else
    V whole[2];
    lie(unit, step, whole);
    out[0] = first_halves(whole[0], whole[1]);
    out[1] = second_halves(whole[0], whole[1]);
#endif
  }
#if !defined(__AVX512VNNI__)
  static void lie(Unit unit, int step, V (&out)[2]) {
    // Half `step / 2` of the block, its groups 0 and 1 (low halves of the bytes) or 2 and 3.
    const bool upper = step % 2 != 0;
    const auto at = [&](int i) { return areason::AREASON_ISA_NAMESPACE::load(unit + 64 * (step / 2) + 32 * i); };
    const V high = areason::AREASON_ISA_NAMESPACE::load(unit + 128 + 32 * (step / 2));
    const V top = _mm256_set1_epi8(48);
    const V bits0 = upper ? high : _mm256_slli_epi16(high, 4);
    const V bits1 = upper ? _mm256_srli_epi16(high, 2) : _mm256_slli_epi16(high, 2);
    out[0] = _mm256_or_si256(upper ? high_nibbles(at(0)) : low_nibbles(at(0)), _mm256_and_si256(bits0, top));
    out[1] = _mm256_or_si256(upper ? high_nibbles(at(1)) : low_nibbles(at(1)), _mm256_and_si256(bits1, top));
  }
  static V pair(Unit a, Unit b, int step, int group, int half) {
    const int low = 64 * (step / 2) + 32 * group + 16 * half, high = 128 + 32 * (step / 2) + 16 * half;
    const V nibbles = two_lanes(a + low, b + low), bits = two_lanes(a + high, b + high);
    // Two bits of each byte to bits 4 and 5: those of the step's first group are bits 0 and 1, or 4 and 5.
    const bool upper = step % 2 != 0;
    const V top = group == 0 ? (upper ? bits : _mm256_slli_epi16(bits, 4))
                             : (upper ? _mm256_srli_epi16(bits, 2) : _mm256_slli_epi16(bits, 2));
    return _mm256_or_si256(upper ? high_nibbles(nibbles) : low_nibbles(nibbles), _mm256_and_si256(top, _mm256_set1_epi8(48)));
  }
#endif

  static Scales scales(const Unit (&rows)[4]) {
    const auto row = [&](int r) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[r] + 192)); };
    const __m128i r0 = row(0), r1 = row(1), r2 = row(2), r3 = row(3);
    const __m128i low01 = _mm_unpacklo_epi32(r0, r1), low23 = _mm_unpacklo_epi32(r2, r3);
    const __m128i high01 = _mm_unpackhi_epi32(r0, r1), high23 = _mm_unpackhi_epi32(r2, r3);
    // 32-bit element j of each row: the scales of groups 2j (a, b) and 2j + 1 (a, b); to a a | b b, rows together.
    const __m128i order = _mm_setr_epi8(0, 4, 8, 12, 2, 6, 10, 14, 1, 5, 9, 13, 3, 7, 11, 15);
    const __m128i pair[4] = {_mm_shuffle_epi8(_mm_unpacklo_epi64(low01, low23), order),
                             _mm_shuffle_epi8(_mm_unpackhi_epi64(low01, low23), order),
                             _mm_shuffle_epi8(_mm_unpacklo_epi64(high01, high23), order),
                             _mm_shuffle_epi8(_mm_unpackhi_epi64(high01, high23), order)};
    const F d = all_lanes(halves_of(rows, 208));
    Scales out;
    for (int step = 0; step < kSteps; ++step) {
      const __m128i first = pair[step * kQuads / 2], next = pair[kQuads == 4 ? 2 * step + 1 : step];
      out.scale[step] = mul(widen_s8(kQuads == 4 ? _mm_unpacklo_epi64(first, next) : first), d);
      out.second[step] = mul(widen_s8(kQuads == 4 ? _mm_unpackhi_epi64(first, next) : _mm_srli_si128(first, 8)), d);
    }
    return out;
  }
};

// Four rows' units at `unit`; where fewer than `bytes` remain of a row, a padded copy of it.
constexpr std::size_t kMaxUnit = 256;
struct PaddedUnits {
  std::uint8_t bytes[4][kMaxUnit];
  void fill(const Unit (&rows)[4], std::size_t count, Unit (&out)[4]) {
    std::memset(bytes, 0, sizeof bytes);
    for (int r = 0; r < 4; ++r) {
      std::memcpy(bytes[r], rows[r], count);
      out[r] = bytes[r];
    }
  }
};

}  // namespace
}  // namespace areason::AREASON_ISA_NAMESPACE
