#include "kernels/weight_type.h"

#include <string>

#include "base/error.h"
#include "kernels/quant_blocks.h"

namespace areason {
namespace {

struct Format {
  const char* name;
  int block;
  std::size_t bytes;
  std::size_t alignment;
};

const Format& format(WeightType type) {
  static constexpr Format kFormats[] = {
      {"F32", 1, 4, 4},
      {"BF16", 1, 2, 2},
      {"F16", 1, 2, 2},
      {"Q8_0", kSmallBlock, sizeof(BlockQ8_0), 2},
      {"Q4_0", kSmallBlock, sizeof(BlockQ4_0), 2},
      {"Q4_K", kSuperBlock, sizeof(BlockQ4_K), 2},
      {"Q5_K", kSuperBlock, sizeof(BlockQ5_K), 2},
      {"Q6_K", kSuperBlock, sizeof(BlockQ6_K), 2},
  };
  return kFormats[static_cast<std::size_t>(type)];
}

}  // namespace

const char* weight_type_name(WeightType type) { return format(type).name; }
int block_size(WeightType type) { return format(type).block; }
std::size_t block_bytes(WeightType type) { return format(type).bytes; }
std::size_t weight_alignment(WeightType type) { return format(type).alignment; }

std::size_t row_bytes(WeightType type, int k) {
  const Format& f = format(type);
  if (k < 0 || k % f.block != 0)
    throw Error(ErrorCode::kModel, "a row of " + std::to_string(k) + " weights cannot be " + f.name,
                "rows of this format have a multiple of " + std::to_string(f.block) + " weights");
  return static_cast<std::size_t>(k / f.block) * f.bytes;
}

}  // namespace areason
