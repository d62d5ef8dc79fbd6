#pragma once
// A rate limit that is kept outside the process, so that many processes share it (cli makes one of the job store). governed.cpp
// asks it before every attempt, beside its own limiter. Thread rule: every function is safe from any thread. Units: seconds,
// tokens.
#include <cstdint>

namespace areason::llm {

class RateGate {
 public:
  struct Turn {
    std::int64_t ticket = 0;  // of a request that may go now
    double wait_seconds = 0;  // above 0: it may not; ask again after that
  };
  virtual ~RateGate() = default;
  // Counts a request of at most so many tokens, or says how long to wait.
  virtual Turn enter(std::int64_t tokens) = 0;
  // The server answered, and so many tokens were used. A turn that never ends counts in full.
  virtual void leave(std::int64_t ticket, std::int64_t tokens) = 0;
};

}  // namespace areason::llm
