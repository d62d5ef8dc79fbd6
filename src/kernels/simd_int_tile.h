// Many rows of x: weights are unpacked into a panel whose columns are the elements of vectors, then multiplied from there.
// Panel: w[group][8 steps of 4 weights][column][4 bytes], scale[scale group][column], min[group][column].
// See int_table.h for the arithmetic. Thread rule: pure functions.
#pragma once
#include "kernels/simd_int_pack.h"

namespace areason::AREASON_ISA_NAMESPACE {
namespace {

#if defined(__AVX512VNNI__)
constexpr int kColumnVectors = 3;  // with four rows, 24 of 32 registers are sums
#else
constexpr int kColumnVectors = 2;
#endif
constexpr int kColumns = kColumnVectors * kLanes32;
constexpr int kDepth = 512;
constexpr int kTileRows = kIntTileRows;
static_assert(kColumns <= kIntColumns && kColumns * kDepth <= kIntPanelValues);

// Signed weights where there is no VNNI.
template <class Format>
constexpr bool kSplitSigns = !kVnni && Format::kBytes == Bytes::kS8;

#if !defined(__AVX512VNNI__) && !defined(__AVXVNNI__)
// Without VNNI signed weights are multiplied as |w| (unsigned) with x or, where w is negative, ~x = -x - 1, since flipping bits
// costs less than changing signs; what that takes away, the sum of those |w|, does not depend on x: sums begin with it.
// The first half of the panel holds |w|, the other what flips x, and `min` the sums as integers, [group][column].
static_assert(2 * kColumns * kDepth <= kIntPanelValues);

template <class Format, class Panel>
inline void pack_signed(const UnitRows& rows, std::size_t group, std::size_t column, Panel& panel) {
  std::uint8_t* w = panel.w + group * kGroupBytes<kColumns> + 4 * column;
  V sum[kQuads] = {zero(), zero()};
  pair_columns<Format>(rows, 0, [&](std::size_t next, std::size_t dword, V columns) {
    const V signs = _mm256_cmpgt_epi8(zero(), columns), size = _mm256_abs_epi8(columns);
    std::uint8_t* at = w + next * kGroupBytes<kColumns> + dword * kStepBytes<kColumns>;
    store(at, size);
    store(at + sizeof panel.w / 2, signs);
    sum[next] = _mm256_add_epi16(sum[next], _mm256_maddubs_epi16(_mm256_and_si256(size, signs), _mm256_set1_epi8(1)));
  });
  for (std::size_t next = 0; next < kQuads; ++next)
    store(reinterpret_cast<std::uint8_t*>(panel.min + (group + next) * kColumns + column), widen_pairs(sum[next]));
}
#endif

template <class Format>
inline void pack_weights(const UnitRows& rows, int step, std::size_t group, std::size_t column, auto& panel) {
#if !defined(__AVX512VNNI__) && !defined(__AVXVNNI__)
  if constexpr (kSplitSigns<Format>) return pack_signed<Format>(rows, group, column, panel);
#endif
  pack_groups<Format, kColumns>(rows, step, panel.w + group * kGroupBytes<kColumns> + 4 * column);
}

template <class Format, class Panel>
inline void pack_unit(const UnitRows& rows, std::size_t group, std::size_t column, Panel& panel) {
  typename Format::Scales scales[kQuads];
  for (int quad = 0; quad < kQuads; ++quad) scales[quad] = Format::scales(rows[quad]);
  for (int step = 0; step < Format::kSteps; ++step, group += kQuads) {
    pack_weights<Format>(rows, step, group, column, panel);
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
constexpr std::size_t kFormFloats = kDepth / 32 * kColumns;

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

// Where d's form of the scales begins.
inline std::size_t form_of(const float* d) {
  std::uint32_t bits;
  std::memcpy(&bits, d, sizeof bits);
  return ((bits >> 21) & 3u) * kFormFloats;
}
#endif

// One vector of columns.
template <class Format>
inline void pack_vector(const IntPackArgs& args, int column) {
  constexpr int kUnit = 32 * kQuads * Format::kSteps;
  const auto* weights = static_cast<const std::uint8_t*>(args.weights);
  Unit rows[kQuads][4];
  for (int i = 0; i < kLanes32; ++i) {
    const auto row = static_cast<std::size_t>(column + i < args.rows ? column + i : args.rows - 1);
    rows[i / 4][i % 4] = weights + row * args.row_bytes;
  }
  std::size_t group = 0;
  for (int k = 0; k + kUnit <= args.k; k += kUnit, group += kUnit / 32) {
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

template <int kRows>
using TileSums = V[kRows][kColumnVectors];

// What the format's offset adds to the sums of row r.
template <class Format>
inline V offset_part(const std::int32_t* minus, int r) {
  if constexpr (Format::kShift < 32)
    return shift_left<Format::kShift>(set1_i32(minus + r));
  else
    return zero();
}

#if !defined(__AVX512VNNI__) && !defined(__AVXVNNI__)
// Keeps a sum where it is: a compiler that is free to add in another order keeps all products in memory first.
inline void settle(V& v) { __asm__("" : "+x"(v)); }

// All eight steps of four-bit weights fit into 16 bits: 8 * 2 * 15 * 127 < 2^15.
template <class Format, int kRows>
__attribute__((always_inline)) inline void multiply_narrow(const std::uint8_t* w, const std::int8_t* q,
                                                           const std::int32_t* minus, TileSums<kRows>& sum) {
#pragma GCC unroll 8
  for (int s = 0; s < 8; ++s) {
    const V w0 = load(w + s * kColumns * 4), w1 = load(w + s * kColumns * 4 + sizeof(V));
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const V x = set1_i32(q + 4 * (s * kTileRows + r));
      const V a = pairs<Format::kBytes>(w0, x), b = pairs<Format::kBytes>(w1, x);
      sum[r][0] = s == 0 ? a : _mm256_add_epi16(sum[r][0], a);
      sum[r][1] = s == 0 ? b : _mm256_add_epi16(sum[r][1], b);
      settle(sum[r][0]);
      settle(sum[r][1]);
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    const V offset = offset_part<Format>(minus, r);
    sum[r][0] = add32(offset, widen_pairs(sum[r][0]));
    sum[r][1] = add32(offset, widen_pairs(sum[r][1]));
  }
}

// Signed weights: see pack_signed(). 2 * 128 * 128 fits, as the product is negative where it can be as large.
template <int kRows, std::size_t kSigns>
__attribute__((always_inline)) inline void multiply_signed(const std::uint8_t* w, const std::int8_t* q,
                                                           const std::int32_t* begin, TileSums<kRows>& sum) {
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    sum[r][0] = load(begin);
    sum[r][1] = load(begin + kLanes32);
  }
#pragma GCC unroll 8
  for (int s = 0; s < 8; ++s, w += kColumns * 4) {
    const V w0 = load(w), w1 = load(w + sizeof(V)), signs0 = load(w + kSigns), signs1 = load(w + kSigns + sizeof(V));
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const V x = set1_i32(q + 4 * (s * kTileRows + r));
      sum[r][0] = add_pairs(sum[r][0], _mm256_maddubs_epi16(w0, _mm256_xor_si256(x, signs0)));
      sum[r][1] = add_pairs(sum[r][1], _mm256_maddubs_epi16(w1, _mm256_xor_si256(x, signs1)));
      settle(sum[r][0]);
      settle(sum[r][1]);
    }
  }
}

// Two steps of weights of five or six bits fit: 2 * 2 * 63 * 127 < 2^15.
template <class Format, int kRows, int kSteps>
__attribute__((always_inline)) inline void multiply_wide(const std::uint8_t* w, const std::int8_t* q, TileSums<kRows>& sum) {
#pragma GCC unroll 8
  for (int s = 0; s < kSteps; s += 2) {
    const auto at = [&](int step, int v) { return load(w + (s + step) * kColumns * 4 + v * static_cast<int>(sizeof(V))); };
    const V w0 = at(0, 0), w1 = at(0, 1), next0 = at(1, 0), next1 = at(1, 1);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const V x = set1_i32(q + 4 * (s * kTileRows + r)), y = set1_i32(q + 4 * ((s + 1) * kTileRows + r));
      const V a = _mm256_add_epi16(pairs<Format::kBytes>(w0, x), pairs<Format::kBytes>(next0, y));
      const V b = _mm256_add_epi16(pairs<Format::kBytes>(w1, x), pairs<Format::kBytes>(next1, y));
      sum[r][0] = add_pairs(sum[r][0], a);
      sum[r][1] = add_pairs(sum[r][1], b);
      settle(sum[r][0]);
      settle(sum[r][1]);
    }
  }
}
#else
template <class Format, int kRows, int kSteps>
__attribute__((always_inline)) inline void multiply_wide(const std::uint8_t* w, const std::int8_t* q, TileSums<kRows>& sum) {
#pragma GCC unroll 8
  for (int s = 0; s < kSteps; ++s) {
    V weights[kColumnVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kColumnVectors; ++v) weights[v] = load(w + (s * kColumns + v * kLanes32) * 4);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const V x = set1_i32(q + 4 * (s * kTileRows + r));
#pragma GCC unroll 4
      for (int v = 0; v < kColumnVectors; ++v) sum[r][v] = dot4<Format::kBytes>(sum[r][v], weights[v], x);
    }
  }
}
#endif

// The exact integers of a scale group for the first kRows rows of a tile: products of kSteps times four weights each. `minus`
// is the tile's; with split signs it is what the sums of the panel's columns begin with, and signs are kSigns after the
// weights.
template <class Format, int kRows, int kSteps, std::size_t kSigns>
__attribute__((always_inline)) inline void multiply_group(const std::uint8_t* w, const std::int8_t* q,
                                                          const std::int32_t* minus, TileSums<kRows>& sum) {
#if !defined(__AVX512VNNI__) && !defined(__AVXVNNI__)
  if constexpr (Format::kBytes == Bytes::kU4) return multiply_narrow<Format, kRows>(w, q, minus, sum);
  if constexpr (kSplitSigns<Format>) return multiply_signed<kRows, kSigns>(w, q, minus, sum);
#endif
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < kColumnVectors; ++v) sum[r][v] = offset_part<Format>(minus, r);
  multiply_wide<Format, kRows, kSteps>(w, q, sum);
}

// Calls add(vector, float(sum), scale * d) for one row; `d` and `exponent` are the row's.
template <bool kForms, class Add>
__attribute__((always_inline)) inline void scale_group(const V (&sum)[kColumnVectors], const float* scale, const float* d,
                                                       const std::int32_t* exponent, Add add_product) {
#if defined(__AVX512VNNI__)
  if constexpr (kForms) {
    const V power = set1_i32(exponent);
    scale += form_of(d);
#pragma GCC unroll 4
    for (int v = 0; v < kColumnVectors; ++v) {
      const V bits = add32(_mm512_loadu_si512(scale + v * kLanes32), power);  // scale * d by its bits
      add_product(v, to_float(sum[v]), _mm512_castsi512_ps(bits));
    }
    return;
  }
#endif
  static_cast<void>(exponent);
  const F factor = set1f(*d);
#pragma GCC unroll 4
  for (int v = 0; v < kColumnVectors; ++v) add_product(v, to_float(sum[v]), mul(loadf(scale + v * kLanes32), factor));
}

template <int kRows>
using TileFloats = F[kRows][kColumnVectors];
template <int kRows>
inline void read_sums(const float* from, TileFloats<kRows>& sum) {
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kColumnVectors; ++v) sum[r][v] = loadf(from + r * kColumns + v * kLanes32);
}
template <int kRows>
inline void write_sums(const TileFloats<kRows>& sum, float* to) {
  for (int r = 0; r < kRows; ++r)
    for (int v = 0; v < kColumnVectors; ++v) storef(to + r * kColumns + v * kLanes32, sum[r][v]);
}

// Fetches what is packed next a little with every group of a tile: processors drop prefetches that come faster than memory
// answers.
class Fetcher {
 public:
  // For so many calls of fetch().
  Fetcher(const IntNext& next, int calls)
      : line_(static_cast<const char*>(next.first)),
        rows_(next.rows),
        lines_(next.bytes / 64 + 1),
        left_(lines_),
        to_next_row_(static_cast<std::ptrdiff_t>(next.row_bytes) - 64 * lines_),
        share_((next.rows * lines_ + calls - 1) / calls) {}
  __attribute__((always_inline)) void fetch() {
    if (rows_ > 0) fetch_share();
  }

 private:
  void fetch_share() {
    for (int i = 0; i < share_; ++i) {
      _mm_prefetch(line_, _MM_HINT_T1);
      line_ += 64;
      if (--left_ > 0) continue;
      left_ = lines_;
      line_ += to_next_row_;
      if (--rows_ == 0) return;
    }
  }

  const char* line_;
  int rows_;   // left
  int lines_;  // of each row
  int left_;   // of this row
  std::ptrdiff_t to_next_row_;
  int share_;
};

// kRows rows of a tile times all groups of a panel, added to `out`, [row][column].
template <class Format, int kRows, bool kForms, class Panel>
__attribute__((always_inline)) inline void multiply_tile(const Panel& panel, int groups, const IntRows& x, float* out,
                                                         Fetcher& next) {
  constexpr bool kInMemory = kQuads == 2;  // sixteen registers are full of integers: the sums stay where they are
  constexpr int kHalves = Format::kHalves ? 2 : 1, kSteps = 8 / kHalves;
  const int scale_groups = groups * kHalves;
  const std::int32_t* minus = kSplitSigns<Format> ? reinterpret_cast<const std::int32_t*>(panel.min)
                              : Format::kHalves   ? x.minus_halves
                                                  : x.minus_sum;
  const std::uint8_t* w = panel.w;
  const float* scale = panel.scale;
  const std::int8_t* q = x.q;
  TileFloats<kRows> acc;
  if constexpr (!kInMemory) read_sums<kRows>(out, acc);
  for (int g = 0; g < scale_groups; ++g) {
    TileSums<kRows> sum;
    next.fetch();
    multiply_group<Format, kRows, kSteps, sizeof panel.w / 2>(w, q, minus, sum);
    const int at = g / kHalves * kTileRows;
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      scale_group<kForms>(sum[r], scale, x.d + at + r, x.exponent + at + r, [&](int v, F whole, F factor) {
        float* place = out + r * kColumns + v * kLanes32;
        if constexpr (kInMemory)
          storef(place, fma(whole, factor, loadf(place)));
        else
          acc[r][v] = fma(whole, factor, acc[r][v]);
      });
    }
    w += kSteps * kColumns * 4;
    scale += kColumns;
    q += kSteps * kTileRows * 4;
    minus += kSplitSigns<Format> ? kColumns : kTileRows;
  }
  if constexpr (!kInMemory) write_sums<kRows>(acc, out);
}

template <int kRows, class Panel>
inline void tile_minima(const Panel& panel, int groups, const IntRows& x, float* out) {
  TileFloats<kRows> sum;
  read_sums<kRows>(out, sum);
  for (int g = 0; g < groups; ++g) {
    F min[kColumnVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kColumnVectors; ++v) min[v] = loadf(panel.min + g * kColumns + v * kLanes32);
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const F ds = set1f(x.ds[g * kTileRows + r]);
#pragma GCC unroll 4
      for (int v = 0; v < kColumnVectors; ++v) sum[r][v] = fma(min[v], ds, sum[r][v]);
    }
  }
  write_sums<kRows>(sum, out);
}

// The x of a tile that begins `at` groups after the first one's.
inline IntRows tile_at(const IntRows& x, std::size_t at) {
  return {x.q + 32 * at, x.d + at, x.ds + at, x.minus_sum + at, x.minus_halves + 2 * at, x.exponent + at};
}

// Not inline, as strip_tile() is not: the loop needs all registers, and as a part of its callers it takes a fifth longer (GCC
// 12, Zen 3).
template <class Format, int kRows, bool kForms>
__attribute__((noinline)) void tile_part(const IntTileArgs& args, int row, Fetcher& next) {
  const auto cells = static_cast<std::size_t>(row) * kColumns;
  const IntRows x = tile_at(args.x, static_cast<std::size_t>(row) * static_cast<std::size_t>(args.groups));
  if (args.store == Store::kReplace) {
    std::memset(args.acc + cells, 0, kRows * kColumns * sizeof(float));
    if constexpr (Format::kMinima) std::memset(args.min + cells, 0, kRows * kColumns * sizeof(float));
  }
  multiply_tile<Format, kRows, kForms>(*args.panel, args.groups, x, args.acc + cells, next);
  if constexpr (Format::kMinima) tile_minima<kRows>(*args.panel, args.groups, x, args.min + cells);
}

template <class Format, bool kForms>
void tile_all(const IntTileArgs& args) {
  Fetcher next(args.next, (args.rows + kTileRows - 1) / kTileRows * args.groups * (Format::kHalves ? 2 : 1));
  int row = 0;
  for (; row + kTileRows <= args.rows; row += kTileRows) {
    tile_part<Format, kTileRows, kForms>(args, row, next);
  }
  switch (args.rows - row) {
    case 1:
      return tile_part<Format, 1, kForms>(args, row, next);
    case 2:
      return tile_part<Format, 2, kForms>(args, row, next);
    case 3:
      return tile_part<Format, 3, kForms>(args, row, next);
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
