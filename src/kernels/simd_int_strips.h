// Three to sixteen rows of x times many weight rows where there is no VNNI: what simd_int_tile.h does with a panel, 256 values
// of a strip of kColumns weight rows at a time, so that the weights are read once in their order and what is unpacked never
// leaves the first-level cache. See int_table.h for the arithmetic. Thread rule: pure functions.
#pragma once
#include "kernels/simd_int_tile.h"

namespace areason::AREASON_ISA_NAMESPACE {
namespace {

// What is unpacked together of kColumns weight rows, as a panel: eight groups.
template <class Format>
struct StripPanel {
  static constexpr std::size_t kGroups = 8, kUnits = kGroups / (kQuads * Format::kSteps);
  alignas(64) std::uint8_t w[(kSplitSigns<Format> ? 2 : 1) * kGroups * kGroupBytes<kColumns>];
  alignas(64) float scale[(Format::kHalves ? 2 : 1) * kGroups * kColumns];
  alignas(64) float min[kGroups * kColumns];
};

// Sums of all rows of x with a strip: [row of x][column].
struct StripSums {
  alignas(64) float acc[kIntDotRows * kColumns] = {};
  alignas(64) float min[kIntDotRows * kColumns] = {};
};

template <class Format>
void pack_strip(const Unit (&rows)[kColumns], std::size_t units, StripPanel<Format>& panel) {
  for (int v = 0; v < kColumnVectors; ++v) {
    UnitRows quads;
    for (int i = 0; i < kLanes32; ++i) quads[i / 4][i % 4] = rows[v * kLanes32 + i];
    for (std::size_t unit = 0; unit < units; ++unit) {
      pack_unit<Format>(quads, unit * kQuads * Format::kSteps, static_cast<std::size_t>(v * kLanes32), panel);
      for (auto& quad : quads)
        for (Unit& row : quad) row += Format::kUnitBytes;
    }
  }
}

template <class Format, int kRows>
__attribute__((noinline)) void strip_tile(const StripPanel<Format>& panel, int groups, const IntRows& x, int row,
                                          StripSums& sums, Fetcher& next) {
  multiply_tile<Format, kRows, false>(panel, groups, x, sums.acc + row * kColumns, next);
  if constexpr (Format::kMinima) tile_minima<kRows>(panel, groups, x, sums.min + row * kColumns);
}

// `groups` of the strip, `group` the first, for all rows of x.
template <class Format>
void strip_groups(const IntStripArgs& args, const StripPanel<Format>& panel, std::size_t group, int groups, StripSums& sums,
                  Fetcher& next) {
  const auto tile_groups = static_cast<std::size_t>(args.k / 32);
  for (int row = 0; row < args.rows; row += kTileRows) {
    const IntRows x = tile_at(args.x, static_cast<std::size_t>(row) * tile_groups + kTileRows * group);
    switch (args.rows - row) {
      case 1:
        strip_tile<Format, 1>(panel, groups, x, row, sums, next);
        break;
      case 2:
        strip_tile<Format, 2>(panel, groups, x, row, sums, next);
        break;
      case 3:
        strip_tile<Format, 3>(panel, groups, x, row, sums, next);
        break;
      default:
        strip_tile<Format, 4>(panel, groups, x, row, sums, next);
    }
  }
}

inline void finish_strip(const IntStripArgs& args, int first, const StripSums& sums) {
  const int columns = std::min(kColumns, args.n - first);
  for (int r = 0; r < args.rows; ++r) {
    float* y = args.y + static_cast<std::size_t>(r) * args.y_stride + first;
    for (int c = 0; c < columns; ++c) {
      float total = sums.acc[r * kColumns + c] - sums.min[r * kColumns + c];
      if (args.bias != nullptr) total = total + args.bias[first + c];
      y[c] = args.store == Store::kAdd ? y[c] + total : total;
    }
  }
}

// The weight rows from `first` on; those past the last repeat it.
template <class Format>
void strip(const IntStripArgs& args, int first) {
  const auto* weights = static_cast<const std::uint8_t*>(args.weights);
  Unit rows[kColumns];
  for (int i = 0; i < kColumns; ++i)
    rows[i] = weights + static_cast<std::size_t>(std::min(first + i, args.n - 1)) * args.row_bytes;
  // The bytes after the strip's in the order of their addresses: the next one, or what follows in the file.
  const std::uint8_t* ahead = rows[0] + kColumns * args.row_bytes;
  const int tiles = (args.rows + kTileRows - 1) / kTileRows;
  StripPanel<Format> panel;
  StripSums sums;
  std::size_t group = 0;
  for (std::size_t left = args.row_bytes / Format::kUnitBytes; left > 0;) {
    const std::size_t units = std::min(left, StripPanel<Format>::kUnits);
    const int groups = static_cast<int>(units * kQuads * Format::kSteps);
    const IntNext next{ahead, 0, 1, kColumns * static_cast<int>(units * Format::kUnitBytes)};
    Fetcher fetcher(next, tiles * groups * (Format::kHalves ? 2 : 1));
    pack_strip<Format>(rows, units, panel);
    strip_groups<Format>(args, panel, group, groups, sums, fetcher);
    ahead += kColumns * units * Format::kUnitBytes;
    for (Unit& row : rows) row += units * Format::kUnitBytes;
    group += units * kQuads * Format::kSteps;
    left -= units;
  }
  if (const std::size_t rest = args.row_bytes % Format::kUnitBytes; rest != 0) {  // only formats of small blocks have one
    std::uint8_t padded[kColumns][Format::kUnitBytes] = {};
    for (int i = 0; i < kColumns; ++i) {
      std::memcpy(padded[i], rows[i], rest);
      rows[i] = padded[i];
    }
    const IntNext nothing{nullptr, 0, 0, 0};
    Fetcher fetcher(nothing, 1);
    pack_strip<Format>(rows, 1, panel);
    strip_groups<Format>(args, panel, group, args.k / 32 - static_cast<int>(group), sums, fetcher);
  }
  finish_strip(args, first, sums);
}

template <class Format>
void strips(const IntStripArgs& args) {
  for (int first = 0; first < args.n; first += kColumns) strip<Format>(args, first);
}

void int_strips(const IntStripArgs& args) {
  switch (args.type) {
    case WeightType::kQ8_0:
      return strips<FormatQ8_0>(args);
    case WeightType::kQ4_0:
      return strips<FormatQ4_0>(args);
    case WeightType::kQ4_K:
      return strips<FormatQ4_K>(args);
    case WeightType::kQ5_K:
      return strips<FormatQ5_K>(args);
    case WeightType::kQ6_K:
      return strips<FormatQ6_K>(args);
    default:
      return;
  }
}

}  // namespace
}  // namespace areason::AREASON_ISA_NAMESPACE
