#include "kernels/linear.h"

#include <algorithm>
#include <vector>

#include "kernels/linear_quantized.h"
#include "kernels/panels.h"

namespace areason {
namespace {

// Weight rows [row, …) from column `depth` on.
const char* weights_at(const LinearOutput& out, int row, int k, int depth = 0) {
  return static_cast<const char*>(out.weights) + row_bytes(out.type, k) * static_cast<std::size_t>(row) +
         row_bytes(out.type, depth);
}

// Pieces of work over all outputs: piece i of an output covers [i * size, …) of its n columns (times blocks of rows).
struct Piece {
  const LinearOutput* out;
  int column;
  int columns;
};

std::vector<Piece> split_columns(std::span<const LinearOutput> outputs, int size) {
  std::vector<Piece> pieces;
  for (const auto& out : outputs)
    for (int column = 0; column < out.n; column += size) pieces.push_back({&out, column, std::min(size, out.n - column)});
  return pieces;
}

void streamed(const KernelContext& context, const LinearInput& in, std::span<const LinearOutput> outputs) {
  constexpr int kUnit = 8;              // weight rows that the kernel takes at once
  constexpr std::size_t kWork = 65536;  // multiply-adds worth handing to another thread
  const auto pieces = split_columns(outputs, kUnit);
  const std::size_t per_piece =
      static_cast<std::size_t>(kUnit) * static_cast<std::size_t>(in.k) * static_cast<std::size_t>(in.rows);
  context.pool.parallel_for(
      pieces.size(), 1 + kWork / std::max<std::size_t>(1, per_piece), [&](std::size_t begin, std::size_t end) {
        while (begin < end) {  // neighbouring pieces of one output are one call
          const Piece& first = pieces[begin];
          int columns = 0;
          for (; begin < end && pieces[begin].out == first.out; ++begin) columns += pieces[begin].columns;
          const LinearOutput& out = *first.out;
          context.table.dot({in.x, in.stride, weights_at(out, first.column, in.k), out.type, static_cast<std::size_t>(in.k),
                             out.bias == nullptr ? nullptr : out.bias + first.column, out.y + first.column, out.stride, in.rows,
                             columns, in.k, out.store});
        }
      });
}

struct Rows {
  int first;
  int count;
};

// One group of panels times some rows.
void packed_group(const KernelTable& table, const LinearInput& in, const Piece& piece, Rows rows) {
  alignas(64) float panels[kPanelDepth * kGroupColumns];
  const LinearOutput& out = *piece.out;
  for (int depth = 0; depth < in.k; depth += kPanelDepth) {
    const int k = std::min(kPanelDepth, in.k - depth);
    for (int c = 0; c < piece.columns; c += table.nr)
      table.pack({weights_at(out, piece.column + c, in.k, depth), out.type, static_cast<std::size_t>(in.k),
                  std::min(table.nr, piece.columns - c), k,
                  panels + static_cast<std::size_t>(c) * static_cast<std::size_t>(k)});
    const bool first = depth == 0;
    multiply_panels(table, {in.x + static_cast<std::size_t>(rows.first) * in.stride + depth, in.stride, rows.count, k},
                    {panels, piece.columns, first && out.bias != nullptr ? out.bias + piece.column : nullptr},
                    {out.y + static_cast<std::size_t>(rows.first) * out.stride + piece.column, out.stride,
                     first ? out.store : Store::kAdd});
  }
}

void packed(const KernelContext& context, const LinearInput& in, std::span<const LinearOutput> outputs) {
  const auto pieces = split_columns(outputs, kGroupColumns);
  // Enough tasks for all threads, but every task's rows must pay for packing its panels.
  const int wanted = (3 * context.pool.size() + static_cast<int>(pieces.size()) - 1) / static_cast<int>(pieces.size());
  const int blocks = std::clamp(in.rows / (8 * context.table.mr), 1, wanted);
  const int step = (in.rows + blocks - 1) / blocks;
  const int row_step = (step + context.table.mr - 1) / context.table.mr * context.table.mr;
  const int row_blocks = (in.rows + row_step - 1) / row_step;
  context.pool.parallel_for(pieces.size() * static_cast<std::size_t>(row_blocks), 1, [&](std::size_t begin, std::size_t end) {
    for (; begin < end; ++begin) {
      const int row = static_cast<int>(begin % static_cast<std::size_t>(row_blocks)) * row_step;
      packed_group(context.table, in, pieces[begin / static_cast<std::size_t>(row_blocks)],
                   {row, std::min(row_step, in.rows - row)});
    }
  });
}

void linear_floats(const KernelContext& context, const LinearInput& input, std::span<const LinearOutput> outputs) {
  const bool rounded = input.activations == Activations::kBF16 && context.table.bf16 != nullptr && input.k % 32 == 0;
  if (input.rows > kStreamedRows && rounded) return linear_bf16(context, input, outputs);
  if (input.rows <= kStreamedRows)
    streamed(context, input, outputs);
  else
    packed(context, input, outputs);
}

}  // namespace

void linear(const KernelContext& context, const LinearInput& input, std::span<const LinearOutput> outputs) {
  if (input.rows <= 0 || outputs.empty()) return;
  const auto integers = static_cast<std::size_t>(
      std::count_if(outputs.begin(), outputs.end(), [](const LinearOutput& out) { return is_quantized(out.type); }));
  if (integers == 0) return linear_floats(context, input, outputs);
  if (integers == outputs.size()) return linear_quantized(context, input, outputs);
  std::vector<LinearOutput> sorted(outputs.begin(), outputs.end());
  std::stable_partition(sorted.begin(), sorted.end(), [](const LinearOutput& out) { return is_quantized(out.type); });
  linear_quantized(context, input, std::span(sorted).first(integers));
  linear_floats(context, input, std::span(sorted).subspan(integers));
}

}  // namespace areason
