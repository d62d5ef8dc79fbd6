#pragma once
// Time for everything that waits (rate limits, back-off), so that tests can own it. Used by governed.h and rate_limiter.h.
// Units: seconds of a monotonic clock whose zero means nothing. Thread rule: every function is safe from any thread.
#include <memory>

namespace areason::llm {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual double now() = 0;
  // Returns at `when` or later. Throws Error(kInterrupted) soon after Ctrl-C.
  virtual void sleep_until(double when) = 0;
};

std::shared_ptr<Clock> real_clock();

}  // namespace areason::llm
