#pragma once
// Keeps steps with a broken loss or gradient away from the weights: they are skipped, counted and named, and after a limit the
// run ends. Called by trainer.cpp. Its state is part of a checkpoint, so that a resumed run decides as an uninterrupted one.
// Errors: Error(kFailure) naming the last steps' samples. Thread rule: the training thread.
#include <cstdint>
#include <string>
#include <vector>

#include "base/json_fwd.h"

namespace areason::train {

struct GuardOptions {
  double spike = 10;  // a loss above this times its running mean (and 2 above it) is a broken one; 0: only NaN and infinity are
  int limit = 10;     // so many refused steps in a row end the run
};

class StepGuard {
 public:
  explicit StepGuard(const GuardOptions& options) : options_(options) {}
  // "" when a step of this mean loss (or whatever `what` names) may change the weights, otherwise what is wrong with it.
  std::string objection(double loss, const char* what = "loss") const;
  void accepted(double loss);
  // Warns; throws after the limit. `ids`: the step's samples.
  void refused(std::int64_t step, const std::string& why, const std::vector<std::string>& ids);
  std::int64_t skipped() const { return skipped_; }
  Json state() const;
  void restore(const Json& state);

 private:
  GuardOptions options_;
  double mean_ = 0;
  std::int64_t seen_ = 0, skipped_ = 0, in_a_row_ = 0;
};

}  // namespace areason::train
