// The integer kernels in plain C++: what any machine can run, and the meaning of the others (int_table.h).
#define AREASON_ISA_NAMESPACE isa_int_portable
#include <algorithm>
#include <cmath>

#include "kernels/int_table.h"
#include "kernels/kernel_table.h"
#include "kernels/quant_blocks.h"
#include "kernels/simd_int_quantize.h"

namespace areason {
namespace isa_int_portable {
namespace {

constexpr int kColumns = 8;
constexpr int kDepth = 512;

// One group of 32 weights.
struct Group {
  std::int8_t w[32];  // the format's offset subtracted
  float scale[2];     // of 16 weights each
  float min = 0;
};

template <typename Block>
const Block& block_of(const void* row, int group) {
  return static_cast<const Block*>(row)[group * 32 / (sizeof(Block) > 100 ? kSuperBlock : kSmallBlock)];
}

template <typename Block>
void read_scales(const Block& block, int group, Group& out) {
  const GroupScale scale = group_scale(block.scales, group % 8);
  out.scale[0] = out.scale[1] = f16_scalar(block.d) * static_cast<float>(scale.scale);
  out.min = f16_scalar(block.dmin) * static_cast<float>(scale.min);
  const int shift = group % 2 == 0 ? 0 : 4;
  for (int l = 0; l < 32; ++l) out.w[l] = static_cast<std::int8_t>((block.q[group % 8 / 2 * 32 + l] >> shift) & 15);
}

void read(const BlockQ8_0& block, int, Group& out) {
  out.scale[0] = out.scale[1] = f16_scalar(block.d);
  std::memcpy(out.w, block.q, sizeof out.w);
}
void read(const BlockQ4_0& block, int, Group& out) {
  out.scale[0] = out.scale[1] = f16_scalar(block.d);
  for (int l = 0; l < 16; ++l) {
    out.w[l] = static_cast<std::int8_t>((block.q[l] & 15) - 8);
    out.w[l + 16] = static_cast<std::int8_t>((block.q[l] >> 4) - 8);
  }
}
void read(const BlockQ4_K& block, int group, Group& out) { read_scales(block, group, out); }
void read(const BlockQ5_K& block, int group, Group& out) {
  read_scales(block, group, out);
  for (int l = 0; l < 32; ++l) out.w[l] = static_cast<std::int8_t>(out.w[l] + 16 * ((block.high[l] >> (group % 8)) & 1));
}
void read(const BlockQ6_K& block, int group, Group& out) {
  const int half = group % 8 / 4, quarter = group % 4;
  for (int l = 0; l < 32; ++l) {
    const int low = block.low[half * 64 + quarter % 2 * 32 + l] >> (quarter < 2 ? 0 : 4);
    const int high = block.high[half * 32 + l] >> (2 * quarter);
    out.w[l] = static_cast<std::int8_t>(((low & 15) | ((high & 3) << 4)) - 32);
  }
  for (int i = 0; i < 2; ++i) out.scale[i] = f16_scalar(block.d) * static_cast<float>(block.scales[2 * (group % 8) + i]);
}

void read_group(WeightType type, const void* row, int group, Group& out) {
  switch (type) {
    case WeightType::kQ8_0:
      return read(block_of<BlockQ8_0>(row, group), group, out);
    case WeightType::kQ4_0:
      return read(block_of<BlockQ4_0>(row, group), group, out);
    case WeightType::kQ4_K:
      return read(block_of<BlockQ4_K>(row, group), group, out);
    case WeightType::kQ5_K:
      return read(block_of<BlockQ5_K>(row, group), group, out);
    default:
      return read(block_of<BlockQ6_K>(row, group), group, out);
  }
}

int multiply(const std::int8_t* w, const std::int8_t* q, int n) {
  int sum = 0;
  for (int i = 0; i < n; ++i) sum += w[i] * q[i];
  return sum;
}

struct Sums {
  float acc = 0;
  float min = 0;
};

// Adds a group to one output's sums; `x` begins at the group.
inline void add_group(WeightType type, const Group& group, const IntRows& x, Sums& sums) {
  if (type == WeightType::kQ6_K) {
    for (int i = 0; i < 2; ++i)
      sums.acc = std::fma(static_cast<float>(multiply(group.w + 16 * i, x.q + 16 * i, 16)), group.scale[i] * *x.d, sums.acc);
    return;
  }
  sums.acc = std::fma(static_cast<float>(multiply(group.w, x.q, 32)), group.scale[0] * *x.d, sums.acc);
  if (type == WeightType::kQ4_K || type == WeightType::kQ5_K) sums.min = std::fma(group.min, *x.ds, sums.min);
}

void int_dot(const IntDotArgs& args) {
  for (int n = 0; n < args.n; ++n) {
    const auto* row = static_cast<const std::uint8_t*>(args.weights) + static_cast<std::size_t>(n) * args.row_bytes;
    Sums sums[kIntDotRows];
    for (int g = 0; g < args.k / 32; ++g) {
      Group group;
      read_group(args.type, row, g, group);
      for (int r = 0; r < args.rows; ++r) {
        const IntRows& x = args.x[r];
        add_group(args.type, group, {x.q + 32 * g, x.d + g, x.ds + g, nullptr, nullptr, nullptr}, sums[r]);
      }
    }
    for (int r = 0; r < args.rows; ++r) {
      float total = sums[r].acc - sums[r].min;
      if (args.bias != nullptr) total += args.bias[n];
      float& y = args.y[static_cast<std::size_t>(r) * args.y_stride + static_cast<std::size_t>(n)];
      y = args.store == Store::kAdd ? y + total : total;
    }
  }
}

// The panel holds the groups as they are read.
void int_pack(const IntPackArgs& args) {
  static_assert(sizeof(Group) * kColumns * kDepth / 32 <= sizeof(IntPanel::w));
  for (int g = 0; g < args.k / 32; ++g) {
    for (int c = 0; c < kColumns; ++c) {
      const auto* row = static_cast<const std::uint8_t*>(args.weights) +
                        static_cast<std::size_t>(c < args.rows ? c : args.rows - 1) * args.row_bytes;
      Group group;
      read_group(args.type, row, g, group);
      std::memcpy(args.panel->w + static_cast<std::size_t>(g * kColumns + c) * sizeof(Group), &group, sizeof group);
    }
  }
}

void int_tile(const IntTileArgs& args) {
  const bool minima = args.type == WeightType::kQ4_K || args.type == WeightType::kQ5_K;
  if (args.store == Store::kReplace) {
    std::fill_n(args.acc, args.rows * kColumns, 0.0f);
    if (minima) std::fill_n(args.min, args.rows * kColumns, 0.0f);
  }
  for (int r = 0; r < args.rows; ++r) {
    const auto tile = static_cast<std::size_t>(r / kIntTileRows * args.groups * kIntTileRows),
               lane = static_cast<std::size_t>(r % kIntTileRows);
    for (int g = 0; g < args.groups; ++g) {
      const std::size_t at = tile + static_cast<std::size_t>(g) * kIntTileRows + lane;
      std::int8_t q[32];
      for (std::size_t i = 0; i < 8; ++i)
        std::memcpy(q + 4 * i, args.x.q + 32 * (at - lane) + 4 * (kIntTileRows * i + lane), 4);
      for (int c = 0; c < kColumns; ++c) {
        Group group;
        std::memcpy(&group, args.panel->w + static_cast<std::size_t>(g * kColumns + c) * sizeof(Group), sizeof group);
        const int out = r * kColumns + c;
        Sums sums{args.acc[out], minima ? args.min[out] : 0.0f};
        add_group(args.type, group, {q, args.x.d + at, args.x.ds + at, nullptr, nullptr, nullptr}, sums);
        args.acc[out] = sums.acc;
        if (minima) args.min[out] = sums.min;
      }
    }
  }
}

}  // namespace
}  // namespace isa_int_portable

const IntTable* int_table_portable() {
  using namespace isa_int_portable;
  static const IntTable table = {kColumns, kDepth, kIntTileRows, 1, &int_quantize, &int_dot, nullptr, &int_pack, &int_tile};
  return &table;
}

}  // namespace areason
