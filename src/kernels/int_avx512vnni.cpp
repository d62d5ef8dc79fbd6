// The integer kernels compiled for avx512vnni; the flags are set for this file in CMakeLists.txt.
#include "kernels/int_table.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__) && defined(__AVX512VNNI__)
#define AREASON_ISA_NAMESPACE isa_int_avx512vnni
#include "kernels/simd_int_dot.h"
#include "kernels/simd_int_quantize.h"
#include "kernels/simd_int_tile.h"

namespace areason {

const IntTable* int_table_avx512vnni() {
  using namespace isa_int_avx512vnni;
  static const IntTable table = {kColumns, kDepth, kTileRows, 1, &int_quantize, &int_dot, nullptr, &int_pack, &int_tile};
  return &table;
}

}  // namespace areason
#else
namespace areason {
const IntTable* int_table_avx512vnni() { return nullptr; }
}  // namespace areason
#endif
