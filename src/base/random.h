#pragma once
// A small random generator whose numbers are the same on every machine and compiler (std's distributions are not): PCG32
// (O'Neill 2014, pcg-random.org, XSH-RR 64/32). Used for sampling and for data synthesis. Thread rule: one per thread.
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace areason {

class Random {
 public:
  explicit Random(std::uint64_t seed, std::uint64_t stream = 0);
  // A generator for one item of a larger job: depends on the seed and the name only, not on the order of the work.
  static Random for_item(std::uint64_t seed, std::string_view name);

  std::uint32_t next_u32();
  // Uniform in [0, 1) with 32 bits.
  double uniform() { return next_u32() * 0x1p-32; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  // Uniform in [0, n); n > 0. Unbiased.
  std::uint32_t below(std::uint32_t n);
  int between(int low, int high) { return low + static_cast<int>(below(static_cast<std::uint32_t>(high - low + 1))); }
  bool chance(double p) { return uniform() < p; }
  double normal();
  template <typename T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(static_cast<std::uint32_t>(i))]);
  }
  template <typename T>
  const T& pick(const std::vector<T>& items) {
    return items[below(static_cast<std::uint32_t>(items.size()))];
  }

 private:
  std::uint64_t state_;
  std::uint64_t increment_;
};

}  // namespace areason
