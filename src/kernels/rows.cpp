#include "kernels/rows.h"

#include <algorithm>

namespace areason {
namespace {

// Values a thread should have before another one is woken.
constexpr std::size_t kGrain = 8192;

std::size_t row_grain(int width) { return 1 + kGrain / static_cast<std::size_t>(std::max(1, width)); }

void each_row(const KernelContext& context, const NormRows& args, void (*norm)(const NormArgs&)) {
  context.pool.parallel_for(static_cast<std::size_t>(args.rows), row_grain(args.width),
                            [&](std::size_t begin, std::size_t end) {
                              for (; begin < end; ++begin) {
                                const std::size_t at = begin * static_cast<std::size_t>(args.width);
                                norm({args.x + at, args.weight, args.bias, args.y + at, args.width, args.epsilon});
                              }
                            });
}

}  // namespace

void layer_norm(const KernelContext& context, const NormRows& args) { each_row(context, args, context.table.layer_norm); }
void rms_norm(const KernelContext& context, const NormRows& args) { each_row(context, args, context.table.rms_norm); }

void gelu(const KernelContext& context, float* x, std::size_t n) {
  context.pool.parallel_for(n, kGrain, [&](std::size_t begin, std::size_t end) { context.table.gelu(x + begin, end - begin); });
}

void silu_multiply(const KernelContext& context, float* gate, const float* up, std::size_t n) {
  context.pool.parallel_for(n, kGrain, [&](std::size_t begin, std::size_t end) {
    context.table.silu_multiply(gate + begin, up + begin, end - begin);
  });
}

void rope(const KernelContext& context, const RopeRows& args) {
  const int half = args.head_dim / 2;
  const auto width = static_cast<std::size_t>(args.heads) * static_cast<std::size_t>(args.head_dim);
  context.pool.parallel_for(static_cast<std::size_t>(args.rows), row_grain(static_cast<int>(width)),
                            [&](std::size_t begin, std::size_t end) {
                              for (; begin < end; ++begin) {
                                const std::size_t table_at = begin * static_cast<std::size_t>(half);
                                for (int h = 0; h < args.heads; ++h)
                                  context.table.rope(args.x + begin * width + static_cast<std::size_t>(h * args.head_dim),
                                                     args.cosine + table_at, args.sine + table_at, half);
                              }
                            });
}

}  // namespace areason
