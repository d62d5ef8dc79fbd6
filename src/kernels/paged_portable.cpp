// Paged attention compiled for portable; the flags are set for this file in CMakeLists.txt.
#define AREASON_ISA_NAMESPACE paged_portable
#include "kernels/simd_paged.h"

namespace areason {

const PagedTable* paged_table_portable() {
  static const PagedTable table = {&paged_portable::page, &paged_portable::store_rows};
  return &table;
}

}  // namespace areason
