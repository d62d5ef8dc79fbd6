#pragma once
// The processes of a run that share its work: started by mpirun or srun they are MPI's ranks, otherwise there is one. Called by
// trainer.cpp, optimizer.cpp and shards.cpp. Every call but rank() and size() is made by all ranks in the same order. Built
// without MPI (libopenmpi-dev) only the single process exists. Tensors are f32, contiguous, of the same shape on every rank;
// MPI exchanges a device's through copies on the processor, NCCL (nccl_ranks.h) where they are.
// Errors: Error(kUsage) when several processes were started and MPI is not built in. Thread rule: the training thread.
#include <memory>
#include <string>
#include <vector>

#include "train/torch.h"

namespace areason::train {

class Ranks {
 public:
  // MPI's world when this process was started by mpirun or srun (their environment says so), else one process.
  static std::unique_ptr<Ranks> join();
  virtual ~Ranks() = default;
  virtual int rank() const { return 0; }
  virtual int size() const { return 1; }
  bool first() const { return rank() == 0; }
  // Adds up the tensors of all ranks in the one of `owner`; those of the others are undefined afterwards.
  virtual void sum_to(int /*owner*/, at::Tensor /*tensor*/) {}
  virtual void broadcast(int /*from*/, at::Tensor /*tensor*/) {}
  // Copies `from`'s tensor into that of rank 0.
  virtual void send_to_first(int /*from*/, at::Tensor /*tensor*/) {}
  // The two exchanges of shards.h, on flat buffers (what NCCL calls all-gather and reduce-scatter): `whole` [N * n] is the
  // parts [n] of all ranks side by side; `part` may be its own place in `whole`.
  virtual void all_gather(const at::Tensor& part, at::Tensor whole);
  // `part` [n] becomes this rank's part of the sum of all ranks' `whole`.
  virtual void reduce_scatter(const at::Tensor& whole, at::Tensor part);
  // Sums over ranks, in every rank, in the order of the ranks.
  virtual void sum(std::vector<double>& /*values*/) {}
  // The first rank's text in every rank.
  virtual std::string from_first(const std::string& text) { return text; }
  void barrier() { from_first(""); }
  // Ends all ranks with this exit status; returns only where there is one process.
  virtual void end_all(int /*status*/) {}
};

bool built_with_mpi();

}  // namespace areason::train
