// Many rows of x: weights are unpacked into a panel whose columns are the elements of vectors, then multiplied from there.
// Panel: w[group][8 steps of 4 weights][column][4 bytes], scale[scale group][column], min[group][column].
// See int_table.h for the arithmetic. Thread rule: pure functions.
#pragma once
#include "kernels/simd_int_formats.h"

namespace areason::AREASON_ISA_NAMESPACE {
namespace {

constexpr int kColumnVectors = 2;
constexpr int kColumns = kColumnVectors * kLanes32;
constexpr int kTileRows = kIntTileRows;
static_assert(kColumns <= kIntColumns);

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

// kQuads groups of kLanes32 columns into a panel: whole vectors are stored.
template <class Format>
inline void pack_step(const UnitRows& rows, int step, std::uint8_t* w) {
  constexpr std::size_t kStep = kColumns * 4, kGroup = 8 * kStep;
  V piece[8][kQuads];  // four weights of four columns in a lane: [step of the panel][quad of columns], lanes are groups
#pragma GCC unroll 4
  for (int quad = 0; quad < kQuads; ++quad) {
    V row[4][2];
#pragma GCC unroll 4
    for (int r = 0; r < 4; ++r) Format::load(rows[quad][r], step, row[r]);
#pragma GCC unroll 2
    for (int half = 0; half < 2; ++half) {
      const V a = unpack_low32(row[0][half], row[1][half]), b = unpack_low32(row[2][half], row[3][half]);
      const V c = unpack_high32(row[0][half], row[1][half]), d = unpack_high32(row[2][half], row[3][half]);
      piece[4 * half][quad] = unpack_low64(a, b);
      piece[4 * half + 1][quad] = unpack_high64(a, b);
      piece[4 * half + 2][quad] = unpack_low64(c, d);
      piece[4 * half + 3][quad] = unpack_high64(c, d);
    }
  }
#pragma GCC unroll 8
  for (std::size_t j = 0; j < 8; ++j) {
    transpose_lanes(piece[j]);
#pragma GCC unroll 4
    for (std::size_t group = 0; group < kQuads; ++group) store(w + group * kGroup + j * kStep, piece[j][group]);
  }
}

// Factors of kQuads groups (lanes) for kQuads quads of columns, to [group][column] at this distance.
inline void pack_scales(const F (&scale)[kQuads], float* at, std::size_t step) {
  V bits[kQuads];
  std::memcpy(bits, scale, sizeof bits);
  transpose_lanes(bits);
  for (std::size_t group = 0; group < kQuads; ++group) store(reinterpret_cast<std::uint8_t*>(at + group * step), bits[group]);
}

template <class Format>
inline void pack_unit(const UnitRows& rows, std::size_t group, std::size_t column, IntPanel& panel) {
  typename Format::Scales scales[kQuads];
  for (int quad = 0; quad < kQuads; ++quad) scales[quad] = Format::scales(rows[quad]);
  for (int step = 0; step < Format::kSteps; ++step, group += kQuads) {
    pack_step<Format>(rows, step, panel.w + (group * 8 * kColumns + column) * 4);
    F values[kQuads];
    for (int quad = 0; quad < kQuads; ++quad) values[quad] = scales[quad].scale[step];
    if constexpr (Format::kHalves) {
      pack_scales(values, panel.scale + 2 * group * kColumns + column, 2 * kColumns);
      for (int quad = 0; quad < kQuads; ++quad) values[quad] = scales[quad].second[step];
      pack_scales(values, panel.scale + (2 * group + 1) * kColumns + column, 2 * kColumns);
    } else {
      pack_scales(values, panel.scale + group * kColumns + column, kColumns);
    }
    if constexpr (Format::kMinima) {
      for (int quad = 0; quad < kQuads; ++quad) values[quad] = scales[quad].min[step];
      pack_scales(values, panel.min + group * kColumns + column, kColumns);
    }
  }
}

// Coarse scales of x are 1, 1.25, 1.5 or 1.75 times a power of two: with the scales of the weights times each of these at hand,
// the products are additions of exponents, which do not compete with the integer products for the multipliers. Only 512-bit
// kernels.
template <class Format>
constexpr bool kScaleFormsPay = kQuads == 4 && !Format::kHalves && Format::kBytes != Bytes::kS8;

#if defined(__AVX512VNNI__)
constexpr std::size_t kFormFloats = kIntGroups * kColumns;

// Adding an exponent to zero would not leave zero: the weights of such groups become zero instead.
template <class Format>
void clear_group(IntPanel& panel, std::size_t group, std::size_t column) {
  constexpr std::uint8_t kZero = Format::kShift < 8 ? 1u << Format::kShift : 0;
  for (std::size_t step = 0; step < 8; ++step) std::memset(panel.w + ((8 * group + step) * kColumns + column) * 4, kZero, 4);
  panel.scale[group * kColumns + column] = 1.0f;
}

template <class Format>
void make_forms(IntPanel& panel, int groups) {
  for (std::size_t at = 0; at < static_cast<std::size_t>(groups * kColumns); at += kLanes32) {
    const F zero = set1f(0.0f);
    if (_mm512_cmp_ps_mask(loadf(panel.scale + at), zero, _CMP_EQ_OQ) != 0)
      for (std::size_t i = at; i < at + kLanes32; ++i)
        if (panel.scale[i] == 0.0f) clear_group<Format>(panel, i / kColumns, i % kColumns);
    const F scale = loadf(panel.scale + at);
    storef(panel.scale + kFormFloats + at, mul(scale, set1f(1.25f)));
    storef(panel.scale + 2 * kFormFloats + at, mul(scale, set1f(1.5f)));
    storef(panel.scale + 3 * kFormFloats + at, mul(scale, set1f(1.75f)));
  }
}

// scale * d by its bits.
inline F scaled(const float* scale, const float* d, const std::int32_t* exponent) {
  std::uint32_t bits;
  std::memcpy(&bits, d, sizeof bits);
  const V form = _mm512_load_si512(scale + ((bits >> 21) & 3u) * kFormFloats);
  const V sum = add32(form, set1_i32(exponent));
  return _mm512_castsi512_ps(sum);
}
#endif

// One vector of columns.
template <class Format>
inline void pack_vector(const IntPackArgs& args, int column) {
  constexpr int kUnit = 32 * kQuads * Format::kSteps;
  const auto* weights = static_cast<const std::uint8_t*>(args.weights);
  // What is packed next is fetched a little with every unit: all at once would be more than a core can have under way.
  const std::ptrdiff_t ahead = static_cast<const std::uint8_t*>(args.next) - weights;
  Unit rows[kQuads][4];
  for (int i = 0; i < kLanes32; ++i) {
    const auto row = static_cast<std::size_t>(column + i < args.rows ? column + i : args.rows - 1);
    rows[i / 4][i % 4] = weights + row * args.row_bytes;
  }
  std::size_t group = 0;
  for (int k = 0; k + kUnit <= args.k; k += kUnit, group += kUnit / 32) {
    for (auto& quad : rows)
      for (Unit row : quad)
        for (std::size_t at = 0; at < Format::kUnitBytes; at += 64)
          _mm_prefetch(
              reinterpret_cast<const char*>(reinterpret_cast<std::uintptr_t>(row) + static_cast<std::uintptr_t>(ahead) + at),
              _MM_HINT_T0);
    pack_unit<Format>(rows, group, static_cast<std::size_t>(column), *args.panel);
    for (auto& quad : rows)
      for (Unit& row : quad) row += Format::kUnitBytes;
  }
  if (args.k % kUnit == 0) return;
  // Only formats of small blocks have a rest.
  PaddedUnits padded[kQuads];
  Unit copy[kQuads][4];
  for (int quad = 0; quad < kQuads; ++quad)
    padded[quad].fill(rows[quad], Format::kUnitBytes / kQuads * static_cast<std::size_t>(args.k % kUnit / 32), copy[quad]);
  pack_unit<Format>(copy, group, static_cast<std::size_t>(column), *args.panel);
}

template <class Format>
void pack_columns(const IntPackArgs& args) {
  for (int column = 0; column < kColumns; column += kLanes32) pack_vector<Format>(args, column);
#if defined(__AVX512VNNI__)
  if constexpr (kScaleFormsPay<Format>)
    if (args.rows_of_x >= kManyRows) make_forms<Format>(*args.panel, args.k / 32);
#endif
}

// Products of four weights each, `kSteps` of them, for the first kRows rows of a tile: sum[row][vector].
template <Bytes kBytes, int kRows, int kSteps>
inline void multiply_steps(const std::uint8_t* w, const std::int8_t* q, V (&sum)[kRows][kColumnVectors]) {
#if !defined(__AVX512VNNI__) && !defined(__AVXVNNI__)
  if constexpr (kBytes == Bytes::kU4) {  // all eight steps fit into 16 bits: 8 * 2 * 15 * 127 < 2^15
    V narrow[kRows][kColumnVectors] = {};
    for (int s = 0; s < kSteps; ++s) {
      const V w0 = load(w + s * kColumns * 4), w1 = load(w + s * kColumns * 4 + sizeof(V));
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) {
        const V x = set1_i32(q + 4 * (s * kTileRows + r));
        narrow[r][0] = _mm256_add_epi16(narrow[r][0], pairs<kBytes>(w0, x));
        narrow[r][1] = _mm256_add_epi16(narrow[r][1], pairs<kBytes>(w1, x));
      }
    }
    for (int r = 0; r < kRows; ++r)
      for (int v = 0; v < kColumnVectors; ++v) sum[r][v] = add32(sum[r][v], widen_pairs(narrow[r][v]));
    return;
  }
#endif
#pragma GCC unroll 8
  for (int s = 0; s < kSteps; ++s) {
    const V w0 = load(w + s * kColumns * 4), w1 = load(w + s * kColumns * 4 + sizeof(V));
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const V x = set1_i32(q + 4 * (s * kTileRows + r));
      sum[r][0] = dot4<kBytes>(sum[r][0], w0, x);
      sum[r][1] = dot4<kBytes>(sum[r][1], w1, x);
    }
  }
}

// The sums of kRows rows, as they were or zero.
template <int kRows>
inline void read_sums(const IntTileArgs& args, const float* from, F (&sum)[kRows][kColumnVectors]) {
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kColumnVectors; ++v)
      sum[r][v] = args.store == Store::kAdd ? loadf(from + r * kColumns + v * kLanes32) : set1f(0.0f);
}
template <int kRows>
inline void write_sums(const F (&sum)[kRows][kColumnVectors], float* to) {
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kColumnVectors; ++v) storef(to + r * kColumns + v * kLanes32, sum[r][v]);
}

// kRows rows of one tile, whose x begins at args.x.
template <class Format, int kRows, bool kForms>
void tile_rows(const IntTileArgs& args, const IntRows& x, float* out) {
  constexpr int kHalves = Format::kHalves ? 2 : 1, kSteps = 8 / kHalves;
  const int scale_groups = args.groups * kHalves;
  const std::int32_t* minus = Format::kHalves ? x.minus_halves : x.minus_sum;
  const std::uint8_t* w = args.panel->w;
  const float* scale = args.panel->scale;
  const std::int8_t* q = x.q;
  const __m128i shift = _mm_cvtsi32_si128(Format::kShift);
  F acc[kRows][kColumnVectors];
  read_sums<kRows>(args, out, acc);
  for (int g = 0; g < scale_groups; ++g) {
    V sum[kRows][kColumnVectors];
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) sum[r][0] = sum[r][1] = shift_left(set1_i32(minus + r), shift);
    multiply_steps<Format::kBytes, kRows, kSteps>(w, q, sum);
    const float* d = x.d + g / kHalves * kTileRows;
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
#if defined(__AVX512VNNI__)
      if constexpr (kForms) {
        const std::int32_t* exponent = x.exponent + g * kTileRows + r;
        acc[r][0] = add(acc[r][0], mul(to_float(sum[r][0]), scaled(scale, d + r, exponent)));
        acc[r][1] = add(acc[r][1], mul(to_float(sum[r][1]), scaled(scale + kLanes32, d + r, exponent)));
        continue;
      }
#endif
      const F factor = set1f(d[r]);
      acc[r][0] = add(acc[r][0], mul(to_float(sum[r][0]), mul(loadf(scale), factor)));
      acc[r][1] = add(acc[r][1], mul(to_float(sum[r][1]), mul(loadf(scale + kLanes32), factor)));
    }
    w += kSteps * kColumns * 4;
    scale += kColumns;
    q += kSteps * kTileRows * 4;
    minus += kTileRows;
  }
  write_sums<kRows>(acc, out);
}

template <int kRows>
void tile_minima(const IntTileArgs& args, const IntRows& x, float* out) {
  F sum[kRows][kColumnVectors];
  read_sums<kRows>(args, out, sum);
  for (int g = 0; g < args.groups; ++g) {
    const F m0 = loadf(args.panel->min + g * kColumns), m1 = loadf(args.panel->min + g * kColumns + kLanes32);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const F ds = set1f(x.ds[g * kTileRows + r]);
      sum[r][0] = add(sum[r][0], mul(m0, ds));
      sum[r][1] = add(sum[r][1], mul(m1, ds));
    }
  }
  write_sums<kRows>(sum, out);
}

template <class Format, int kRows, bool kForms>
inline void tile_part(const IntTileArgs& args, int row) {
  const std::size_t at = static_cast<std::size_t>(row) * static_cast<std::size_t>(args.groups);  // groups before this tile
  const IntRows x{args.x.q + 32 * at,           args.x.d + at,       args.x.ds + at, args.x.minus_sum + at,
                  args.x.minus_halves + 2 * at, args.x.exponent + at};
  tile_rows<Format, kRows, kForms>(args, x, args.acc + static_cast<std::size_t>(row) * kColumns);
  if constexpr (Format::kMinima) tile_minima<kRows>(args, x, args.min + static_cast<std::size_t>(row) * kColumns);
}

template <class Format, bool kForms>
void tile_all(const IntTileArgs& args) {
  int row = 0;
  for (; row + kTileRows <= args.rows; row += kTileRows) tile_part<Format, kTileRows, kForms>(args, row);
  switch (args.rows - row) {
    case 1:
      return tile_part<Format, 1, kForms>(args, row);
    case 2:
      return tile_part<Format, 2, kForms>(args, row);
    case 3:
      return tile_part<Format, 3, kForms>(args, row);
    default:
      return;
  }
}

template <class Format>
void tile_format(const IntTileArgs& args) {
  if constexpr (kScaleFormsPay<Format>)
    if (args.rows >= kManyRows) return tile_all<Format, true>(args);
  tile_all<Format, false>(args);
}

void int_pack(const IntPackArgs& args) {
  switch (args.type) {
    case WeightType::kQ8_0:
      return pack_columns<FormatQ8_0>(args);
    case WeightType::kQ4_0:
      return pack_columns<FormatQ4_0>(args);
    case WeightType::kQ4_K:
      return pack_columns<FormatQ4_K>(args);
    case WeightType::kQ5_K:
      return pack_columns<FormatQ5_K>(args);
    case WeightType::kQ6_K:
      return pack_columns<FormatQ6_K>(args);
    default:
      return;
  }
}

void int_tile(const IntTileArgs& args) {
  switch (args.type) {
    case WeightType::kQ8_0:
      return tile_format<FormatQ8_0>(args);
    case WeightType::kQ4_0:
      return tile_format<FormatQ4_0>(args);
    case WeightType::kQ4_K:
      return tile_format<FormatQ4_K>(args);
    case WeightType::kQ5_K:
      return tile_format<FormatQ5_K>(args);
    case WeightType::kQ6_K:
      return tile_format<FormatQ6_K>(args);
    default:
      return;
  }
}

}  // namespace
}  // namespace areason::AREASON_ISA_NAMESPACE
