// The integer kernels compiled for avx2; the flags are set for this file in CMakeLists.txt.
#include "kernels/int_table.h"

#if defined(__AVX2__) && defined(__F16C__)
#define AREASON_ISA_NAMESPACE isa_int_avx2
#include "kernels/simd_int_dot.h"
#include "kernels/simd_int_quantize.h"
#include "kernels/simd_int_strips.h"

namespace areason {

const IntTable* int_table_avx2() {
  using namespace isa_int_avx2;
  static const IntTable table = {kColumns, kDepth, kTileRows, 1, &int_quantize, &int_dot, &int_strips, &int_pack, &int_tile};
  return &table;
}

}  // namespace areason
#else
namespace areason {
const IntTable* int_table_avx2() { return nullptr; }
}  // namespace areason
#endif
