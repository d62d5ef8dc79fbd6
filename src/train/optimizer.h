#pragma once
// AdamW over a model's trained parameters with a learning rate per part, gradient clipping, and the schedule. Called by
// trainer.cpp. The update is ATen's fused kernel. Thread rule: the training thread.
#include <array>
#include <map>
#include <string>
#include <vector>

#include "train/train_model.h"

namespace areason::train {

struct OptimizerOptions {
  double beta1 = 0.9;
  double beta2 = 0.95;
  double eps = 1e-8;
  double weight_decay = 0.1;  // on every trained parameter, as the reference case has it
  double clip = 1.0;          // of the global norm; 0: off
};

// Indexed by PartOfModel.
using LearningRates = std::array<double, 3>;

class Optimizer {
 public:
  Optimizer(TrainModel& model, const OptimizerOptions& options);
  // One update with the gradients in the parameters, then clears them. Returns the global norm before clipping.
  double step(const LearningRates& rates);
  // "exp_avg.NAME" and "exp_avg_sq.NAME"; the number of steps is the caller's to keep.
  std::map<std::string, at::Tensor> state() const;
  void set_steps(std::int64_t steps);

 private:
  struct Group {
    PartOfModel part;
    std::vector<std::string> names;
    std::vector<at::Tensor> values, exp_avg, exp_avg_sq, steps;
  };
  OptimizerOptions options_;
  std::vector<Group> groups_;
};

struct Schedule {
  double peak = 1e-3;
  double floor = 0;           // what the cosine ends at
  std::int64_t warmup = 100;  // steps of linear warm-up: step s (from 0) has (s + 1) / warmup of the peak
};
// `progress` in [0, 1]: how much of the run is over, by steps or by time.
double scheduled_rate(const Schedule& schedule, std::int64_t step, double progress);

}  // namespace areason::train
