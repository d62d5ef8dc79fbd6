#include "kernels/panels.h"

#include <algorithm>

namespace areason {

// A panel stays in the first-level cache for all rows packed together, which come from the second-level cache: they are fewer
// bytes for a tile than a panel is.
void multiply_panels(const KernelTable& table, const RowsIn& in, const PanelsIn& panels, const RowsOut& out) {
  constexpr int kRows = 96;  // together: a multiple of every table's mr
  alignas(64) float packed[kRows * kPanelDepth];
  const auto k = static_cast<std::size_t>(in.k);
  for (int first = 0; first < in.rows; first += kRows) {
    const int rows = std::min(kRows, in.rows - first);
    const auto packed_at = [&](int row) { return packed + static_cast<std::size_t>(row) * k; };
    for (int row = 0; row < rows; row += table.mr)
      table.pack_a({in.a + static_cast<std::size_t>(first + row) * in.stride, in.stride, std::min(table.mr, rows - row), in.k,
                    packed_at(row)});
    for (int n = 0; n < panels.n; n += table.nr)
      for (int row = 0; row < rows; row += table.mr)
        table.tile({packed_at(row), panels.panels + static_cast<std::size_t>(n) * k,
                    panels.bias == nullptr ? nullptr : panels.bias + n,
                    out.c + static_cast<std::size_t>(first + row) * out.stride + n, out.stride, std::min(table.mr, rows - row),
                    std::min(table.nr, panels.n - n), in.k, out.store});
  }
}

}  // namespace areason
