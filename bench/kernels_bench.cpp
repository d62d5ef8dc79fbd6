// Speed of linear() beside what the machine can do at most: the bandwidth of reading memory for few rows of x, the instruction
// set's int8 or float peak for many. Products and reads alternate, on the same threads; the bandwidth ratio is the median of
// the pairs (neighbours on a shared machine disturb both alike), times are the best. Matrices are taken in turn from a region
// far larger than the caches.
//   cmake --build build/release --target kernels_bench && build/release/bench/kernels_bench [PART OF A NAME…]
// AREASON_ISA forces an instruction set, AREASON_BENCH_THREADS the number of threads (default: all cores).
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "kernels/linear.h"
#include "kernels/quant_testing.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace areason {
namespace {

constexpr std::size_t kRegion = std::size_t{768} << 20;
constexpr int kChains = 12;

// The shortest of some runs, in seconds; at least three, at least 0.4 s of them.
double best_time(const std::function<void()>& work) {
  double best = 1e30, spent = 0;
  for (int i = 0; i < 3 || spent < 0.4; ++i) {
    const double start = monotonic_seconds();
    work();
    const double seconds = monotonic_seconds() - start;
    best = std::min(best, seconds);
    spent += seconds;
  }
  return best;
}

volatile std::uint64_t sink;

void read_plain(const std::uint64_t* p, std::size_t n) {
  typedef std::uint64_t Vec __attribute__((vector_size(64), aligned(8)));
  Vec sum[4] = {};
  for (std::size_t i = 0; i + 32 <= n; i += 32) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < 4; ++j) {
      __builtin_prefetch(p + i + 512 + 8 * j);
      sum[j] ^= *reinterpret_cast<const Vec*>(p + i + 8 * j);
    }
  }
  sink = sum[0][0] ^ sum[1][1] ^ sum[2][2] ^ sum[3][3];
}

double time_of(const std::function<void()>& work) {
  const double start = monotonic_seconds();
  work();
  return monotonic_seconds() - start;
}

void read_all(ThreadPool& pool, const std::byte* from, std::size_t bytes) {
  constexpr std::size_t kPiece = std::size_t{1} << 18;
  pool.parallel_for(bytes / kPiece, 1, [&](std::size_t begin, std::size_t end) {
    read_plain(reinterpret_cast<const std::uint64_t*>(from + begin * kPiece), (end - begin) * kPiece / 8);
  });
}

double bandwidth(ThreadPool& pool, const std::vector<std::byte>& region) {
  return static_cast<double>(region.size()) / best_time([&] { read_all(pool, region.data(), region.size()); });
}

#if defined(__x86_64__)
constexpr int kPeakSteps = 1 << 17;
__attribute__((target("avx512f,avx512vnni"))) double peak_vnni512() {
  __m512i acc[kChains] = {};
  const __m512i a = _mm512_set1_epi32(0x03030303);
  for (int step = 0; step < kPeakSteps; ++step)
#pragma GCC unroll 12
    for (auto& chain : acc) {
      chain = _mm512_dpbusd_epi32(chain, a, a);
      __asm__ volatile("" : "+v"(chain));
    }
  return 128.0 * kPeakSteps * kChains;
}
// Without VNNI: two multiplications with pairwise sums, and an addition.
__attribute__((target("avx2"))) double peak_avx2() {
  __m256i acc[kChains] = {}, b = _mm256_set1_epi8(5);
  const __m256i a = _mm256_set1_epi8(3), ones = _mm256_set1_epi16(1);
  for (int step = 0; step < kPeakSteps; ++step)
#pragma GCC unroll 12
    for (auto& chain : acc) {
      __asm__ volatile("" : "+x"(b));
      chain = _mm256_add_epi32(chain, _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), ones));
      __asm__ volatile("" : "+x"(chain));
    }
  return 64.0 * kPeakSteps * kChains;
}
__attribute__((target("avx512f"))) double peak_f32() {
  __m512 acc[kChains] = {};
  const __m512 a = _mm512_set1_ps(0.5f);
  for (int step = 0; step < kPeakSteps; ++step)
#pragma GCC unroll 12
    for (auto& chain : acc) {
      chain = _mm512_fmadd_ps(a, a, chain);
      __asm__ volatile("" : "+v"(chain));
    }
  return 32.0 * kPeakSteps * kChains;
}
__attribute__((target("avx512f,avx512bf16"))) double peak_bf16() {
  __m512 acc[kChains] = {};
  const __m512 one = _mm512_set1_ps(1.0f);
  const __m512bh a = _mm512_cvtne2ps_pbh(one, one);
  for (int step = 0; step < kPeakSteps; ++step)
#pragma GCC unroll 12
    for (auto& chain : acc) {
      chain = _mm512_dpbf16_ps(chain, a, a);
      __asm__ volatile("" : "+v"(chain));
    }
  return 64.0 * kPeakSteps * kChains;
}
#endif

// Operations a second of all threads; 0 where this instruction set's loop is not written.
double peak(ThreadPool& pool, double (*loop)()) {
  if (loop == nullptr) return 0;
  double operations = 0;
  const auto threads = static_cast<std::size_t>(pool.size());
  const double seconds = best_time([&] {
    pool.parallel_for(threads, 1, [&](std::size_t begin, std::size_t end) {
      for (; begin < end; ++begin) operations = loop();
    });
  });
  return operations * static_cast<double>(threads) / seconds;
}

struct Peaks {
  double read = 0, int8 = 0, f32 = 0, bf16 = 0;
};

Peaks measure_peaks(ThreadPool& pool, const std::vector<std::byte>& region) {
  Peaks peaks;
  peaks.read = bandwidth(pool, region);
#if defined(__x86_64__)
  const Isa isa = active_isa();
  if (isa >= Isa::kAvx512Vnni)
    peaks.int8 = peak(pool, peak_vnni512);
  else if (isa == Isa::kAvx2 || isa == Isa::kAvx512)
    peaks.int8 = peak(pool, peak_avx2);
  if (float_isa(isa) == Isa::kAvx512) peaks.f32 = peak(pool, peak_f32);
  if (isa == Isa::kAvx512Bf16) peaks.bf16 = peak(pool, peak_bf16);
#endif
  std::printf("%s, %d threads: reads %.1f GB/s, int8 %.0f Gop/s, f32 %.0f, bf16 %.0f GFLOP/s\n", isa_name(active_isa()),
              pool.size(), peaks.read / 1e9, peaks.int8 / 1e9, peaks.f32 / 1e9, peaks.bf16 / 1e9);
  return peaks;
}

struct Shape {
  int rows, k, n;
};

struct Result {
  double seconds = 1e30;  // the best
  double last = 0;
  double of_reads = 0;  // median of (time to read the bytes) / (time of the product)
};

struct Bench {
  ThreadPool& pool;
  std::vector<std::byte>& region;
  std::vector<std::string> filters;

  bool wanted(const std::string& name) const {
    return filters.empty() ||
           std::any_of(filters.begin(), filters.end(), [&](const auto& f) { return name.find(f) != std::string::npos; });
  }
  // Products with matrices that are not in the caches, each followed by a read of as many bytes.
  Result time(WeightType type, const Shape& s, Activations activations) {
    Random random(1);
    const auto rows = static_cast<std::size_t>(s.rows), n = static_cast<std::size_t>(s.n);
    std::vector<float> x(rows * static_cast<std::size_t>(s.k)), y(rows * n);
    for (auto& v : x) v = static_cast<float>(random.normal());
    const std::size_t bytes = row_bytes(type, s.k) * n, matrices = std::max<std::size_t>(1, region.size() / bytes);
    // Small matrices go in groups, so that starting and stopping threads weighs as little as in a model.
    const std::size_t group = s.rows > kStreamedRows ? 1 : std::max<std::size_t>(1, (std::size_t{48} << 20) / bytes);
    std::size_t turn = 0;
    const KernelContext context{pool, active_kernels()};
    const auto multiply = [&] {
      for (std::size_t i = 0; i < group; ++i) {
        const LinearOutput out{region.data() + bytes * (turn++ % matrices), type, s.n, nullptr, y.data(), n, Store::kReplace};
        linear(context, {x.data(), static_cast<std::size_t>(s.k), s.rows, s.k, activations}, {&out, 1});
      }
    };
    Result result;
    std::vector<double> ratios;
    for (double spent = 0; ratios.size() < 5 || spent < 0.5; spent += result.last) {
      result.last = time_of(multiply);
      result.seconds = std::min(result.seconds, result.last / static_cast<double>(group));
      double read = 0;
      if (s.rows <= kStreamedRows) {
        const std::size_t from = bytes * (turn % matrices), count = std::min(bytes * group, region.size() - from);
        read = time_of([&] { read_all(pool, region.data() + from, count); });
        read *= static_cast<double>(bytes * group) / static_cast<double>(count);
        turn += group;  // what was just read may be in a cache
      }
      ratios.push_back(read / result.last);
    }
    std::nth_element(ratios.begin(), ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2), ratios.end());
    result.of_reads = ratios[ratios.size() / 2];
    return result;
  }
};

// Valid blocks of this type all over the region.
void fill(std::vector<std::byte>& region, WeightType type) {
  Random random(2);
  const int k = 4096;
  std::vector<std::byte> rows;
  if (is_quantized(type)) {
    rows = testing::random_blocks(type, 64, k, random);
  } else {
    std::vector<float> values(static_cast<std::size_t>(k) * 64);
    for (auto& v : values) v = static_cast<float>(random.normal());
    rows.resize(row_bytes(type, k) * 64);
    quantize_row(type, values.data(), k * 64, rows.data());
  }
  for (std::size_t at = 0; at < region.size(); at += rows.size())
    std::memcpy(region.data() + at, rows.data(), std::min(rows.size(), region.size() - at));
}

struct Case {
  WeightType type;
  Shape shape;
  Activations activations;
};

void run(Bench& bench, const Peaks& peaks, const Case& c) {
  const auto& [type, s, activations] = c;
  const Result result = bench.time(type, s, activations);
  const double bytes = static_cast<double>(row_bytes(type, s.k)) * s.n, operations = 2.0 * s.rows * s.k * s.n;
  const bool bf16 = activations == Activations::kBF16;
  const double limit = is_quantized(type) ? peaks.int8 : bf16 ? peaks.bf16 : peaks.f32;
  std::printf("%-5s%s %4d x %5d x %6d %9.3f ms", weight_type_name(type), bf16 ? "*" : " ", s.rows, s.k, s.n,
              result.seconds * 1e3);
  if (s.rows <= kStreamedRows) std::printf("  %6.1f GB/s, %.2f of reads", bytes / result.seconds / 1e9, result.of_reads);
  std::printf("  %7.0f Gop/s", operations / result.seconds / 1e9);
  if (s.rows > kStreamedRows && limit > 0) std::printf(", %.2f of the peak", operations / result.seconds / limit);
  std::printf("\n");
  std::fflush(stdout);
}

void run_all(Bench& bench) {
  constexpr Shape kShapes[] = {{1, 4096, 4096},    {1, 4096, 11008},   {1, 11008, 4096},   {1, 4096, 12288},  {1, 4096, 156032},
                               {2, 4096, 11008},   {4, 4096, 11008},   {8, 4096, 11008},   {16, 4096, 11008}, {256, 4096, 4096},
                               {256, 4096, 11008}, {256, 11008, 4096}, {780, 4096, 11008}, {750, 1280, 5120}};
  const Peaks peaks = measure_peaks(bench.pool, bench.region);
  for (const WeightType type : kWeightTypes) {
    bool filled = false;
    for (const Shape& s : kShapes) {
      for (const Activations activations : {Activations::kExact, Activations::kBF16}) {
        if (activations == Activations::kBF16 && (is_quantized(type) || s.rows <= kStreamedRows)) continue;
        const std::string name = std::string(weight_type_name(type)) + "/" + std::to_string(s.rows) + "x" +
                                 std::to_string(s.k) + "x" + std::to_string(s.n) +
                                 (activations == Activations::kBF16 ? "/bf16" : "");
        if (!bench.wanted(name)) continue;
        if (!filled) fill(bench.region, type);
        filled = true;
        run(bench, peaks, {type, s, activations});
      }
    }
  }
}

}  // namespace
}  // namespace areason

int main(int argc, char** argv) {
  const char* threads = std::getenv("AREASON_BENCH_THREADS");
  areason::ThreadPool pool(threads == nullptr ? 0 : std::atoi(threads));
  std::vector<std::byte> region(areason::kRegion, std::byte{1});
  areason::Bench bench{pool, region, {argv + 1, argv + argc}};
  areason::run_all(bench);
  return 0;
}
