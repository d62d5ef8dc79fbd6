#pragma once
// Ranks whose exchanges of weights and gradients go over NCCL, where the tensors are and on torch's stream, without waiting for
// them; everything else (numbers of the loop, texts, tensors for a checkpoint) goes over the ranks it stands on, which are
// MPI's. Called by run_training(). Errors: Error(kFailure) naming the library or NCCL's own words. Thread rule: as Ranks;
// torch's thread of the device's backward pass too, never both at once.
#include <memory>
#include <string>

#include "train/ranks.h"

namespace areason::train {

enum class Collectives {
  kAuto,  // NCCL where CUDA is the device and the library is there, else MPI
  kMpi,
  kNccl,
};

inline constexpr const char* kNcclLibrary = "libnccl.so.2";

struct CollectivesOptions {
  Collectives kind = Collectives::kAuto;
  std::string nccl = kNcclLibrary;  // the library, or a path to it
};

// Puts NCCL on top of `ranks` where the options want it. They are left as they were when it throws: somebody must tell the
// other ranks. Every rank calls it, after open_device().
void use_collectives(std::unique_ptr<Ranks>& ranks, at::Device device, const CollectivesOptions& options);

}  // namespace areason::train
