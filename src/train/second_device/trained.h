#pragma once
// A few steps of a small model on a device, with the whole of what came of it on the processor. Called by the tests of this
// folder. Thread rule: free functions.
#include <map>
#include <string>
#include <vector>

#include "train/optimizer.h"
#include "train/testing.h"

namespace areason::train {

struct TrainingCase {
  at::Device device = at::kCPU;
  at::ScalarType compute = at::kFloat;
  ForwardOptions forward;
  AdapterOptions adapter;  // rank 0: none
  bool muon = false;
  StateBits states = StateBits::k32;
  int stage = 1;  // of ZeRO
  int steps = 4;
};

struct TrainedModel {
  std::map<std::string, at::Tensor> gradients;  // of the first step; one rank's, stage 1 only
  std::map<std::string, at::Tensor> values, states;
  std::vector<double> losses, norms;
  double held_out = 0, accuracy = 0;
};

// Rows of three clips with two questions each (a shared prefix) and of one clip with one, in two micro-batches; each rank takes
// those of its number. Weights of the loss are not all 1.
std::vector<MicroBatch> small_micro_batches();
TrainedModel train_small(const TrainingCase& c, Ranks& ranks);

using Tensors = std::map<std::string, at::Tensor>;
// The greatest difference of two maps' tensors as a share of each tensor's greatest element.
double farthest(const Tensors& got, const Tensors& expected);
// The same of everything together: the length of the difference as a share of the length of `expected`.
double apart(const Tensors& got, const Tensors& expected);

}  // namespace areason::train
