// The kernels compiled for portable; the flags are set for this file in CMakeLists.txt.
#define AREASON_ISA_NAMESPACE isa_portable
#include "kernels/int_table.h"
#include "kernels/simd_matmul.h"
#include "kernels/simd_rows.h"

namespace areason {

const KernelTable* kernel_table_portable() {
  using namespace isa_portable;
  static const KernelTable table = {
      Isa::kPortable, int_table_portable(), nullptr,  kMr,         kNr,       &pack, &pack_a,        &tile,
      &dot,           &weighted_sum,        &softmax, &layer_norm, &rms_norm, &gelu, &silu_multiply, &rope};
  return &table;
}

}  // namespace areason
