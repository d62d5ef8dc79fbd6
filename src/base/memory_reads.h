#pragma once
// The limit that decoding is held against: how fast threads can read memory, and nothing else.
// Used by `audio-reasoner bench` and bench/decode_bench. Thread rule: one thread; the reads run on the pool that is given.
#include <cstddef>

#include "base/thread_pool.h"

namespace areason {

// 1 GiB that is read again and again: in 2 MB pages where the system gives them, since a read then waits for few translations
// of addresses, with prefetches 2 KiB ahead. Several times what a processor's caches hold.
class MemoryReads {
 public:
  // How a thread reads a piece of 1 MiB: from its beginning to its end, as benches of bandwidth do, or its quarters side by
  // side, which has more of the memory's answers on their way: up to a third faster on a Zen 3, and the most that was found.
  enum class Order { kSequential, kFourStreams };

  // Throws Error where the memory cannot be had.
  MemoryReads();
  ~MemoryReads();
  MemoryReads(const MemoryReads&) = delete;
  MemoryReads& operator=(const MemoryReads&) = delete;

  // Reads all of it once with all threads of the pool. Bytes a second.
  double rate(ThreadPool& pool, Order order);

 private:
  void* memory_ = nullptr;
};

}  // namespace areason
