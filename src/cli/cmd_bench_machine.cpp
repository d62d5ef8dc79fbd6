// What this machine can do at most: reading memory, and the arithmetic of the instruction set that the kernels use, in loops
// that do nothing else. The ratios of `bench` are against these numbers.
#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/clock.h"
#include "base/memory_reads.h"
#include "base/thread_pool.h"
#include "cli/cmd_bench.h"
#include "kernels/isa.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace areason {
namespace {

constexpr int kChains = 12;  // independent accumulators: enough to hide the latency of every unit
constexpr int kSteps = 400000;
constexpr int kRepeats = 12;

// A loop of kSteps * kChains instructions, and the operations of one of them.
struct Loop {
  float (*run)() = nullptr;
  double operations = 0;
};

float portable_f32() {
  typedef float Vec __attribute__((vector_size(16)));
  Vec acc[kChains] = {};
  const Vec a = {1.0f, 1.1f, 1.2f, 1.3f}, b = {0.5f, 0.4f, 0.3f, 0.2f};
  for (int step = 0; step < kSteps; ++step)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) {
      acc[i] += a * b;
      asm volatile("" : "+m"(acc[i]));
    }
  return acc[0][0];
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) float avx2_f32() {
  __m256 acc[kChains] = {};
  const __m256 a = _mm256_set1_ps(1.01f), b = _mm256_set1_ps(0.5f);
  for (int step = 0; step < kSteps; ++step)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) {
      acc[i] = _mm256_fmadd_ps(a, b, acc[i]);
      asm volatile("" : "+x"(acc[i]));
    }
  return acc[0][0];
}

// What stands for a product of bytes without VNNI: two multiplications with pairwise sums, and an addition.
__attribute__((target("avx2"))) float avx2_int8() {
  __m256i acc[kChains] = {};
  const __m256i a = _mm256_set1_epi8(3), ones = _mm256_set1_epi16(1);
  __m256i b = _mm256_set1_epi8(5);
  for (int step = 0; step < kSteps; ++step)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) {
      asm volatile("" : "+x"(b));
      acc[i] = _mm256_add_epi32(acc[i], _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), ones));
      asm volatile("" : "+x"(acc[i]));
    }
  return static_cast<float>(_mm256_extract_epi32(acc[0], 0));
}

__attribute__((target("avx2,avxvnni"))) float avxvnni_int8() {
  __m256i acc[kChains] = {};
  const __m256i a = _mm256_set1_epi32(0x03030303), b = _mm256_set1_epi32(0x05050505);
  for (int step = 0; step < kSteps; ++step)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) {
      acc[i] = _mm256_dpbusd_avx_epi32(acc[i], a, b);
      asm volatile("" : "+x"(acc[i]));
    }
  return static_cast<float>(_mm256_extract_epi32(acc[0], 0));
}

__attribute__((target("avx512f"))) float avx512_f32() {
  __m512 acc[kChains] = {};
  const __m512 a = _mm512_set1_ps(1.01f), b = _mm512_set1_ps(0.5f);
  for (int step = 0; step < kSteps; ++step)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) {
      acc[i] = _mm512_fmadd_ps(a, b, acc[i]);
      asm volatile("" : "+v"(acc[i]));
    }
  return acc[0][0];
}

__attribute__((target("avx512f,avx512bw"))) float avx512_int8() {
  __m512i acc[kChains] = {};
  const __m512i a = _mm512_set1_epi32(0x03030303), ones = _mm512_set1_epi32(0x00010001);
  __m512i b = _mm512_set1_epi32(0x05050505);
  for (int step = 0; step < kSteps; ++step)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) {
      asm volatile("" : "+v"(b));
      acc[i] = _mm512_add_epi32(acc[i], _mm512_madd_epi16(_mm512_maddubs_epi16(a, b), ones));
      asm volatile("" : "+v"(acc[i]));
    }
  alignas(64) std::int32_t out[16];
  _mm512_store_si512(out, acc[0]);
  return static_cast<float>(out[0]);
}

__attribute__((target("avx512f,avx512vnni"))) float avx512vnni_int8() {
  __m512i acc[kChains] = {};
  const __m512i a = _mm512_set1_epi32(0x03030303), b = _mm512_set1_epi32(0x05050505);
  for (int step = 0; step < kSteps; ++step)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) {
      acc[i] = _mm512_dpbusd_epi32(acc[i], a, b);
      asm volatile("" : "+v"(acc[i]));
    }
  alignas(64) std::int32_t out[16];
  _mm512_store_si512(out, acc[0]);
  return static_cast<float>(out[0]);
}

__attribute__((target("avx512f,avx512bf16"))) float avx512_bf16() {
  __m512 acc[kChains] = {};
  const __m512 one = _mm512_set1_ps(1.0f);
  const __m512bh a = _mm512_cvtne2ps_pbh(one, one);
  for (int step = 0; step < kSteps; ++step)
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) {
      acc[i] = _mm512_dpbf16_ps(acc[i], a, a);
      asm volatile("" : "+v"(acc[i]));
    }
  return acc[0][0];
}
#endif

struct Loops {
  Loop f32, bf16, int8;
};

Loops loops_of(Isa isa) {
  Loops loops{{portable_f32, 8.0}, {}, {}};
#if defined(__x86_64__)
  if (isa == Isa::kPortable) return loops;
  loops = {{avx2_f32, 16.0}, {}, {avx2_int8, 64.0}};
  if (isa == Isa::kAvxVnni) loops.int8 = {avxvnni_int8, 64.0};
  if (float_isa(isa) != Isa::kAvx512) return loops;
  loops.f32 = {avx512_f32, 32.0};
  loops.int8 = {avx512_int8, 128.0};
  if (isa >= Isa::kAvx512Vnni) loops.int8.run = avx512vnni_int8;
  if (isa >= Isa::kAvx512Bf16) loops.bf16 = {avx512_bf16, 64.0};
#endif
  return loops;
}

// The best of a few: what disturbs a measurement only makes it slower.
double peak(ThreadPool& pool, const Loop& loop) {
  if (loop.run == nullptr) return 0;
  const auto pieces = static_cast<std::size_t>(pool.size()) * 8;
  double best = 0;
  std::vector<float> sink(pieces);
  for (int i = 0; i < kRepeats; ++i) {
    const double start = monotonic_seconds();
    pool.parallel_for(pieces, 1, [&](std::size_t begin, std::size_t end) {
      for (; begin < end; ++begin) sink[begin] = loop.run();
    });
    const double work = static_cast<double>(pieces) * kSteps * kChains * loop.operations;
    best = std::max(best, work / (monotonic_seconds() - start));
  }
  return best;
}

double read_bandwidth(ThreadPool& pool) {
  MemoryReads memory;
  double best = 0;
  for (int i = 0; i < kRepeats; ++i)
    for (const auto order : {MemoryReads::Order::kSequential, MemoryReads::Order::kFourStreams})
      best = std::max(best, memory.rate(pool, order));
  return best;
}

}  // namespace

BenchMachine measure_machine(int threads) {
  ThreadPool pool(threads);
  const Isa isa = active_isa();
  const Loops loops = loops_of(isa);
  BenchMachine machine;
  machine.isa = isa_name(isa);
  machine.threads = pool.size();
  machine.f32 = peak(pool, loops.f32);
  machine.bf16 = peak(pool, loops.bf16);
  machine.int8 = peak(pool, loops.int8);
  machine.read = read_bandwidth(pool);
  return machine;
}

}  // namespace areason
