// Speed of the matrix kernels of every instruction set this machine has. What to hold them against: the core's
// multiply-adds per second (a GEMM should reach half of it) and the memory's bandwidth (a GEMV of large weights should reach
// most of it). One thread unless AREASON_BENCH_THREADS says otherwise.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include "kernels/attention.h"
#include "kernels/linear.h"

namespace areason {
namespace {

int threads() {
  const char* text = std::getenv("AREASON_BENCH_THREADS");
  return text != nullptr ? std::atoi(text) : 1;
}

struct Shape {
  int rows, k, n;
};

void bench_linear(benchmark::State& state, Isa isa, WeightType type, Shape shape) {
  ThreadPool pool(threads());
  const KernelContext context{pool, kernels_of(isa)};
  const auto size = [](int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); };
  const std::vector<float> x(size(shape.rows, shape.k), 0.5f), weights(size(shape.n, shape.k), 0.25f);
  std::vector<float> y(size(shape.rows, shape.n));
  const LinearOutput out{weights.data(), type, shape.n, nullptr, y.data(), static_cast<std::size_t>(shape.n), Store::kReplace};
  for (auto _ : state) linear(context, {x.data(), static_cast<std::size_t>(shape.k), shape.rows, shape.k}, {&out, 1});
  const double work = 2.0 * shape.rows * shape.k * shape.n;
  state.counters["FLOP/s"] = benchmark::Counter(work, benchmark::Counter::kIsIterationInvariantRate);
  const double bytes = static_cast<double>(size(shape.n, shape.k)) * (type == WeightType::kF32 ? 4 : 2);
  state.counters["weights/s"] =
      benchmark::Counter(bytes, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1024);
}

void bench_attention(benchmark::State& state, Isa isa, int queries, int keys) {
  ThreadPool pool(threads());
  const int heads = 4, d = 64;
  const std::vector<float> q(static_cast<std::size_t>(queries * heads * d), 0.1f),
      kv(static_cast<std::size_t>(keys * heads * d), 0.1f);
  std::vector<float> out(q.size());
  for (auto _ : state)
    attention({pool, kernels_of(isa)},
              {q.data(), kv.data(), kv.data(), out.data(), queries, keys, heads, heads, d, Mask::kNone});
  state.counters["FLOP/s"] =
      benchmark::Counter(4.0 * queries * keys * heads * d, benchmark::Counter::kIsIterationInvariantRate);
}

// Reads 256 MB: the bound of a GEMV whose weights do not fit a cache.
void bench_bandwidth(benchmark::State& state) {
  const std::vector<std::uint64_t> memory(std::size_t{1} << 25, 1);
  for (auto _ : state) benchmark::DoNotOptimize(std::accumulate(memory.begin(), memory.end(), std::uint64_t{0}));
  state.counters["bytes/s"] = benchmark::Counter(static_cast<double>(memory.size()) * 8,
                                                 benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1024);
}

void register_all() {
  benchmark::RegisterBenchmark("memory_read", bench_bandwidth);
  for (const Isa isa : available_isas()) {
    for (const auto& [type, type_name] :
         {std::pair{WeightType::kF32, "f32"}, {WeightType::kBF16, "bf16"}, {WeightType::kF16, "f16"}}) {
      for (const Shape shape : {Shape{512, 1024, 1024}, {502, 384, 1536}, {16, 256, 768}, {1, 256, 4096}, {1, 4096, 11008}}) {
        const std::string name = std::string(isa_name(isa)) + "/linear/" + type_name + "/" + std::to_string(shape.rows) + "x" +
                                 std::to_string(shape.k) + "x" + std::to_string(shape.n);
        benchmark::RegisterBenchmark(name.c_str(), bench_linear, isa, type, shape);
      }
    }
    for (const auto& [queries, keys] : {std::pair{1000, 1000}, {1, 1000}}) {
      const std::string name =
          std::string(isa_name(isa)) + "/attention/" + std::to_string(queries) + "x" + std::to_string(keys);
      benchmark::RegisterBenchmark(name.c_str(), bench_attention, isa, queries, keys);
    }
  }
}

}  // namespace
}  // namespace areason

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  areason::register_all();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
