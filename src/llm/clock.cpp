#include "llm/clock.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/interrupt.h"

namespace areason::llm {
namespace {

class RealClock : public Clock {
 public:
  double now() override { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
  void sleep_until(double when) override {
    constexpr double kSlice = 0.1;  // how late Ctrl-C may be noticed
    for (double left = when - now(); left > 0; left = when - now()) {
      throw_if_interrupted();
      std::this_thread::sleep_for(std::chrono::duration<double>(std::min(left, kSlice)));
    }
    throw_if_interrupted();
  }
};

}  // namespace

std::shared_ptr<Clock> real_clock() { return std::make_shared<RealClock>(); }

}  // namespace areason::llm
