// What drawing a token costs with the released model's vocabulary: milliseconds a draw, by kind of draw, and the best token's
// for comparison. One thread, as the engine draws. Logits: normal noise with three likely tokens.
//   cmake --build build/release --target sampling_bench && build/release/bench/sampling_bench
#include <chrono>
#include <cstdio>
#include <vector>

#include "base/random.h"
#include "infer/sampling.h"

namespace areason {
namespace {

void run(const char* name, const SamplingOptions& options, const std::vector<float>& logits) {
  constexpr int kDraws = 50;
  Sampler sampler(options);
  std::chrono::duration<double, std::milli> spent{0};
  for (int i = 0; i < kDraws; ++i) {
    std::vector<float> copy = logits;
    const auto start = std::chrono::steady_clock::now();
    sampler.pick(copy, nullptr);
    spent += std::chrono::steady_clock::now() - start;
  }
  std::printf("%-32s %6.2f ms a token\n", name, spent.count() / kDraws);
}

}  // namespace
}  // namespace areason

int main() {
  using areason::run;
  std::vector<float> logits(156032);
  areason::Random random(1);
  for (float& logit : logits) logit = static_cast<float>(3 * random.normal());
  logits[77] = 22;
  logits[99] = 21;
  logits[12345] = 20;
  run("the best", {}, logits);
  run("temperature 0.7", {.temperature = 0.7f}, logits);
  run("temperature 0.7, top-p 0.9", {.temperature = 0.7f, .top_p = 0.9f}, logits);
  run("temperature 0.7, top-k 20", {.temperature = 0.7f, .top_k = 20}, logits);
  return 0;
}
