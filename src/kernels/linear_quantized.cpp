#include "kernels/linear_quantized.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "kernels/int_table.h"

namespace areason {
namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }

// Memory for quantised rows, in the order of one row or in tiles, depth after depth. Not cleared: what is read is written.
class IntBuffer {
 public:
  IntBuffer(int rows, int k) : rows_(rows), k_(k) {
    step_ = rows == 1 ? 1 : kIntTileRows;
    padded_rows_ = rows == 1 ? 1 : size((rows + kIntTileRows - 1) / kIntTileRows * kIntTileRows);
    groups_ = rows == 1 ? size((k + 127) / 128 * 4) : size(k / 32);
    const std::size_t cells = groups_ * padded_rows_;
    q_ = std::make_unique_for_overwrite<std::int8_t[]>(32 * cells);
    floats_ = std::make_unique_for_overwrite<float[]>(2 * cells);
    sums_ = std::make_unique_for_overwrite<std::int32_t[]>(3 * cells);
  }

  // The values of all rows from this depth on, and from a row on that is a tile's first.
  IntRows view(int depth, int row) const {
    const std::size_t cells = groups_ * padded_rows_, at = cell(depth, row);
    return {q_.get() + 32 * at, floats_.get() + at, floats_.get() + cells + at, sums_.get() + at, sums_.get() + cells + 2 * at};
  }

  void quantize_row(const IntTable& table, const LinearInput& in, int row) {
    const std::size_t cells = groups_ * padded_rows_;
    const float* x = in.x + size(row) * in.stride;
    for (int depth = 0; depth < k_; depth += kIntDepth) {
      const int k = rows_ == 1 ? k_ : std::min(kIntDepth, k_ - depth), lane = row % step_;
      const std::size_t at = cell(depth, row - lane) + size(lane);
      table.quantize({x + depth, k, rows_ == 1 ? static_cast<int>(groups_) : k / 32, step_,
                      q_.get() + 32 * (at - size(lane)) + 4 * lane, floats_.get() + at, floats_.get() + cells + at,
                      sums_.get() + at, sums_.get() + cells + 2 * at - size(lane)});
      if (rows_ == 1) return;
    }
  }

 private:
  // Groups of all rows before this depth, and of this depth before this row.
  std::size_t cell(int depth, int row) const {
    return size(depth / 32) * padded_rows_ + size(std::min(kIntDepth, k_ - depth) / 32) * size(row);
  }

  int rows_;
  int k_;
  int step_;
  std::size_t padded_rows_;
  std::size_t groups_;
  std::unique_ptr<std::int8_t[]> q_;
  std::unique_ptr<float[]> floats_;
  std::unique_ptr<std::int32_t[]> sums_;
};

// `columns` weight rows of one output from `column` on.
struct Piece {
  const LinearOutput* out;
  int column;
  int columns;
};

std::vector<Piece> split_columns(std::span<const LinearOutput> outputs, int width) {
  std::vector<Piece> pieces;
  for (const auto& out : outputs)
    for (int column = 0; column < out.n; column += width) pieces.push_back({&out, column, std::min(width, out.n - column)});
  return pieces;
}

const char* weights_at(const Piece& piece, int k) {
  return static_cast<const char*>(piece.out->weights) + row_bytes(piece.out->type, k) * size(piece.column);
}

void one_row(const KernelContext& context, const LinearInput& in, std::span<const LinearOutput> outputs, const IntRows& x) {
  constexpr int kUnit = 16;             // weight rows: a multiple of what a kernel takes at once
  constexpr std::size_t kWork = 65536;  // multiply-adds worth handing to another thread
  const auto pieces = split_columns(outputs, kUnit);
  context.pool.parallel_for(pieces.size(), 1 + kWork / (size(kUnit) * size(in.k)), [&](std::size_t begin, std::size_t end) {
    while (begin < end) {  // neighbouring pieces of one output are one call
      Piece piece = pieces[begin];
      for (++begin; begin < end && pieces[begin].out == piece.out; ++begin) piece.columns += pieces[begin].columns;
      const LinearOutput& out = *piece.out;
      context.table.integers->dot({out.type, weights_at(piece, in.k), row_bytes(out.type, in.k), piece.columns, in.k, x,
                                   out.bias == nullptr ? nullptr : out.bias + piece.column, out.y + piece.column, out.store});
    }
  });
}

struct RowRange {
  int first;
  int count;
};

void write_rows(const Piece& piece, RowRange rows, int nc, const float* acc, const float* min) {
  const LinearOutput& out = *piece.out;
  for (int r = 0; r < rows.count; ++r) {
    float* y = out.y + size(rows.first + r) * out.stride + size(piece.column);
    const std::size_t at = size(r) * size(nc);
    for (int c = 0; c < piece.columns; ++c) {
      float total = acc[at + size(c)] - min[at + size(c)];
      if (out.bias != nullptr) total += out.bias[piece.column + c];
      y[c] = out.store == Store::kAdd ? y[c] + total : total;
    }
  }
}

// What a thread needs for panels; kept over its tasks. Sums begin at cache lines, as the vectors that go over them do.
struct PanelScratch {
  struct alignas(64) Line {
    float value[16];
  };
  IntPanel panel;
  std::vector<Line> lines;
};

// One panel's columns for some rows, over the whole depth.
void panel_task(const IntTable& table, const LinearInput& in, const Piece& piece, RowRange rows, const IntBuffer& x,
                PanelScratch& scratch) {
  const std::size_t cells = size(rows.count) * size(table.nc), bytes = row_bytes(piece.out->type, in.k);
  const std::size_t lines = (cells + 15) / 16;
  scratch.lines.assign(2 * lines, {});
  float* acc = scratch.lines.data()->value;
  float* min = scratch.lines[lines].value;
  const char* weights = weights_at(piece, in.k);
  for (int depth = 0; depth < in.k; depth += kIntDepth) {
    const int k = std::min(kIntDepth, in.k - depth);
    const char* at = weights + row_bytes(piece.out->type, depth);
    const char* next = depth + k < in.k ? at + row_bytes(piece.out->type, k) : weights + bytes * size(table.nc);
    table.pack({piece.out->type, at, bytes, piece.columns, k, next, &scratch.panel});
    table.tile({piece.out->type, &scratch.panel, x.view(depth, rows.first), rows.count, k / 32, acc, min});
  }
  write_rows(piece, rows, table.nc, acc, min);
}

void many_rows(const KernelContext& context, const LinearInput& in, std::span<const LinearOutput> outputs, const IntBuffer& x) {
  const IntTable& table = *context.table.integers;
  const auto pieces = split_columns(outputs, table.nc);
  // Rows are shared out only where columns do not make enough tasks: every task packs its own panels.
  const int wanted = (3 * context.pool.size() + static_cast<int>(pieces.size()) - 1) / static_cast<int>(pieces.size());
  const int blocks = std::clamp(in.rows / 64, 1, wanted);
  const int step = ((in.rows + blocks - 1) / blocks + kIntTileRows - 1) / kIntTileRows * kIntTileRows;
  const std::size_t row_blocks = size((in.rows + step - 1) / step);
  context.pool.parallel_for(pieces.size() * row_blocks, 1, [&](std::size_t begin, std::size_t end) {
    const auto scratch = std::make_unique_for_overwrite<PanelScratch>();
    for (; begin < end; ++begin) {
      const int row = static_cast<int>(begin % row_blocks) * step;
      panel_task(table, in, pieces[begin / row_blocks], {row, std::min(step, in.rows - row)}, x, *scratch);
    }
  });
}

}  // namespace

void linear_quantized(const KernelContext& context, const LinearInput& input, std::span<const LinearOutput> outputs) {
  for (const auto& out : outputs) row_bytes(out.type, input.k);  // throws on a length that the format cannot have
  IntBuffer buffer(input.rows, input.k);
  context.pool.parallel_for(size(input.rows), 1 + 16384 / size(input.k), [&](std::size_t begin, std::size_t end) {
    for (; begin < end; ++begin) buffer.quantize_row(*context.table.integers, input, static_cast<int>(begin));
  });
  if (input.rows == 1)
    one_row(context, input, outputs, buffer.view(0, 0));
  else
    many_rows(context, input, outputs, buffer);
}

}  // namespace areason
