#include "base/memory_reads.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace areason {
namespace {

constexpr std::size_t kBytes = std::size_t{1} << 30;
constexpr std::size_t kPiece = std::size_t{1} << 20;
constexpr std::size_t kAhead = 2048;

// Not under ThreadSanitizer: what chooses a clone runs before the sanitizer is ready for it.
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define AREASON_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define AREASON_CLONES
#endif
typedef std::uint64_t Line __attribute__((vector_size(64)));

std::uint64_t add_up(const Line (&sums)[4]) {
  std::uint64_t sum = 0;
  for (const Line& line : sums)
    for (std::size_t j = 0; j < 8; ++j) sum += line[j];
  return sum;
}

AREASON_CLONES std::uint64_t read_sequential(const std::uint64_t* data) {
  Line sums[4] = {};
  for (std::size_t i = 0; i < kPiece / sizeof(std::uint64_t); i += 32) {
#pragma GCC unroll 4
    for (std::size_t j = 0; j < 4; ++j) {
      __builtin_prefetch(data + i + 8 * j + kAhead / sizeof(std::uint64_t));
      sums[j] += *reinterpret_cast<const Line*>(data + i + 8 * j);
    }
  }
  return add_up(sums);
}

AREASON_CLONES std::uint64_t read_four_streams(const std::uint64_t* data) {
  constexpr std::size_t kQuarter = kPiece / sizeof(std::uint64_t) / 4;
  Line sums[4] = {};
  for (std::size_t i = 0; i < kQuarter; i += 32) {
#pragma GCC unroll 4
    for (std::size_t stream = 0; stream < 4; ++stream) {
      const std::uint64_t* at = data + stream * kQuarter + i;
#pragma GCC unroll 4
      for (std::size_t j = 0; j < 4; ++j) {
        __builtin_prefetch(at + 8 * j + kAhead / sizeof(std::uint64_t));
        sums[j] += *reinterpret_cast<const Line*>(at + 8 * j);
      }
    }
  }
  return add_up(sums);
}
#undef AREASON_CLONES

}  // namespace

MemoryReads::MemoryReads() {
  memory_ = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory_ == MAP_FAILED)
    throw Error(ErrorCode::kInput, std::string("cannot get 1 GiB to measure memory: ") + std::strerror(errno),
                "free some memory");
  madvise(memory_, kBytes, MADV_HUGEPAGE);  // a wish: without it the reads are slower, not wrong
  std::memset(memory_, 1, kBytes);
}

MemoryReads::~MemoryReads() { munmap(memory_, kBytes); }

double MemoryReads::rate(ThreadPool& pool, Order order) {
  const auto read = order == Order::kSequential ? &read_sequential : &read_four_streams;
  const auto* bytes = static_cast<const char*>(memory_);
  std::vector<std::uint64_t> sums(kBytes / kPiece);
  const double start = monotonic_seconds();
  pool.parallel_for(sums.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (; begin < end; ++begin) sums[begin] = read(reinterpret_cast<const std::uint64_t*>(bytes + begin * kPiece));
  });
  return static_cast<double>(kBytes) / (monotonic_seconds() - start);
}

}  // namespace areason
