#pragma once
// Counters of the server in Prometheus' text format (prometheus.io, "Exposition formats", version 0.0.4). Thread rule: safe
// from any thread.
#include <array>
#include <map>
#include <mutex>
#include <span>
#include <string>

#include "serve/engine_thread.h"

namespace areason::serve {

class Metrics {
 public:
  void count_response(int status);
  void first_text(double seconds);  // from the request's arrival to its first piece
  void answered(std::span<const Answer> answers, double seconds);
  std::string text(const EngineLoad& load) const;

 private:
  struct Histogram {
    static constexpr std::array<double, 12> kBounds = {0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 60, 150, 600};
    std::array<long, kBounds.size() + 1> counts = {};
    double sum = 0;
    void add(double seconds);
    void write(const std::string& name, const std::string& help, std::string& out) const;
  };
  mutable std::mutex mutex_;
  std::map<int, long> responses_;
  long prompt_tokens_ = 0, audio_tokens_ = 0, reused_tokens_ = 0, generated_tokens_ = 0;
  double audio_seconds_ = 0;
  Histogram first_text_, request_;
};

}  // namespace areason::serve
