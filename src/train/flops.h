#pragma once
// Model FLOPs: what a training step must compute, for the share of the machine's peak that it reaches (MFU: recomputation,
// padding and waiting do not count). Products of matrices alone, two operations each; the backward pass costs twice the forward
// pass where weights train and once where they are frozen. Called by trainer.cpp. Thread rule: free functions.
#include <vector>

#include "train/batch_workers.h"
#include "train/train_model.h"

namespace areason::train {

double training_flops(const TrainModel& model, const std::vector<MicroBatch>& batches);

// Operations a second that a product of square matrices reaches on all workers at once (or on torch's threads of one worker),
// in the model's compute type, or that the device reaches. Takes about 0.05 s.
double measured_peak(BatchWorkers& workers, const TrainModel& model);

}  // namespace areason::train
