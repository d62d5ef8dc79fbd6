#pragma once
// A provider under control: every attempt passes the budget and the rate limits; what may go away is tried again with
// exponential back-off and full jitter, not before the server's Retry-After; a 429 with a Retry-After pauses all threads. Built
// by config.h. Thread rule: complete() from any number of threads. Units: seconds. Errors: as Provider.
#include <cstdint>
#include <memory>

#include "llm/budget.h"
#include "llm/clock.h"
#include "llm/provider.h"
#include "llm/purse.h"
#include "llm/rate_gate.h"
#include "llm/rate_limiter.h"

namespace areason::llm {

// The delay before try n+1 is uniform in [0, min(longest, first * 2^(n-1))], never less than what the server asked for.
struct RetryPolicy {
  int attempts = 5;  // in all; 1 never tries again
  double first_seconds = 1;
  double longest_seconds = 60;
  // A server that asks for more than this is not waited for: the reply comes back as it is.
  double longest_retry_after_seconds = 120;
  std::uint64_t seed = 0;  // of the jitter; 0 takes one that differs from process to process
};

struct GovernedOptions {
  RetryPolicy retry;
  RateLimits rates;
  std::shared_ptr<RateGate> gate;  // limits shared with other processes; may be null
  std::shared_ptr<Budget> budget;  // shared by all providers of a run; may be null
  std::shared_ptr<Purse> purse;    // a budget shared with other processes, priced by `budget`; may be null
  std::shared_ptr<Clock> clock = real_clock();
};

ProviderPtr make_governed(ProviderPtr inner, const GovernedOptions& options);

}  // namespace areason::llm
