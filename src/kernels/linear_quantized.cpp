#include "kernels/linear_quantized.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "kernels/int_table.h"

namespace areason {
namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }

// Memory for quantised rows. Not cleared: every element is written by the quantiser.
class IntBuffer {
 public:
  IntBuffer(int rows, int k) {
    view_.groups = size((k + 127) / 128 * 4);
    view_.stride = view_.groups * 32 + 64;  // rows of a power of two would share the cache's sets
    const std::size_t groups = view_.groups * size(rows);
    q_ = std::make_unique_for_overwrite<std::int8_t[]>(view_.stride * size(rows));
    floats_ = std::make_unique_for_overwrite<float[]>(2 * groups);
    sums_ = std::make_unique_for_overwrite<std::int32_t[]>(3 * groups);
    view_.q = q_.get();
    view_.d = floats_.get();
    view_.ds = floats_.get() + groups;
    view_.minus_sum = sums_.get();
    view_.minus_halves = sums_.get() + groups;
  }
  const IntRows& view() const { return view_; }

  void quantize_row(const IntTable& table, const LinearInput& in, std::size_t row) {
    const std::size_t at = row * view_.groups, groups = size(in.rows) * view_.groups;
    table.quantize({in.x + row * in.stride, in.k, static_cast<int>(view_.groups), q_.get() + row * view_.stride,
                    floats_.get() + at, floats_.get() + groups + at, sums_.get() + at, sums_.get() + groups + 2 * at});
  }

 private:
  IntRows view_;
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

// One panel's columns for some rows, over the whole depth.
void panel_task(const IntTable& table, const LinearInput& in, const Piece& piece, RowRange rows, const IntRows& x) {
  const std::size_t cells = size(rows.count) * size(table.nc);
  std::vector<float> sums(2 * cells, 0.0f);
  const auto panel = std::make_unique_for_overwrite<IntPanel>();
  const std::size_t bytes = row_bytes(piece.out->type, in.k);
  for (int depth = 0; depth < in.k; depth += kIntDepth) {
    const int k = std::min(kIntDepth, in.k - depth);
    table.pack(
        {piece.out->type, weights_at(piece, in.k) + row_bytes(piece.out->type, depth), bytes, piece.columns, k, panel.get()});
    const std::size_t first = size(rows.first), group = size(depth / 32), at = first * x.groups + group;
    const IntRows part{x.q + first * x.stride + size(depth),
                       x.d + at,
                       x.ds + at,
                       x.minus_sum + at,
                       x.minus_halves + 2 * at,
                       x.stride,
                       x.groups};
    table.tile({piece.out->type, panel.get(), part, rows.count, k / 32, sums.data(), sums.data() + cells});
  }
  write_rows(piece, rows, table.nc, sums.data(), sums.data() + cells);
}

void many_rows(const KernelContext& context, const LinearInput& in, std::span<const LinearOutput> outputs, const IntRows& x) {
  const IntTable& table = *context.table.integers;
  const auto pieces = split_columns(outputs, table.nc);
  // Rows are shared out only where columns do not make enough tasks: every task packs its own panels.
  const int wanted = (3 * context.pool.size() + static_cast<int>(pieces.size()) - 1) / static_cast<int>(pieces.size());
  const int blocks = std::clamp(in.rows / 64, 1, wanted);
  const int step = ((in.rows + blocks - 1) / blocks + 7) / 8 * 8;
  const std::size_t row_blocks = size((in.rows + step - 1) / step);
  context.pool.parallel_for(pieces.size() * row_blocks, 1, [&](std::size_t begin, std::size_t end) {
    for (; begin < end; ++begin) {
      const int row = static_cast<int>(begin % row_blocks) * step;
      panel_task(table, in, pieces[begin / row_blocks], {row, std::min(step, in.rows - row)}, x);
    }
  });
}

}  // namespace

void linear_quantized(const KernelContext& context, const LinearInput& input, std::span<const LinearOutput> outputs) {
  for (const auto& out : outputs) row_bytes(out.type, input.k);  // throws on a length that the format cannot have
  IntBuffer buffer(input.rows, input.k);
  context.pool.parallel_for(size(input.rows), 1 + 16384 / size(input.k), [&](std::size_t begin, std::size_t end) {
    for (; begin < end; ++begin) buffer.quantize_row(*context.table.integers, input, begin);
  });
  if (input.rows == 1)
    one_row(context, input, outputs, buffer.view());
  else
    many_rows(context, input, outputs, buffer.view());
}

}  // namespace areason
