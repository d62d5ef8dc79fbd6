#pragma once
// The limit that decoding is held against: how fast threads can read memory, and nothing else.
// Used by `audio-reasoner bench` and bench/decode_bench. Thread rule: one thread; the reads run on the pool that is given.
#include <cstddef>

#include "base/thread_pool.h"

namespace areason {

// 1 GiB that is read again and again, the way that reaches most here: 2 MB pages where the system gives them, since a read then
// waits for few translations of addresses, and prefetches 2 KiB ahead. Several times what a processor's caches hold.
class MemoryReads {
 public:
  // Throws Error where the memory cannot be had.
  MemoryReads();
  ~MemoryReads();
  MemoryReads(const MemoryReads&) = delete;
  MemoryReads& operator=(const MemoryReads&) = delete;

  // Reads all of it once with all threads of the pool. Bytes a second.
  double rate(ThreadPool& pool);

 private:
  void* memory_ = nullptr;
};

}  // namespace areason
