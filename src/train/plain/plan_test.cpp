// The planner against counts and sums from elsewhere (facts 3.2 and 6: sizes of the released checkpoint's tensors).
#include "train/plain/plan.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/testing.h"
#include "model/safetensors.h"

namespace areason::train {
namespace {

ModelConfig released() {
  const ScratchDir dir;
  dir.put("config.json", read_file("configs/audio-reasoner-8b.json"));
  return load_model_config(dir.path());
}

double gb(std::uint64_t bytes) { return static_cast<double>(bytes) / 1e9; }

TEST(MemoryPlan, CountsTheReleasedModel) {
  const ParameterCounts counts = count_parameters(released());
  EXPECT_EQ(counts.decoder, 7754878976u);
  EXPECT_EQ(counts.tower, 636968960u);
  EXPECT_EQ(counts.projector, 5246976u);
  EXPECT_EQ(counts.all(), 8397094912u);
  EXPECT_EQ(count_lora(released(), 8), 19988480u);
}

TEST(MemoryPlan, CountsACheckpointOnDisk) {
  std::uint64_t elements = 0;
  const TensorStore store = TensorStore::open("models/nano");
  for (const auto& [name, view] : store.tensors()) {
    if (name != "language_model.lm_head.weight") elements += static_cast<std::uint64_t>(view.elements());  // tied: a copy
  }
  EXPECT_EQ(count_parameters(load_model_config("models/nano")).all(), elements);
}

// 16.8 GB of weights, 16.8 of gradients, 33.6 of master weights, 67.2 of moments.
TEST(MemoryPlan, FullFineTuningOfTheReleasedModel) {
  PlanOptions options;
  options.ranks = 8;
  options.precision = PlanPrecision::kBf16Master;
  options.attention = PlanAttention::kFlash;
  options.activations = PlanActivations::kRecompute;
  const Plan plan = plan_memory(released(), options);
  EXPECT_NEAR(gb(plan.rows[0].weights), 16.8, 0.05);
  EXPECT_NEAR(gb(plan.rows[0].gradients), 16.8, 0.05);
  EXPECT_NEAR(gb(plan.rows[0].master), 33.6, 0.05);
  EXPECT_NEAR(gb(plan.rows[0].states), 67.2, 0.05);
  EXPECT_NEAR(gb(plan.rows[1].states), 67.2 / 8, 0.05);
  EXPECT_NEAR(gb(plan.rows[2].gradients), 16.8 / 8, 0.05);
  EXPECT_NEAR(gb(plan.rows[3].weights), 16.8 / 8, 0.05);
  for (std::size_t stage = 1; stage < 4; ++stage) EXPECT_LT(plan.rows[stage].total(), plan.rows[stage - 1].total());
  EXPECT_GT(gb(plan.rows[0].total()), 80.0);
  EXPECT_LT(gb(plan.rows[1].total()), 70.0) << "8 GPUs of 80 GB must take it with room";
}

// What audio-reasoner-train itself does: f32 weights, gradients and states (134 GB), bf16 arithmetic.
TEST(MemoryPlan, TheTrainersOwnSchemeFitsEightCardsDividedAlone) {
  PlanOptions options;
  options.ranks = 8;
  options.attention = PlanAttention::kFlash;
  options.activations = PlanActivations::kRecompute;
  const Plan plan = plan_memory(released(), options);
  EXPECT_EQ(largest_unit(released()), std::uint64_t{156032} * 4096);
  EXPECT_NEAR(gb(plan.rows[0].lasting()), 134.4, 0.1);
  EXPECT_NEAR(gb(plan.rows[3].lasting()), 134.4 / 8, 0.1);
  // Stage 1: a micro-batch's gradients stand beside their sum. Stage 3: the embeddings gathered, their gradients twice, a bf16
  // copy.
  EXPECT_NEAR(gb(plan.rows[1].passing), 33.6 + 1.28, 0.1);
  EXPECT_NEAR(gb(plan.rows[3].passing), 0.639 * (4 + 2 * 4 + 2), 0.05);
  EXPECT_GT(gb(plan.rows[1].total()), 80.0);
  EXPECT_LT(gb(plan.rows[2].total()), 80.0);
  EXPECT_LT(gb(plan.rows[3].total()), 40.0);
  options.ranks = 1;
  for (const PlanRow& row : plan_memory(released(), options).rows) EXPECT_GT(gb(row.total()), 134.0);
  options.ranks = 8;
  options.activations = PlanActivations::kKeep;
  const Plan kept = plan_memory(released(), options);
  EXPECT_EQ(kept.rows[3].activations, plan.rows[3].activations) << "stage 3 recomputes";
  EXPECT_GT(kept.rows[2].activations, plan.rows[2].activations);
}

TEST(MemoryPlan, OptionsChangeWhatTheyShould) {
  PlanOptions base;
  base.precision = PlanPrecision::kBf16Master;
  const Plan keep = plan_memory(released(), base);
  PlanOptions options = base;
  options.activations = PlanActivations::kRecompute;
  EXPECT_LT(plan_memory(released(), options).rows[0].activations, keep.rows[0].activations / 4);
  options = base;
  options.lora_rank = 8;
  const Plan lora = plan_memory(released(), options);
  EXPECT_EQ(lora.trained, 19988480u);
  EXPECT_LT(gb(lora.rows[0].states + lora.rows[0].master), 0.3);
  options = base;
  options.optimizer = PlanOptimizer::kAdamW8;
  EXPECT_EQ(plan_memory(released(), options).rows[0].states, keep.rows[0].states / 4);
  options = base;
  options.train_tower = options.train_projector = false;
  EXPECT_EQ(plan_memory(released(), options).trained, 7754878976u);
  options = base;
  options.sequence = 8192;
  EXPECT_GT(plan_memory(released(), options).rows[0].activations, 2 * keep.rows[0].activations - (1u << 30));
}

}  // namespace
}  // namespace areason::train
