#pragma once
// Time for measuring durations. Thread rule: free function.
#include <chrono>

namespace areason {

// Seconds of a clock that is never set back, from a start of its own.
inline double monotonic_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace areason
