// Weight rows to columns, whose bytes are elements of vectors: pack_groups() for panels (simd_int_tile.h) stores
// w[group][8 steps of 4 weights][column][4 bytes], transposed_quad() for simd_int_columns.h leaves groups in their lanes.
// Thread rule: pure functions.
#pragma once
#include "kernels/simd_int_formats.h"

namespace areason::AREASON_ISA_NAMESPACE {
namespace {

inline void store(std::uint8_t* at, V v) { std::memcpy(at, &v, sizeof v); }

// Lane q of v[i] for lane i of v[q].
inline void transpose_lanes(V (&v)[kQuads]) {
#if defined(__AVX512VNNI__)
  const V a = _mm512_shuffle_i64x2(v[0], v[1], 0x44), b = _mm512_shuffle_i64x2(v[2], v[3], 0x44);
  const V c = _mm512_shuffle_i64x2(v[0], v[1], 0xee), d = _mm512_shuffle_i64x2(v[2], v[3], 0xee);
  v[0] = first_halves(a, b);
  v[1] = second_halves(a, b);
  v[2] = first_halves(c, d);
  v[3] = second_halves(c, d);
#else
  const V first = first_halves(v[0], v[1]);
  v[1] = second_halves(v[0], v[1]);
  v[0] = first;
#endif
}

// kLanes32 weight rows: four for each lane of a vector.
using UnitRows = Unit[kQuads][4];

// Element r of each lane of piece[j][quad]: 32-bit element j of that lane of row r.
inline void to_pieces(const V (&row)[4], V (*piece)[kQuads], int quad) {
  const V a = unpack_low32(row[0], row[1]), b = unpack_low32(row[2], row[3]);
  const V c = unpack_high32(row[0], row[1]), d = unpack_high32(row[2], row[3]);
  piece[0][quad] = unpack_low64(a, b);
  piece[1][quad] = unpack_high64(a, b);
  piece[2][quad] = unpack_low64(c, d);
  piece[3][quad] = unpack_high64(c, d);
}

// Four rows' first halves of kQuads groups, then the second ones: element r of each lane of half[i][j] is 32-bit element j of
// that group's half of row r.
template <class Format>
__attribute__((always_inline)) inline void transposed_quad(const Unit (&rows)[4], int step, V (&half)[2][4]) {
  V first[4], second[4], piece[4][kQuads];
  if constexpr (Format::kBytes == Bytes::kU4) {  // taken apart last, so that half as many vectors change their order
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) first[r] = Format::nibbles(rows[r], step);
    to_pieces(first, piece, 0);
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      V parts[2];
      Format::split(piece[j][0], parts);
      half[0][j] = parts[0];
      half[1][j] = parts[1];
    }
    return;
  }
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    V row[2];
    Format::load(rows[r], step, row);
    first[r] = row[0];
    second[r] = row[1];
  }
  to_pieces(first, piece, 0);
  for (int j = 0; j < 4; ++j) half[0][j] = piece[j][0];
  to_pieces(second, piece, 0);
  for (int j = 0; j < 4; ++j) half[1][j] = piece[j][0];
}

// Bytes of a step of four weights, and of a group, of so many columns.
template <int kColumns>
constexpr std::size_t kStepBytes = kColumns * 4;
template <int kColumns>
constexpr std::size_t kGroupBytes = 8 * kStepBytes<kColumns>;

// kQuads groups of kLanes32 columns of a panel that has kColumns of them: whole vectors are stored.
template <class Format, int kColumns>
inline void pack_step(const UnitRows& rows, int step, std::uint8_t* w) {
  V piece[8][kQuads];  // four weights of four columns in a lane: [step of the panel][quad of columns], lanes are groups
#pragma GCC unroll 4
  for (int quad = 0; quad < kQuads; ++quad) {
    V first[4], second[4];
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) {
      V row[2];
      Format::load(rows[quad][r], step, row);
      first[r] = row[0];
      second[r] = row[1];
    }
    to_pieces(first, piece, quad);
    to_pieces(second, piece + 4, quad);
  }
#pragma GCC unroll 8
  for (std::size_t j = 0; j < 8; ++j) {
    transpose_lanes(piece[j]);
#pragma GCC unroll 4
    for (std::size_t group = 0; group < kQuads; ++group)
      store(w + group * kGroupBytes<kColumns> + j * kStepBytes<kColumns>, piece[j][group]);
  }
}

// The same of formats that are only nibbles: those are taken apart last, so that half as many vectors change their order.
template <class Format, int kColumns>
inline void pack_nibbles(const UnitRows& rows, int step, std::uint8_t* w) {
  V piece[4][kQuads];
#pragma GCC unroll 4
  for (int quad = 0; quad < kQuads; ++quad) {
    V row[4];
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) row[r] = Format::nibbles(rows[quad][r], step);
    to_pieces(row, piece, quad);
  }
#pragma GCC unroll 4
  for (std::size_t j = 0; j < 4; ++j) {
    transpose_lanes(piece[j]);
#pragma GCC unroll 4
    for (std::size_t lane = 0; lane < kQuads; ++lane) {
      // In small blocks a lane is a group, its high nibbles the second half; in superblocks half of two groups.
      constexpr bool kBlocks = Format::kSteps == 1;
      std::uint8_t* low =
          w + j * kStepBytes<kColumns> +
          (kBlocks ? lane * kGroupBytes<kColumns> : lane / 2 * 2 * kGroupBytes<kColumns> + lane % 2 * 4 * kStepBytes<kColumns>);
      store(low, low_nibbles(piece[j][lane]));
      store(low + (kBlocks ? 4 * kStepBytes<kColumns> : kGroupBytes<kColumns>), high_nibbles(piece[j][lane]));
    }
  }
}

// Factors of kQuads groups (lanes) for kQuads quads of columns, to [group][column] at this distance.
inline void pack_scales(const F (&scale)[kQuads], float* at, std::size_t step) {
  V bits[kQuads];
  std::memcpy(bits, scale, sizeof bits);
  transpose_lanes(bits);
  for (std::size_t group = 0; group < kQuads; ++group) store(reinterpret_cast<std::uint8_t*>(at + group * step), bits[group]);
}

#if !defined(__AVX512VNNI__)
// Eight columns with 256 bits: a lane has the first four weight rows, the other lane the rest, so that no lanes change places.
// Calls emit(group, dword, columns).
template <class Format, class Emit>
__attribute__((always_inline)) inline void pair_columns(const UnitRows& rows, int step, const Emit& emit) {
  V row[4], piece[4][kQuads];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const int group = i / 2, half = i % 2;
    if constexpr (Format::kBytes == Bytes::kU4) {  // taken apart last, so that half as many vectors change their order
      if (i >= 2) return;
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r) row[r] = Format::pair_nibbles(rows[0][r], rows[1][r], step, i);
      to_pieces(row, piece, 0);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        const V low = low_nibbles(piece[j][0]), high = high_nibbles(piece[j][0]);
        emit(Format::kBlockNibbles ? i : 0, Format::kBlockNibbles ? j : 4 * i + j, low);
        emit(Format::kBlockNibbles ? i : 1, 4 * (Format::kBlockNibbles ? 1 : i) + j, high);
      }
    } else {
#pragma GCC unroll 4
      for (int r = 0; r < 4; ++r) row[r] = Format::pair(rows[0][r], rows[1][r], step, group, half);
      to_pieces(row, piece, 0);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) emit(group, 4 * half + j, piece[j][0]);
    }
  }
}
#endif

template <class Format, int kColumns>
inline void pack_groups(const UnitRows& rows, int step, std::uint8_t* w) {
#if !defined(__AVX512VNNI__)
  return pair_columns<Format>(rows, step, [&](std::size_t group, std::size_t dword, V columns) {
    store(w + group * kGroupBytes<kColumns> + dword * kStepBytes<kColumns>, columns);
  });
#endif
  if constexpr (Format::kBytes == Bytes::kU4)
    pack_nibbles<Format, kColumns>(rows, step, w);
  else
    pack_step<Format, kColumns>(rows, step, w);
}

}  // namespace
}  // namespace areason::AREASON_ISA_NAMESPACE
