#include "kernels/panels.h"

#include <algorithm>

namespace areason {

void multiply_panels(const KernelTable& table, const RowsIn& in, const PanelsIn& panels, const RowsOut& out) {
  alignas(64) float packed[kMaxMr * kPanelDepth];
  for (int row = 0; row < in.rows; row += table.mr) {
    const int m = std::min(table.mr, in.rows - row);
    table.pack_a({in.a + static_cast<std::size_t>(row) * in.stride, in.stride, m, in.k, packed});
    float* c = out.c + static_cast<std::size_t>(row) * out.stride;
    for (int n = 0; n < panels.n; n += table.nr)
      table.tile({packed, panels.panels + static_cast<std::size_t>(n) * static_cast<std::size_t>(in.k),
                  panels.bias == nullptr ? nullptr : panels.bias + n, c + n, out.stride, m, std::min(table.nr, panels.n - n),
                  in.k, out.store});
  }
}

}  // namespace areason
