#include "base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace areason {

int available_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

namespace {

// A decode step starts and ends a loop every few microseconds; a short spin saves the wake-up, and gives up soon enough not to
// hurt a neighbour.
template <typename Condition>
void spin_until(const Condition& condition) {
  for (int spin = 0; spin < 2000 && !condition(); ++spin) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
}

}  // namespace

struct ThreadPool::State {
  std::vector<std::thread> workers;
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable done;
  std::atomic<std::uint64_t> generation{0};
  bool stopping = false;
  bool open = false;           // a loop still takes workers
  std::atomic<int> active{0};  // workers inside it; changes under the mutex

  const std::function<void(std::size_t, std::size_t)>* body = nullptr;
  std::size_t count = 0;
  std::size_t grain = 1;
  std::atomic<std::size_t> next{0};
  std::exception_ptr failure;

  // Pieces become smaller towards the end, so that all threads end at about the same time.
  std::size_t piece_at(std::size_t begin) const { return std::max(grain, (count - begin) / (4 * (workers.size() + 1))); }

  void run_chunks() {
    std::size_t begin = next.load();
    while (begin < count) {
      const std::size_t end = std::min(count, begin + piece_at(begin));
      if (!next.compare_exchange_weak(begin, end)) continue;
      try {
        (*body)(begin, end);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        next = count;
      }
      begin = next.load();
    }
  }

  void work() {
    std::uint64_t seen = 0;
    for (;;) {
      spin_until([&] { return generation.load(std::memory_order_acquire) != seen; });
      std::unique_lock lock(mutex);
      wake.wait(lock, [&] { return stopping || generation.load() != seen; });
      if (stopping) return;
      seen = generation.load();
      // Too late: on a busy machine the others finish first, and nobody waits for a worker that never joined.
      if (!open) continue;
      ++active;
      lock.unlock();
      run_chunks();
      lock.lock();
      if (--active == 0) done.notify_one();
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  const int total = threads > 0 ? threads : available_cores();
  for (int i = 1; i < total; ++i) state_->workers.emplace_back([this] { state_->work(); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  for (auto& worker : state_->workers) worker.join();
}

int ThreadPool::size() const { return static_cast<int>(state_->workers.size()) + 1; }

void ThreadPool::parallel_for(std::size_t count, std::size_t grain, const std::function<void(std::size_t, std::size_t)>& body) {
  if (count == 0) return;
  grain = std::max<std::size_t>(1, grain);
  if (state_->workers.empty() || count <= grain) {
    body(0, count);
    return;
  }
  {
    const std::lock_guard lock(state_->mutex);
    state_->body = &body;
    state_->count = count;
    state_->grain = grain;
    state_->next = 0;
    state_->failure = nullptr;
    state_->open = true;
    state_->generation.fetch_add(1);
  }
  state_->wake.notify_all();
  state_->run_chunks();
  std::unique_lock lock(state_->mutex);
  state_->open = false;
  lock.unlock();
  spin_until([&] { return state_->active.load(std::memory_order_acquire) == 0; });
  lock.lock();
  state_->done.wait(lock, [&] { return state_->active == 0; });
  if (state_->failure) std::rethrow_exception(state_->failure);
}

}  // namespace areason
