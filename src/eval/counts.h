#pragma once
// Named outcomes and how often they came, e.g. "duplicate_id". Everything odd in an input ends up in one of these. Used by
// readers and scorers of this folder. Thread rule: one thread.
#include <map>
#include <string>
#include <string_view>

namespace areason {

class Counts {
 public:
  void add(std::string_view name, long n = 1) {
    const auto found = all_.find(name);
    if (found != all_.end()) {
      found->second += n;
    } else {
      all_.emplace(std::string(name), n);
    }
  }
  void add(const Counts& other) {
    for (const auto& [name, n] : other.all_) add(name, n);
  }
  long of(std::string_view name) const {
    const auto found = all_.find(name);
    return found == all_.end() ? 0 : found->second;
  }
  const std::map<std::string, long, std::less<>>& all() const { return all_; }

 private:
  std::map<std::string, long, std::less<>> all_;
};

}  // namespace areason
