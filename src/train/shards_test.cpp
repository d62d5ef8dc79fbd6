// ZeRO stages 2 and 3 on one rank against whole parameters, bit for bit. Several ranks: resume_test.cpp.
#include "train/shards.h"

#include <gtest/gtest.h>

#include "train/optimizer.h"
#include "train/testing.h"

namespace areason::train {
namespace {

constexpr int kWhole = 1;  // no Shards at all

struct Trained {
  std::map<std::string, at::Tensor> values, states;
  std::vector<double> losses, norms;
  double held_out = 0;
};

struct Case {
  ForwardOptions forward;
  AdapterOptions adapter;  // rank 0: none
  TowerUse tower = TowerUse::kEncodes;
  int stage = kWhole;
};

// A question without audio: the tower and the projector have nothing to do.
PackedRow text_row() {
  Random random(9);
  PackedRow row;
  TokenizedSample s = make_sample(random, 4);
  s.ids.erase(s.ids.begin() + 7, s.ids.begin() + 7 + kAudioTokens);
  s.audio.clear();
  s.labelled.assign(s.ids.size(), 0);
  s.kinds.assign(s.ids.size(), 5);
  std::fill(s.labelled.end() - 4, s.labelled.end(), 1);
  row.samples = {s};
  finish_row(row);
  return row;
}

std::vector<MicroBatch> micro_batches(TowerUse tower) {
  auto rows = make_rows(3, 2, Sharing::kShared);
  if (tower == TowerUse::kEncodes) give_mels(rows);
  rows.push_back(text_row());
  std::vector<MicroBatch> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back(pack(std::span(rows).subspan(i, 1)));
    out.back().dropout_seed = 5 + i;
  }
  return out;
}

// A head of its own: a tied one's two gradients would be added in another order.
TrainModel model_of(const Case& c) {
  ModelConfig config = small_config();
  config.text.tied_embeddings = false;
  TrainModel model(config, at::kFloat);
  model.set_options(c.forward);
  if (c.adapter.rank > 0) model.add_adapters(c.adapter);
  for (const PartOfModel part : {PartOfModel::kAudioTower, PartOfModel::kProjector, PartOfModel::kDecoder}) {
    const bool frozen = c.adapter.rank > 0 || (part == PartOfModel::kAudioTower && c.tower == TowerUse::kCached);
    model.set_trained(part, !frozen);
  }
  return model;
}

Trained train(const Case& c) {
  TrainModel model = model_of(c);
  Ranks one;
  BatchWorkers workers(1);
  const bool divided = c.stage != kWhole;
  std::unique_ptr<Shards> shards;
  if (divided) shards = std::make_unique<Shards>(model, one, static_cast<ZeroStage>(c.stage), c.tower);
  if (divided) {
    shards->fill([&](Parameter& p) { model.initialise(p, 3); });
  } else {
    model.initialise(3);
  }
  OptimizerOptions options;
  options.clip = 0;  // the norm is summed in another order
  Optimizer optimizer(model, options, workers, {&one, shards.get()});
  if (divided) shards->begin();
  const auto batches = micro_batches(c.tower);
  Trained out;
  for (int step = 0; step < 3; ++step) {
    const TokenStats stats = divided ? shards->gradients(batches, 0.01f) : workers.gradients(model, batches, 0.01f);
    out.losses.push_back(stats.mean_loss());
    out.norms.push_back(optimizer.step({{1e-2, 2e-2, 3e-2}, 0}));
  }
  out.held_out = (divided ? shards->losses(batches) : workers.losses(model, batches)).mean_loss();
  const auto keep = [](std::map<std::string, at::Tensor>& to) {
    return [&to](const std::string& name, const at::Tensor& whole) { to[name] = whole.detach().clone(); };
  };
  if (divided) {
    shards->collect(keep(out.values));
  } else {
    for (const Parameter& p : model.parameters()) keep(out.values)(p.name, p.value);
  }
  optimizer.collect(keep(out.states));
  return out;
}

void expect_equal(const std::map<std::string, at::Tensor>& got, const std::map<std::string, at::Tensor>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (const auto& [name, value] : expected) EXPECT_TRUE(got.contains(name) && at::equal(got.at(name), value)) << name;
}

class Zero : public testing::TestWithParam<int> {
 protected:
  void compare(Case c) const {
    const Trained expected = train(c);
    c.stage = GetParam();
    const Trained got = train(c);
    EXPECT_EQ(got.losses, expected.losses);
    for (std::size_t i = 0; i < got.norms.size(); ++i) EXPECT_NEAR(got.norms[i], expected.norms[i], 1e-9);
    EXPECT_EQ(got.held_out, expected.held_out);
    expect_equal(got.values, expected.values);
    expect_equal(got.states, expected.states);
    EXPECT_NE(expected.losses.back(), expected.losses.front()) << "the case must train something";
  }
};

TEST_P(Zero, EqualsWholeParameters) { compare({}); }

TEST_P(Zero, WithNoiseAndRecomputedActivations) {
  Case c;
  c.forward.dropout = 0.1;
  c.forward.neftune = 5;
  c.forward.activations = Activations::kRecompute;
  compare(c);
}

TEST_P(Zero, WithAFrozenTowerThatIsCached) {
  Case c;
  c.tower = TowerUse::kCached;
  compare(c);
}

TEST_P(Zero, WithAnAdapter) {
  Case c;
  c.adapter.rank = 3;
  c.adapter.dropout = 0;
  c.tower = TowerUse::kCached;
  compare(c);
}

TEST_P(Zero, WeightsHaveMemoryOnlyWhileTheyAreUsed) {
  Case c;
  TrainModel model = model_of(c);
  Ranks one;
  Shards shards(model, one, static_cast<ZeroStage>(GetParam()), c.tower);
  shards.fill([&](Parameter& p) { model.initialise(p, 3); });
  shards.begin();
  const auto batches = micro_batches(c.tower);
  shards.gradients(batches, 0.01f);
  for (const Parameter& p : model.parameters()) {
    EXPECT_EQ(p.value.storage().nbytes() == 0, GetParam() == 3) << p.name;
    EXPECT_FALSE(p.value.grad().defined()) << p.name << ": gradients live in the parts";
  }
}

TEST_P(Zero, RefusesMuon) {
  TrainModel model = model_of({});
  Ranks one;
  BatchWorkers workers(1);
  Shards shards(model, one, static_cast<ZeroStage>(GetParam()), TowerUse::kEncodes);
  OptimizerOptions options;
  options.muon = true;
  EXPECT_ANY_THROW(Optimizer(model, options, workers, {&one, &shards}));
}

INSTANTIATE_TEST_SUITE_P(Stages, Zero, testing::Values(2, 3),
                         [](const auto& info) { return "Stage" + std::to_string(info.param); });

}  // namespace
}  // namespace areason::train
