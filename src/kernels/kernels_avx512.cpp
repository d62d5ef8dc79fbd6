// The kernels compiled for avx512; the flags are set for this file in CMakeLists.txt.
#include "kernels/int_table.h"
#include "kernels/kernel_table.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#define AREASON_ISA_NAMESPACE isa_avx512
#include "kernels/simd_matmul.h"
#include "kernels/simd_rows.h"

namespace areason {

const KernelTable* kernel_table_avx512() {
  using namespace isa_avx512;
  static const KernelTable table = {
      Isa::kAvx512, int_table_avx2(), nullptr,  kMr,         kNr,       &pack, &pack_a,        &tile,
      &dot,         &weighted_sum,    &softmax, &layer_norm, &rms_norm, &gelu, &silu_multiply, &rope};
  return &table;
}

}  // namespace areason
#else
namespace areason {
const KernelTable* kernel_table_avx512() { return nullptr; }
}  // namespace areason
#endif
