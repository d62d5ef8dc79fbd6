#include "kernels/linear_quantized.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "kernels/int_table.h"

namespace areason {
namespace {

std::size_t size(int n) { return static_cast<std::size_t>(n); }

enum class RowOrder {
  kApart,       // each by itself
  kTiles,       // in tiles, of all of k
  kDepthTiles,  // in tiles, depth after depth
};

// Memory for packed rows of x. Not cleared: what is read is written.
class RowBuffer {
 public:
  RowBuffer(const IntTable& table, RowOrder order, RowScales scales, const LinearInput& in)
      : table_(table),
        scales_(scales),
        apart_(order == RowOrder::kApart),
        k_(in.k),
        depth_(order == RowOrder::kDepthTiles ? table.depth : in.k),
        step_(apart_ ? 1 : table.tile_rows) {
    padded_rows_ = size((in.rows + step_ - 1) / step_ * step_);
    groups_ = apart_ ? size((in.k + 127) / 128 * 4) : size(in.k / 32);
    group_bytes_ = size(32 * table.value_bytes);
    const std::size_t cells = groups_ * padded_rows_;
    q_ = std::make_unique_for_overwrite<std::int8_t[]>(group_bytes_ * cells);
    if (table.dot == nullptr) return;
    floats_ = std::make_unique_for_overwrite<float[]>(2 * cells);
    sums_ = std::make_unique_for_overwrite<std::int32_t[]>(3 * cells);
  }

  // The values of all rows from this depth on, and from a row on that is a tile's first.
  IntRows view(int depth, int row) const {
    const std::size_t cells = groups_ * padded_rows_, at = cell(depth, row);
    return {q_.get() + group_bytes_ * at, floats_.get() + at,      floats_.get() + cells + at, sums_.get() + at,
            sums_.get() + cells + 2 * at, sums_.get() + cells + at};
  }

  void pack(const LinearInput& in, int row) {
    const std::size_t cells = groups_ * padded_rows_;
    const int lane = row % step_;
    for (int depth = 0; depth < k_; depth += depth_) {
      const int k = std::min(depth_, k_ - depth);
      const std::size_t tile = cell(depth, row - lane), at = tile + size(lane);
      table_.quantize({in.x + size(row) * in.stride + depth, k, apart_ ? static_cast<int>(groups_) : k / 32, step_, scales_,
                       q_.get() + group_bytes_ * tile + 4 * lane, floats_.get() + at, floats_.get() + cells + at,
                       sums_.get() + at, sums_.get() + cells + 2 * tile + lane, sums_.get() + cells + at});
    }
  }

 private:
  // Groups of all rows before this depth, and of this depth before this row.
  std::size_t cell(int depth, int row) const {
    if (apart_) return groups_ * size(row);
    return size(depth / 32) * padded_rows_ + size(std::min(depth_, k_ - depth) / 32) * size(row);
  }

  const IntTable& table_;
  RowScales scales_;
  bool apart_;
  int k_;
  int depth_;
  int step_;
  std::size_t padded_rows_;
  std::size_t groups_;
  std::size_t group_bytes_;
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

const char* weights_at(const Piece& piece, int k) {
  return static_cast<const char*>(piece.out->weights) + row_bytes(piece.out->type, k) * size(piece.column);
}

void pack_rows(const KernelContext& context, const LinearInput& in, RowBuffer& x) {
  context.pool.parallel_for(size(in.rows), 1 + 16384 / size(in.k), [&](std::size_t begin, std::size_t end) {
    for (; begin < end; ++begin) x.pack(in, static_cast<int>(begin));
  });
}

// Units `begin` to `end`, of `unit` weight rows each, that belong to one output and are one call; those of an output follow
// those of the one before it.
template <typename Call>
void each_output(std::span<const LinearOutput> outputs, std::size_t unit, std::size_t begin, std::size_t end,
                 const Call& call) {
  std::size_t first = 0;  // unit of the output
  for (const LinearOutput& out : outputs) {
    const std::size_t units = (size(out.n) + unit - 1) / unit, from = std::max(begin, first), to = std::min(end, first + units);
    if (from < to) {
      const std::size_t column = (from - first) * unit;
      call(Piece{&out, static_cast<int>(column), static_cast<int>(std::min((to - first) * unit, size(out.n)) - column)});
    }
    first += units;
  }
}

void few_rows(const KernelContext& context, const LinearInput& in, std::span<const LinearOutput> outputs) {
  constexpr std::size_t kWork = 65536;             // multiply-adds worth handing to another thread
  const std::size_t unit = in.rows == 1 ? 8 : 16;  // weight rows: a multiple of what a kernel takes at once
  const IntTable& table = *context.table.integers;
  const bool strips = in.rows >= kIntStripRows && table.strips != nullptr;
  RowBuffer x(table, strips ? RowOrder::kTiles : RowOrder::kApart, row_scales(outputs.front().type), in);
  pack_rows(context, in, x);
  IntRows rows[kIntDotRows];
  for (int r = 0; r < (strips ? 1 : in.rows); ++r) rows[r] = x.view(0, r);
  std::size_t units = 0;
  for (const LinearOutput& out : outputs) units += (size(out.n) + unit - 1) / unit;
  context.pool.parallel_stretches(units, 1 + kWork / (unit * size(in.k)), [&](std::size_t begin, std::size_t end) {
    each_output(outputs, unit, begin, end, [&](const Piece& piece) {
      const LinearOutput& out = *piece.out;
      if (strips) {
        table.strips({out.type, weights_at(piece, in.k), row_bytes(out.type, in.k), piece.columns, in.k, rows[0], in.rows,
                      out.bias == nullptr ? nullptr : out.bias + piece.column, out.y + piece.column, out.stride, out.store});
        return;
      }
      table.dot({out.type, weights_at(piece, in.k), row_bytes(out.type, in.k), piece.columns, in.k, rows, in.rows,
                 out.bias == nullptr ? nullptr : out.bias + piece.column, out.y + piece.column, out.stride, out.store});
    });
  });
}

struct RowRange {
  int first;
  int count;
};

struct Sums {
  const float* acc;
  const float* min;  // null where the format has no minima
};

// y[i] = acc - min (+ bias) (+ y); loops without branches, which the compiler makes vectors of.
void write_row(const Sums& sums, const float* bias, Store store, std::span<float> y) {
  if (sums.min == nullptr && bias == nullptr && store == Store::kReplace) {
    std::memcpy(y.data(), sums.acc, y.size_bytes());
    return;
  }
  float total[kIntColumns];
  const std::size_t n = y.size();
  if (sums.min != nullptr)
    for (std::size_t i = 0; i < n; ++i) total[i] = sums.acc[i] - sums.min[i];
  else
    std::copy_n(sums.acc, n, total);
  if (bias != nullptr)
    for (std::size_t i = 0; i < n; ++i) total[i] += bias[i];
  if (store == Store::kAdd)
    for (std::size_t i = 0; i < n; ++i) total[i] = y[i] + total[i];
  std::copy_n(total, n, y.data());
}

constexpr int kTaskPanels = 4;  // of a task, so that a depth of x is used as often while it is in the second-level cache
constexpr int kShareRows = 64;  // from which on that pays
constexpr int kTaskRows = 384;  // at most, so that it stays there beside the sums

// What a thread needs for panels; kept over its tasks. Sums begin at cache lines, as the vectors that go over them do.
struct PanelScratch {
  struct alignas(64) Line {
    float value[16];
  };
  IntPanel panel;
  std::vector<Line> acc[kTaskPanels];
  std::vector<Line> min[kTaskPanels];

  static float* data(std::vector<Line>& lines, std::size_t cells) {
    if (lines.size() * 16 < cells) lines.resize((cells + 15) / 16);
    return lines.data()->value;
  }
};

bool has_minima(WeightType type) { return type == WeightType::kQ4_K || type == WeightType::kQ5_K; }

// Some panels' columns for some rows, depth after depth.
struct PanelTask {
  const IntTable& table;
  const LinearInput& in;
  Piece piece;
  RowRange rows;
  const RowBuffer& x;

  Piece panel(int index) const {
    const int nc = table.nc, from = index * nc;
    return {piece.out, piece.column + from, std::min(nc, piece.columns - from)};
  }

  void multiply(int index, int depth, PanelScratch& scratch) const {
    const WeightType type = piece.out->type;
    const std::size_t cells = size(rows.count) * size(table.nc), bytes = row_bytes(type, in.k);
    const int k = std::min(table.depth, in.k - depth), columns = panel(index).columns;
    const char* at = weights_at(panel(index), in.k) + row_bytes(type, depth);
    // What comes next: the next panel at this depth, the first one at the next depth, or what follows all of them.
    const bool last = (index + 1) * table.nc >= piece.columns;
    const char* next = at + bytes * size(columns);
    if (last && depth + k < in.k) next = weights_at(piece, in.k) + row_bytes(type, depth + k);
    if (last && depth + k >= in.k) next = weights_at(piece, in.k) + bytes * size(piece.columns);
    table.pack({type, at, bytes, columns, k, rows.count, &scratch.panel});
    table.tile({type,
                &scratch.panel,
                x.view(depth, rows.first),
                rows.count,
                k / 32,
                scratch.data(scratch.acc[index], cells),
                has_minima(type) ? scratch.data(scratch.min[index], cells) : nullptr,
                depth == 0 ? Store::kReplace : Store::kAdd,
                {next, bytes, columns, static_cast<int>(row_bytes(type, k))}});
  }

  void run(PanelScratch& scratch) const {
    const int nc = table.nc, panels = (piece.columns + nc - 1) / nc;
    for (int depth = 0; depth < in.k; depth += table.depth)
      for (int index = 0; index < panels; ++index) multiply(index, depth, scratch);
    for (int r = 0; r < rows.count; ++r)  // all panels of a row: neighbours in memory
      for (int index = 0; index < panels; ++index) write(index, r, scratch);
  }

  void write(int index, int r, PanelScratch& scratch) const {
    const LinearOutput& out = *piece.out;
    const Piece part = panel(index);
    const std::size_t at = size(r) * size(table.nc);
    float* y = out.y + size(rows.first + r) * out.stride + size(part.column);
    write_row({scratch.acc[index].data()->value + at, has_minima(out.type) ? scratch.min[index].data()->value + at : nullptr},
              out.bias == nullptr ? nullptr : out.bias + part.column, out.store, {y, size(part.columns)});
  }
};

int ceil_div(int a, int b) { return (a + b - 1) / b; }

int panels_of(std::span<const LinearOutput> outputs, int nc) {
  int panels = 0;
  for (const auto& out : outputs) panels += ceil_div(out.n, nc);
  return panels;
}

// Up to `most` panels together, but each of the last `alone` by itself, so that all threads end at about the same time.
std::vector<Piece> split_panels(std::span<const LinearOutput> outputs, int nc, int most, int alone) {
  std::vector<Piece> pieces;
  int left = panels_of(outputs, nc);
  for (const auto& out : outputs) {
    for (int column = 0; column < out.n; column += pieces.back().columns) {
      pieces.push_back({&out, column, std::min(nc * std::clamp(left - alone, 1, most), out.n - column)});
      left -= ceil_div(pieces.back().columns, nc);
    }
  }
  return pieces;
}

void many_rows(const KernelContext& context, const IntTable& table, const LinearInput& in,
               std::span<const LinearOutput> outputs) {
  RowBuffer x(table, RowOrder::kDepthTiles, row_scales(outputs.front().type), in);
  pack_rows(context, in, x);
  const int nc = table.nc, threads = context.pool.size();
  const int panels = panels_of(outputs, nc);
  // Few rows stay in the cache anyway: better to read the weights in their order.
  const int most = in.rows < kShareRows ? 1 : kTaskPanels;
  const auto pieces = split_panels(outputs, nc, std::clamp(panels / (3 * threads), 1, most), threads > 1 ? 4 * threads : 0);
  // Where columns do not make enough tasks, rows are shared out further: every task packs its own panels.
  const int count = static_cast<int>(pieces.size()), wanted = std::min(ceil_div(3 * threads, count), std::max(1, in.rows / 64));
  const int step =
      ceil_div(ceil_div(in.rows, std::max(wanted, ceil_div(in.rows, kTaskRows))), table.tile_rows) * table.tile_rows;
  const std::size_t row_blocks = size(ceil_div(in.rows, step));
  context.pool.parallel_for(pieces.size() * row_blocks, 1, [&](std::size_t begin, std::size_t end) {
    const auto scratch = std::make_unique_for_overwrite<PanelScratch>();
    for (; begin < end; ++begin) {
      const int row = static_cast<int>(begin % row_blocks) * step;
      PanelTask{table, in, pieces[begin / row_blocks], {row, std::min(step, in.rows - row)}, x}.run(*scratch);
    }
  });
}

void linear_integers(const KernelContext& context, const LinearInput& input, std::span<const LinearOutput> outputs) {
  const IntTable& table = *context.table.integers;
  if (input.rows <= kIntDotRows) return few_rows(context, input, outputs);
  many_rows(context, table, input, outputs);
}

}  // namespace

void linear_quantized(const KernelContext& context, const LinearInput& input, std::span<const LinearOutput> outputs) {
  for (const auto& out : outputs) row_bytes(out.type, input.k);  // throws on a length that the format cannot have
  // x is rounded once for all outputs whose formats round it alike.
  std::vector<LinearOutput> sorted(outputs.begin(), outputs.end());
  const auto exact = std::stable_partition(sorted.begin(), sorted.end(),
                                           [](const LinearOutput& out) { return row_scales(out.type) == RowScales::kCoarse; });
  if (exact != sorted.begin()) linear_integers(context, input, {sorted.begin(), exact});
  if (exact != sorted.end()) linear_integers(context, input, {exact, sorted.end()});
}

void linear_bf16(const KernelContext& context, const LinearInput& input, std::span<const LinearOutput> outputs) {
  many_rows(context, *context.table.bf16, input, outputs);
}

}  // namespace areason
