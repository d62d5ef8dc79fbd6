#include "train/second_device/trained.h"

#include <array>
#include <cmath>
#include <memory>

namespace areason::train {
namespace {

constexpr std::array kAllParts = {PartOfModel::kAudioTower, PartOfModel::kProjector, PartOfModel::kDecoder};

TrainModel model_of(const TrainingCase& c) {
  TrainModel model(small_config(), c.compute, c.device);
  model.set_options(c.forward);
  if (c.adapter.rank > 0) model.add_adapters(c.adapter);
  for (const PartOfModel part : kAllParts) model.set_trained(part, c.adapter.rank == 0);
  return model;
}

auto kept_in(std::map<std::string, at::Tensor>& to) {
  return [&to](const std::string& name, const at::Tensor& whole) { to[name] = whole.detach().to(at::kCPU, false, true); };
}

void run_steps(const TrainingCase& c, Ranks& ranks, TrainModel& model, Shards* shards, TrainedModel& out) {
  BatchWorkers workers(1);
  OptimizerOptions options;
  options.muon = c.muon;
  options.states = c.states;
  options.clip = 0.5;
  Optimizer optimizer(model, options, workers, {&ranks, shards});
  std::vector<MicroBatch> own;
  const auto all = small_micro_batches();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (static_cast<int>(i) % ranks.size() == ranks.rank()) own.push_back(all[i]);
  }
  for (int step = 0; step < c.steps; ++step) {
    const TokenStats stats = shards != nullptr ? shards->gradients(own, 0.02f) : workers.gradients(model, own, 0.02f);
    if (step == 0 && shards == nullptr) {
      for (const Parameter& p : model.parameters()) {
        if (p.value.grad().defined()) kept_in(out.gradients)(p.name, p.value.grad());
      }
    }
    out.losses.push_back(stats.mean_loss());
    out.norms.push_back(optimizer.step({{1e-3, 2e-3, 3e-3}, 1e-3}));
  }
  const TokenStats last = shards != nullptr ? shards->losses(own) : workers.losses(model, own);
  out.held_out = last.mean_loss();
  out.accuracy = last.accuracy();
  optimizer.collect(kept_in(out.states));
}

}  // namespace

std::vector<MicroBatch> small_micro_batches() {
  auto rows = make_rows(3, 2, Sharing::kShared);
  for (PackedRow& row : make_rows(1, 1, Sharing::kShared)) rows.push_back(std::move(row));
  give_mels(rows);
  KindWeights weights = kEqualWeights;
  weights[5] = 0.5f;
  std::vector<MicroBatch> out;
  for (const std::size_t i : {0u, 2u}) {
    out.push_back(pack(std::span(rows).subspan(i, 2), weights));
    out.back().dropout_seed = 5 + i;
  }
  return out;
}

TrainedModel train_small(const TrainingCase& c, Ranks& ranks) {
  TrainModel model = model_of(c);
  TrainedModel out;
  if (c.stage == 1) {
    model.allocate();
    model.initialise(3);
    run_steps(c, ranks, model, nullptr, out);
    for (const Parameter& p : model.parameters()) kept_in(out.values)(p.name, p.value);
    return out;
  }
  Shards shards(model, ranks, static_cast<ZeroStage>(c.stage), TowerUse::kEncodes);
  shards.fill([&](Parameter& p) { model.initialise(p, 3); });
  shards.begin();
  run_steps(c, ranks, model, &shards, out);
  shards.collect(kept_in(out.values));
  return out;
}

double farthest(const Tensors& got, const Tensors& expected) {
  if (got.size() != expected.size() || got.empty()) return 1e9;
  double worst = 0;
  for (const auto& [name, value] : expected) {
    const double top = std::max(1e-12, value.abs().max().item<double>());
    worst = std::max(worst, (got.at(name) - value).abs().max().item<double>() / top);
  }
  return worst;
}

double apart(const Tensors& got, const Tensors& expected) {
  if (got.size() != expected.size() || got.empty()) return 1e9;
  double difference = 0, all = 0;
  for (const auto& [name, value] : expected) {
    difference += (got.at(name) - value).square().sum().item<double>();
    all += value.square().sum().item<double>();
  }
  return std::sqrt(difference / all);
}

}  // namespace areason::train
