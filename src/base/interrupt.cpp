#include "base/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "base/error.h"

namespace areason {
namespace {
std::atomic<int> signals_seen{0};
static_assert(std::atomic<int>::is_always_lock_free, "used in a signal handler");

void on_signal(int) {
  if (signals_seen.fetch_add(1) >= 1) _exit(130);
}
}  // namespace

void install_interrupt_handler() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return signals_seen.load() > 0; }
void clear_interrupt() { signals_seen = 0; }

void throw_if_interrupted() {
  if (interrupted())
    throw Error(ErrorCode::kInterrupted, "interrupted", "finished work is kept; run the same command again to go on");
}

}  // namespace areason
