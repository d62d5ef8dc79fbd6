// The integer kernels compiled for avxvnni; the flags are set for this file in CMakeLists.txt.
#include "kernels/int_table.h"

#if defined(__AVX2__) && defined(__F16C__) && defined(__AVXVNNI__)
#define AREASON_ISA_NAMESPACE isa_int_avxvnni
#include "kernels/simd_int_dot.h"
#include "kernels/simd_int_quantize.h"
#include "kernels/simd_int_tile.h"

namespace areason {

const IntTable* int_table_avxvnni() {
  using namespace isa_int_avxvnni;
  static const IntTable table = {kColumns, kDepth, kTileRows, 1, &int_quantize, &int_dot, nullptr, &int_pack, &int_tile};
  return &table;
}

}  // namespace areason
#else
namespace areason {
const IntTable* int_table_avxvnni() { return nullptr; }
}  // namespace areason
#endif
