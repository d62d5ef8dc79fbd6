#include "train/batch_workers.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#include <torch/csrc/autograd/autograd.h>
#pragma GCC diagnostic pop

#include "base/interrupt.h"

namespace areason::train {

BatchWorkers::BatchWorkers(int workers, int torch_threads) : pool_(workers), torch_threads_(torch_threads) {
  at::set_num_threads(torch_threads);
}

void BatchWorkers::on_each(const std::function<void(int)>& body) {
  pool_.parallel_for(static_cast<std::size_t>(pool_.size()), 1, [&](std::size_t begin, std::size_t end) {
    thread_local int threads = 0;
    if (threads != torch_threads_) at::set_num_threads(torch_threads_);  // OpenMP's setting is per thread
    threads = torch_threads_;
    for (std::size_t w = begin; w < end; ++w) body(static_cast<int>(w));
  });
}

TokenStats BatchWorkers::gradients(TrainModel& model, const std::vector<MicroBatch>& batches, float weight) {
  return gradients(model, batches, weight, [&](std::size_t b) { return model.loss(batches[b], true); });
}

TokenStats BatchWorkers::gradients(TrainModel& model, const std::vector<MicroBatch>& batches, float weight,
                                   const LossOf& loss_of) {
  std::vector<at::Tensor> inputs;
  for (Parameter& p : model.parameters()) {
    if (p.value.requires_grad()) inputs.push_back(p.value);
  }
  const auto workers = static_cast<std::size_t>(size());
  std::vector<std::vector<at::Tensor>> sums(workers, std::vector<at::Tensor>(inputs.size()));
  std::vector<LateStats> stats(workers);
  const at::Tensor scale = at::ones({}, inputs.at(0).options().requires_grad(false)).mul_(weight);
  on_each([&](int w) {
    const auto worker = static_cast<std::size_t>(w);
    for (std::size_t b = worker; b < batches.size(); b += workers) {
      TokenLoss loss = loss_of(b);
      const auto grads = torch::autograd::grad({loss.sum}, inputs, {scale}, std::nullopt, false, true);
      stats[worker].add(batches[b], std::move(loss));
      for (std::size_t i = 0; i < grads.size(); ++i) {
        if (!grads[i].defined()) continue;
        at::Tensor& sum = sums[worker][i];
        sum = sum.defined() ? sum.add_(grads[i]) : grads[i];
      }
    }
  });
  TokenStats total;
  for (std::size_t w = 0; w < workers; ++w) {
    total.merge(stats[w].take());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (!sums[w][i].defined()) continue;
      at::Tensor& grad = inputs[i].mutable_grad();
      grad = grad.defined() ? grad.add_(sums[w][i]) : sums[w][i];
    }
  }
  return total;
}

TokenStats BatchWorkers::losses(const TrainModel& model, const std::vector<MicroBatch>& batches) {
  const auto workers = static_cast<std::size_t>(size());
  std::vector<LateStats> stats(workers);
  on_each([&](int w) {
    const at::NoGradGuard guard;
    const auto worker = static_cast<std::size_t>(w);
    for (std::size_t b = worker; b < batches.size(); b += workers) stats[worker].add(batches[b], model.loss(batches[b], false));
  });
  TokenStats total;
  for (LateStats& s : stats) total.merge(s.take());
  return total;
}

}  // namespace areason::train
