#pragma once
// Limits of requests and tokens within windows of time ("60 a minute", "1,500 a day"), shared by all threads of a run. They
// hold on the server's clock too, not only on ours: a request counts from the moment it is let go until a whole window after
// the server must have received it. Used by governed.h. Units: seconds, tokens. Thread rule: every function is safe from any
// thread. Errors: Error(kInterrupted) while waiting, Error(kUsage) for one request over the token limit.
#include <condition_variable>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <vector>

#include "llm/clock.h"

namespace areason::llm {

struct RateWindow {
  double seconds = 60;
  std::int64_t requests = 0;  // 0: no limit
  std::int64_t tokens = 0;    // input and output together; 0: no limit
};

struct RateLimits {
  std::vector<RateWindow> windows;
  // After this long a request has surely reached the server, answered or not (answers may take minutes).
  double transit_seconds = 10;
};

class RateLimiter {
  struct Entry {
    double started = 0;
    double finished = std::numeric_limits<double>::infinity();
    double received = std::numeric_limits<double>::infinity();  // the server surely had it by then
    std::int64_t tokens = 0;
  };

 public:
  // Did the server answer? If not, the request may still be on its way when we give up.
  enum class Received { kYes, kPerhaps };

  RateLimiter(RateLimits limits, std::shared_ptr<Clock> clock);

  // One request on its way. Ends with finish(), or in the destructor with the reserved tokens.
  class Permit {
   public:
    Permit(RateLimiter& limiter, std::list<Entry>::iterator entry) : limiter_(&limiter), entry_(entry) {}
    Permit(const Permit&) = delete;
    Permit& operator=(const Permit&) = delete;
    ~Permit();
    // Replaces the reserved tokens by what was really used.
    void finish(std::int64_t tokens, Received received);

   private:
    RateLimiter* limiter_;
    std::list<Entry>::iterator entry_;
    bool done_ = false;
  };

  // Waits until a request of so many tokens (at most) may be sent.
  std::unique_ptr<Permit> acquire(std::int64_t tokens);
  // The server asked everybody to wait: nothing is let go before `when`.
  void hold_until(double when);

 private:
  double earliest(std::int64_t tokens, double now) const;
  double earliest_in(const RateWindow& window, std::int64_t tokens, double now) const;
  void forget_old(double now);

  const RateLimits limits_;
  const std::shared_ptr<Clock> clock_;
  std::mutex turn_;  // held by the one thread that waits for its turn: large requests are not overtaken for ever
  mutable std::mutex mutex_;
  std::condition_variable finished_;
  std::list<Entry> entries_;  // in the order of `started`
  double hold_until_ = -std::numeric_limits<double>::infinity();
};

}  // namespace areason::llm
