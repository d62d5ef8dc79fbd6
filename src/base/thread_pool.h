#pragma once
// A small pool that runs one parallel loop at a time (no OpenMP in the engine, design decision 7). The calling thread works
// too, so a pool of one thread starts none. Workers sleep on a condition variable after a short spin.
// Thread rule: parallel_for may be called from one thread at a time; the body runs on all of them.
#include <cstddef>
#include <functional>
#include <memory>

namespace areason {

class ThreadPool {
 public:
  // `threads` <= 0 takes the number of cores this process may use.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int size() const;
  // Calls body(begin, end) on disjoint pieces of [0, count), each of at least `grain` items (but the last). Returns when all
  // are done; rethrows the first exception of a body.
  void parallel_for(std::size_t count, std::size_t grain, const std::function<void(std::size_t, std::size_t)>& body);
  // The same for bodies that fetch what follows in memory: every thread goes through a stretch of neighbouring items from its
  // beginning to its end, and then through what the others have left.
  void parallel_stretches(std::size_t count, std::size_t grain, const std::function<void(std::size_t, std::size_t)>& body);

 private:
  void run(bool stretches, std::size_t count, std::size_t grain, const std::function<void(std::size_t, std::size_t)>& body);

  struct State;
  std::unique_ptr<State> state_;
};

// The number of cores in this process's affinity mask.
int available_cores();

}  // namespace areason
