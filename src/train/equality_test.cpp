// What must make no difference: accumulation, activation checkpointing, adapters that are merged; and what LoRA trains.
#include <gtest/gtest.h>

#include <filesystem>

#include "base/files.h"
#include "base/testing.h"
#include "model/safetensors.h"
#include "train/checkpoint.h"
#include "train/optimizer.h"
#include "train/testing.h"

namespace areason::train {
namespace {

namespace fs = std::filesystem;
constexpr std::array kAllParts = {PartOfModel::kAudioTower, PartOfModel::kProjector, PartOfModel::kDecoder};

TrainModel make_model(const ForwardOptions& options) {
  TrainModel model(small_config(), at::kFloat);
  model.set_options(options);
  model.initialise(3);
  for (const PartOfModel part : kAllParts) model.set_trained(part, true);
  return model;
}

std::map<std::string, at::Tensor> gradients(TrainModel& model, const std::vector<MicroBatch>& batches, float weight) {
  BatchWorkers(1).gradients(model, batches, weight);
  std::map<std::string, at::Tensor> out;
  for (const Parameter& p : model.parameters()) {
    if (p.value.grad().defined()) out[p.name] = p.value.grad().clone();
  }
  return out;
}

double relative(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>() / std::max(1e-12, b.abs().max().item<double>());
}

// Three samples with different numbers of labels: their mean is over tokens, not over micro-batches.
TEST(Equality, AccumulationOfOneAndThree) {
  const auto rows = make_rows(3, 1, Sharing::kShared);
  std::int64_t labels = 0;
  for (const PackedRow& row : rows) labels += row.labels;
  ASSERT_NE(rows[0].labels, rows[1].labels);
  std::map<std::string, at::Tensor> after[2];
  for (const int way : {0, 1}) {
    TrainModel model = make_model({});
    BatchWorkers workers(1);
    Optimizer optimizer(model, {}, workers);
    for (int step = 0; step < 3; ++step) {
      std::vector<MicroBatch> batches;
      if (way == 0) batches.push_back(pack(rows));
      for (std::size_t i = 0; way == 1 && i < rows.size(); ++i) batches.push_back(pack(std::span(rows).subspan(i, 1)));
      workers.gradients(model, batches, 1.0f / static_cast<float>(labels));
      optimizer.step({{1e-2, 1e-2, 1e-2}, 0});
    }
    for (const Parameter& p : model.parameters()) after[way][p.name] = p.value.detach().clone();
  }
  // Sums in another order; AdamW magnifies the difference of tiny gradients in the first steps.
  for (const auto& [name, value] : after[0]) EXPECT_LT(relative(after[1][name], value), 2e-3) << name;
}

TEST(Equality, RecomputedActivations) {
  auto rows = make_rows(3, 2, Sharing::kShared);
  give_mels(rows);
  for (const double dropout : {0.0, 0.2}) {
    ForwardOptions options;
    options.dropout = dropout;
    options.neftune = dropout > 0 ? 5 : 0;
    std::vector<MicroBatch> batches = {pack(rows)};
    batches[0].dropout_seed = 7;
    TrainModel keep = make_model(options);
    options.activations = Activations::kRecompute;
    TrainModel again = make_model(options);
    const auto expected = gradients(keep, batches, 0.1f), got = gradients(again, batches, 0.1f);
    ASSERT_EQ(got.size(), expected.size());
    EXPECT_GT(expected.at("audio_tower.conv1.weight").abs().max().item<double>(), 0);
    // The same operations on the same numbers.
    for (const auto& [name, value] : expected)
      EXPECT_TRUE(at::equal(got.at(name), value)) << name << " " << relative(got.at(name), value);
  }
}

TEST(Noise, IsForTrainingOnly) {
  const auto rows = make_rows(2, 1, Sharing::kShared);
  const MicroBatch batch = pack(rows);
  TrainModel plain = make_model({});
  ForwardOptions options;
  options.neftune = 5;
  TrainModel noisy = make_model(options);
  const at::NoGradGuard guard;
  EXPECT_TRUE(at::equal(noisy.logits(batch, false), plain.logits(batch, false)));
  EXPECT_FALSE(at::equal(noisy.logits(batch, true), plain.logits(batch, true)));
  EXPECT_TRUE(at::equal(noisy.logits(batch, true), noisy.logits(batch, true))) << "a micro-batch has its own seed";
}

class Lora : public testing::TestWithParam<AdapterScale> {
 protected:
  void SetUp() override {
    make_directories(dir_ / "base");
    make_directories(dir_ / "adapter");
    options_.rank = 3;
    options_.alpha = 8;
    options_.scaling = GetParam();
  }

  TrainModel adapted() const {
    TrainModel model(small_config(), at::kFloat);
    model.add_adapters(options_);
    model.initialise(3);
    return model;
  }
  const ScratchDir scratch_;
  const fs::path dir_ = scratch_.path();
  AdapterOptions options_;
};

TEST_P(Lora, TrainsItsMatricesOnlyAndEqualsTheMergedModel) {
  const MicroBatch batch = pack(make_rows(3, 2, Sharing::kShared));
  TrainModel model = adapted();
  const at::Tensor base_logits = make_model({}).logits(batch, false).detach();
  EXPECT_TRUE(at::equal(model.logits(batch, false).detach(), base_logits)) << "B starts at zero";
  save_weights(model, dir_ / "base", DType::kF32);

  BatchWorkers workers(1);
  Optimizer optimizer(model, {}, workers);
  for (int step = 0; step < 5; ++step) {
    workers.gradients(model, {batch}, 0.1f);
    optimizer.step({{0.05, 0.05, 0.05}, 0});
  }
  const TrainModel fresh = make_model({});
  for (const Parameter& p : model.parameters()) {
    EXPECT_TRUE(p.adapter || at::equal(p.value.detach(), fresh.at(p.name).detach())) << p.name;
  }
  const at::Tensor logits = model.logits(batch, false).detach();
  EXPECT_GT(relative(logits, base_logits), 0.01) << "five steps must show";

  save_adapters(model, dir_ / "adapter");
  merge_adapter({dir_ / "base", dir_ / "adapter", dir_ / "merged"});
  TrainModel merged = make_model({});
  load_parameters(merged, TensorStore::open(dir_ / "merged"));
  // One rounding of W + BA against two products.
  EXPECT_LT(relative(merged.logits(batch, false).detach(), logits), 1e-4);

  TrainModel loaded = adapted();
  load_adapters(loaded, dir_ / "adapter");
  EXPECT_TRUE(at::equal(loaded.logits(batch, false).detach(), logits));
}

INSTANTIATE_TEST_SUITE_P(Scales, Lora, testing::Values(AdapterScale::kPlain, AdapterScale::kRankStabilised),
                         [](const auto& info) { return info.param == AdapterScale::kPlain ? "Lora" : "RsLora"; });

}  // namespace
}  // namespace areason::train
