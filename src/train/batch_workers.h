#pragma once
// Runs the micro-batches of a step on several threads, each of which does all of its batch's work alone: no barrier per
// operation (torch's own OpenMP loops lost most of their time in them on a busy machine). Called by trainer.cpp and
// features.cpp. Results do not depend on timing: worker w takes batches w, w + W, …, and sums are added in worker order.
// Thread rule: one caller.
#include <functional>
#include <vector>

#include "base/thread_pool.h"
#include "train/metrics.h"
#include "train/train_model.h"

namespace areason::train {

class BatchWorkers {
 public:
  // `workers` <= 0: one per core. Torch's own threads are turned off for the process unless each worker is to have more.
  explicit BatchWorkers(int workers, int torch_threads = 1);
  int size() const { return pool_.size(); }
  // Calls body(worker) on every worker.
  void on_each(const std::function<void(int)>& body);
  // Leaves weight * d(sum of losses) in the parameters' gradients.
  TokenStats gradients(TrainModel& model, const std::vector<MicroBatch>& batches, float weight);
  // The same of a loss of the caller's.
  using LossOf = std::function<TokenLoss(std::size_t batch)>;
  TokenStats gradients(TrainModel& model, const std::vector<MicroBatch>& batches, float weight, const LossOf& loss_of);
  TokenStats losses(const TrainModel& model, const std::vector<MicroBatch>& batches);

 private:
  ThreadPool pool_;
  int torch_threads_;
};

}  // namespace areason::train
