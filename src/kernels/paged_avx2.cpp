// Paged attention compiled for avx2; the flags are set for this file in CMakeLists.txt.
#include "kernels/paged_table.h"

#if defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#define AREASON_ISA_NAMESPACE paged_avx2
#include "kernels/simd_paged.h"

namespace areason {

const PagedTable* paged_table_avx2() {
  static const PagedTable table = {&paged_avx2::page, &paged_avx2::store_rows};
  return &table;
}

}  // namespace areason
#else
namespace areason {
const PagedTable* paged_table_avx2() { return nullptr; }
}  // namespace areason
#endif
