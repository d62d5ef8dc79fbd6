// Paged attention compiled for avx512; the flags are set for this file in CMakeLists.txt.
#include "kernels/paged_table.h"

#if defined(__AVX512F__) && defined(__AVX512BW__) && defined(__AVX512VL__) && defined(__AVX512DQ__)
#define AREASON_ISA_NAMESPACE paged_avx512
#include "kernels/simd_paged.h"

namespace areason {

const PagedTable* paged_table_avx512() {
  static const PagedTable table = {&paged_avx512::page, &paged_avx512::store_rows};
  return &table;
}

}  // namespace areason
#else
namespace areason {
const PagedTable* paged_table_avx512() { return nullptr; }
}  // namespace areason
#endif
