#include "llm/workers.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/thread_pool.h"

namespace areason::llm {
namespace {

constexpr int kMostWorkers = 1024;

class Run {
 public:
  Run(Provider& provider, const std::function<std::optional<Request>()>& next,
      const std::function<void(std::size_t, const Request&, Reply)>& done)
      : provider_(provider), next_(next), done_(done) {}

  // One worker: until there is nothing more to ask.
  void work() {
    try {
      while (auto job = take()) {
        Reply reply = provider_.complete(job->second);
        hand_on(job->first, job->second, std::move(reply));
      }
    } catch (...) {
      const std::lock_guard lock(take_mutex_);
      over_ = true;  // the others finish what they have and stop
      throw;
    }
  }

  RunSummary summary;

 private:
  std::optional<std::pair<std::size_t, Request>> take() {
    throw_if_interrupted();
    const std::lock_guard lock(take_mutex_);
    if (over_) return {};
    auto request = next_();
    if (!request) {
      over_ = true;
      return {};
    }
    return std::pair(position_++, std::move(*request));
  }

  void hand_on(std::size_t position, const Request& request, Reply reply) {
    const std::lock_guard lock(done_mutex_);
    ++summary.requests;
    ++summary.outcomes[reply.finish];
    summary.attempts += static_cast<std::size_t>(std::max(0, reply.replayed ? 0 : reply.attempts));
    if (stops_run(reply.finish)) {
      if (!summary.stopped_by) summary.stopped_by = reply;
      const std::lock_guard stop(take_mutex_);
      over_ = true;
    }
    done_(position, request, std::move(reply));
  }

  Provider& provider_;
  const std::function<std::optional<Request>()>& next_;
  const std::function<void(std::size_t, const Request&, Reply)>& done_;
  std::mutex take_mutex_;  // may be taken while done_mutex_ is held, never the other way round
  std::mutex done_mutex_;
  std::size_t position_ = 0;
  bool over_ = false;
};

}  // namespace

RunSummary run_requests(Provider& provider, int workers, const std::function<std::optional<Request>()>& next,
                        const std::function<void(std::size_t, const Request&, Reply)>& done) {
  if (workers < 1 || workers > kMostWorkers)
    throw Error(ErrorCode::kUsage, std::to_string(workers) + " workers cannot be had",
                "take 1 to " + std::to_string(kMostWorkers));
  Run run(provider, next, done);
  ThreadPool pool(workers);
  pool.parallel_for(static_cast<std::size_t>(workers), 1, [&](std::size_t, std::size_t) { run.work(); });
  return std::move(run.summary);
}

}  // namespace areason::llm
