#include "base/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
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

// Items [begin, end) that one thread takes from the front and others from the back.
class alignas(64) Stretch {
 public:
  struct Range {
    std::uint32_t begin = 0, end = 0;
    std::uint32_t size() const { return end - begin; }
  };

  void set(Range range) { value_ = packed(range); }
  // Items from the front, a share of what is left and at least `grain`; none where nothing is left.
  Range take(std::uint32_t grain) {
    return change(
        [&](Range all) {
          return Range{all.begin, all.begin + piece(all.size() / 8, grain, all)};
        },
        [](Range all, Range taken) {
          return Range{taken.end, all.end};
        });
  }
  // The second half.
  Range steal(std::uint32_t grain) {
    return change(
        [&](Range all) {
          return Range{all.end - piece(all.size() / 2, grain, all), all.end};
        },
        [](Range all, Range taken) {
          return Range{all.begin, taken.begin};
        });
  }

 private:
  static std::uint64_t packed(Range r) { return static_cast<std::uint64_t>(r.begin) << 32 | r.end; }
  static Range unpacked(std::uint64_t v) { return {static_cast<std::uint32_t>(v >> 32), static_cast<std::uint32_t>(v)}; }
  static std::uint32_t piece(std::uint32_t share, std::uint32_t grain, Range all) {
    return std::min(std::max(share, grain), all.size());
  }
  template <typename Choose, typename Rest>
  Range change(const Choose& choose, const Rest& rest) {
    std::uint64_t value = value_.load();
    for (;;) {
      const Range all = unpacked(value), taken = choose(all);
      if (taken.size() == 0 || value_.compare_exchange_weak(value, packed(rest(all, taken)))) return taken;
    }
  }

  std::atomic<std::uint64_t> value_{0};
};

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
  bool in_stretches = false;
  std::unique_ptr<Stretch[]> stretches;  // of the caller and of the workers
  std::exception_ptr failure;

  // Pieces become smaller towards the end, so that all threads end at about the same time.
  std::size_t piece_at(std::size_t begin) const { return std::max(grain, (count - begin) / (4 * (workers.size() + 1))); }

  std::size_t threads() const { return workers.size() + 1; }

  // Runs the body; false where it has failed.
  bool call(std::size_t begin, std::size_t end) {
    try {
      (*body)(begin, end);
      return true;
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      return false;
    }
  }

  void run_chunks() {
    std::size_t begin = next.load();
    while (begin < count) {
      const std::size_t end = std::min(count, begin + piece_at(begin));
      if (!next.compare_exchange_weak(begin, end)) continue;
      if (!call(begin, end)) next = count;
      begin = next.load();
    }
  }

  void share_out() {
    for (std::size_t i = 0; i < threads(); ++i)
      stretches[i].set(
          {static_cast<std::uint32_t>(count * i / threads()), static_cast<std::uint32_t>(count * (i + 1) / threads())});
  }

  void run_stretches(std::size_t thread) {
    const auto piece = static_cast<std::uint32_t>(std::min<std::size_t>(grain, UINT32_MAX));
    for (;;) {
      Stretch::Range range = stretches[thread].take(piece);
      for (std::size_t i = 1; range.size() == 0 && i < threads(); ++i) {
        const Stretch::Range left = stretches[(thread + i) % threads()].steal(piece);
        if (left.size() == 0) continue;
        stretches[thread].set(left);
        range = stretches[thread].take(piece);
      }
      if (range.size() == 0) return;
      if (call(range.begin, range.end)) continue;
      for (std::size_t i = 0; i < threads(); ++i) stretches[i].set({});
    }
  }

  void run(std::size_t thread) { in_stretches ? run_stretches(thread) : run_chunks(); }

  void work(std::size_t thread) {
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
      run(thread);
      lock.lock();
      if (--active == 0) done.notify_one();
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(std::make_unique<State>()) {
  const int total = threads > 0 ? threads : available_cores();
  state_->stretches = std::make_unique<Stretch[]>(static_cast<std::size_t>(total));
  for (int i = 1; i < total; ++i) state_->workers.emplace_back([this, i] { state_->work(static_cast<std::size_t>(i)); });
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
  run(false, count, grain, body);
}

void ThreadPool::parallel_stretches(std::size_t count, std::size_t grain,
                                    const std::function<void(std::size_t, std::size_t)>& body) {
  run(count <= UINT32_MAX, count, grain, body);
}

void ThreadPool::run(bool stretches, std::size_t count, std::size_t grain,
                     const std::function<void(std::size_t, std::size_t)>& body) {
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
    state_->in_stretches = stretches;
    if (stretches) state_->share_out();
    state_->failure = nullptr;
    state_->open = true;
    state_->generation.fetch_add(1);
  }
  state_->wake.notify_all();
  state_->run(0);
  std::unique_lock lock(state_->mutex);
  state_->open = false;
  lock.unlock();
  spin_until([&] { return state_->active.load(std::memory_order_acquire) == 0; });
  lock.lock();
  state_->done.wait(lock, [&] { return state_->active == 0; });
  if (state_->failure) std::rethrow_exception(state_->failure);
}

}  // namespace areason
