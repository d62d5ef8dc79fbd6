#pragma once
// Products of int8 activations with block formats: the functions that exist once per instruction set. Internal to src/kernels.
// What every instruction set computes, bit for bit, for each row of x and each weight row:
//   x is rounded to int8 q per group of 32: d = max / 127, q = nearest even of x / d. For formats of four and five bits, whose
//   own rounding is far coarser, d is first rounded up to 1, 1.25, 1.5 or 1.75 times a power of two: then scale_g * d is exact,
//   and kernels may build it by adding exponents instead of multiplying.
//
//   acc = 0, min = 0; for each scale group g of the weights, in order:
//     acc = fma(float(I_g), scale_g * d, acc)      I_g: the exact integer sum of w * q (offset of the format subtracted)
//     min = fma(min_g, d * float(sum of q), min)   Q4_K and Q5_K only
//   y = acc - min (+ bias) (+ y)
// fma rounds once; no other two operations are fused. A scale group is 32 weights, in Q6_K 16; scale_g (d times the group's
// integer) is exact in f32. Thread rule: constant tables of pure functions.
#include <cstddef>
#include <cstdint>

#include "kernels/weight_type.h"

namespace areason {

enum class Store;

// How d is rounded: by the formats of the weights.
enum class RowScales { kExact, kCoarse };
constexpr RowScales row_scales(WeightType type) {
  return type == WeightType::kQ4_0 || type == WeightType::kQ4_K || type == WeightType::kQ5_K ? RowScales::kCoarse
                                                                                             : RowScales::kExact;
}

// Activations as int8, in one of two orders.
//   Rows by themselves (one, or few): padded with zeros to a multiple of 128 values. Of as many groups as a vector has lanes of
//   16 bytes, the first halves come first, then the second halves; without vectors the values are in their order.
//   Tiles of four rows, of one depth (IntTable::depth or what is left): value k of row r stands at q[tile][k / 4][r][k % 4],
//   the other arrays are [tile][group][r].
struct IntRows {
  const std::int8_t* q = nullptr;
  const float* d = nullptr;                    // of a group of 32
  const float* ds = nullptr;                   // d * sum of q
  const std::int32_t* minus_sum = nullptr;     // -(sum of q)
  const std::int32_t* minus_halves = nullptr;  // exact scales: -(sum of q) of 16
  const std::int32_t* exponent = nullptr;      // coarse scales: what to add to an f32's bits to multiply by d's power of two
};
constexpr int kIntTileRows = 4;

// One row of x to int8, at its place among `step` rows (1, or kIntTileRows): the pointers are at the row's first elements.
struct IntQuantizeArgs {
  const float* x;
  int k;       // a multiple of 32
  int groups;  // to be written; those past k become zeros
  int step;
  RowScales scales;
  std::int8_t* q;
  float* d;
  float* ds;
  std::int32_t* minus_sum;
  std::int32_t* minus_halves;  // exact scales only
  std::int32_t* exponent;      // coarse scales only
};

// y[row][0 … n) of few rows of x: streams the weights.
constexpr int kIntDotRows = 16;  // at most, also of strips: from there on panels are faster. The results are the same bits.
struct IntDotArgs {
  WeightType type;
  const void* weights;  // n rows
  std::size_t row_bytes;
  int n;
  int k;
  const IntRows* x;   // each row by itself
  int rows;           // 1 … kIntDotRows
  const float* bias;  // may be null
  float* y;
  std::size_t y_stride;
  Store store;
};

// The same for rows of x that stand in tiles of four, of one depth.
constexpr int kIntStripRows = 3;  // from which on that is faster
struct IntStripArgs {
  WeightType type;
  const void* weights;  // n rows
  std::size_t row_bytes;
  int n;
  int k;
  IntRows x;          // in tiles
  int rows;           // 1 … kIntDotRows
  const float* bias;  // may be null
  float* y;
  std::size_t y_stride;
  Store store;
};

constexpr int kIntColumns = 48;         // at most, of one packed panel
constexpr int kIntPanelValues = 24576;  // weights of a panel: its columns times its depth of k
constexpr int kIntPanelGroups = kIntPanelValues / 32;
constexpr int kScaleForms = 4;  // scales times 1, 1.25, 1.5 and 1.75, in panels for many rows with coarse scales
constexpr int kManyRows = 32;   // from which on it pays to make them

// The integers of some weight rows (columns), some depth of k, in the order that a tile reads them.
struct IntPanel {
  alignas(64) std::uint8_t w[kIntPanelValues];
  alignas(64) float scale[kScaleForms * kIntPanelGroups];  // [form][scale group][column]
  alignas(64) float min[kIntPanelGroups];                  // [group][column]; Q8_0 keeps integers here (pack_signed())
};

struct IntPackArgs {
  WeightType type;
  const void* weights;  // the first row, at the first column of the panel's depth
  std::size_t row_bytes;
  int rows;       // 1 … nc; missing columns repeat the last row
  int k;          // <= the table's depth
  int rows_of_x;  // that the panel will be multiplied with
  IntPanel* panel;
};

// Bytes that will be packed next: fetched into the cache while there are products to compute.
struct IntNext {
  const void* first;      // of rows as long as row_bytes
  std::size_t row_bytes;  // from one row to the next
  int rows;
  int bytes;  // of each row
};

// acc[row][nc] (and min[row][nc]) = or += products of x with a panel.
struct IntTileArgs {
  WeightType type;
  const IntPanel* panel;
  IntRows x;  // in tiles
  int rows;   // any number
  int groups;
  float* acc;
  float* min;   // Q4_K, Q5_K; not touched otherwise
  Store store;  // kReplace: the sums begin at zero
  IntNext next;
};

// Panels of integers; also, with `dot` and `strips` null, of bf16 pairs for f32, bf16 and f16 weights (bf16_avx512.cpp):
// there a group is 32 values of two bytes, q holds pairs of them, scales and sums do not exist.
struct IntTable {
  int nc;           // columns of a panel
  int depth;        // k of a panel
  int tile_rows;    // rows of x that stand together
  int value_bytes;  // of q
  void (*quantize)(const IntQuantizeArgs&);
  void (*dot)(const IntDotArgs&);
  void (*strips)(const IntStripArgs&);  // null, or takes kIntStripRows and more instead of `dot`
  void (*pack)(const IntPackArgs&);
  void (*tile)(const IntTileArgs&);
};

// The table of an instruction set, or null when it was not compiled in.
const IntTable* int_table_portable();
const IntTable* int_table_avx2();
const IntTable* int_table_avxvnni();
const IntTable* int_table_avx512vnni();
const IntTable* bf16_table_avx512();

}  // namespace areason
