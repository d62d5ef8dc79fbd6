// The path of devices that are not the processor, on a second device (second_device.h): the same numbers as the processor's
// fused loops, no number read through a pointer, no wait more than needed; and whole runs on it. No GPU takes part.
#include "train/device.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/testing.h"
#include "train/checkpoint.h"
#include "train/second_device/second_device.h"
#include "train/second_device/trained.h"
#include "train/testing_run.h"
#include "train/trainer.h"

namespace areason::train {
namespace {

namespace fs = std::filesystem;

at::Device second() { return open_device(kSecondDevice); }

TEST(SecondDevice, IsNotThereForRawPointersAndForMixedTensors) {
  const at::Tensor host = at::ones({3}), there = to_device(host, second());
  EXPECT_TRUE(at::equal((there * 2).to(at::kCPU), host * 2));
  EXPECT_THROW(there + host, c10::Error);
  EXPECT_EXIT(std::exit(static_cast<int>(*static_cast<const volatile float*>(there.data_ptr()))),
              testing::KilledBySignal(SIGSEGV), "");
}

TEST(SecondDevice, IsOpenedByItsNameAndOthersAreRefused) {
  EXPECT_EQ(second().type(), at::DeviceType::PrivateUse1);
  EXPECT_TRUE(open_device("auto").is_cpu()) << "this libtorch has no CUDA";
  for (const char* name : {"cuda", "cuda:1", "xpu", "abacus", "cuda:x"}) EXPECT_THROW(open_device(name), Error) << name;
}

struct Way {
  const char* name;
  at::ScalarType compute = at::kFloat;
  ForwardOptions forward = {};
  int adapter = 0;
  bool muon = false;
  StateBits states = StateBits::k32;
  // Greatest relative differences: of a loss, of a tensor's gradient, of all weights and of all states after the steps.
  double loss = 1e-6, gradient = 1e-5, value = 1e-5;
};

ForwardOptions noisy() {
  ForwardOptions out;
  out.dropout = 0.1;
  out.neftune = 5;
  out.label_smoothing = 0.1;
  out.z_loss = 1e-3;
  out.activations = Activations::kRecompute;
  return out;
}

// f32: sums in another order. bf16: 8 bits a number, and softmax and products round at other places; AdamW's first steps have
// the size of the rate whatever the gradient is, also where it is nothing but rounding.
const Way kWays[] = {{"Plain"},
                     {"NoiseAndRecompute", at::kFloat, noisy()},
                     {"Adapter", at::kFloat, {}, 3},
                     {"Muon", at::kFloat, {}, 0, true},
                     {"SmallStates", at::kFloat, {}, 0, false, StateBits::k8, 1e-6, 1e-5, 0.02},
                     {"Bf16", at::kBFloat16, {}, 0, false, StateBits::k32, 5e-3, 6e-2, 0.05},
                     {"Bf16NoiseAndRecompute", at::kBFloat16, noisy(), 0, false, StateBits::k32, 5e-3, 6e-2, 0.05}};

class DevicePath : public testing::TestWithParam<std::tuple<Way, int>> {
 protected:
  TrainingCase on(at::Device device, int stage) const {
    const Way& way = std::get<0>(GetParam());
    TrainingCase c;
    c.device = device;
    c.compute = way.compute;
    c.forward = way.forward;
    c.adapter.rank = way.adapter;
    c.adapter.dropout = 0;
    c.muon = way.muon;
    c.states = way.states;
    c.stage = stage;
    return c;
  }
};

TEST_P(DevicePath, EqualsTheProcessors) {
  const auto& [way, stage] = GetParam();
  Ranks one;
  const TrainedModel expected = train_small(on(at::kCPU, 1), one);
  const DeviceCounts before = device_counts();
  const TrainedModel got = train_small(on(second(), stage), one);
  EXPECT_GT(device_counts().operations, before.operations + 1000) << "the second device must have been used";
  ASSERT_EQ(got.losses.size(), expected.losses.size());
  for (std::size_t i = 0; i < got.losses.size(); ++i) {
    // Later steps have other weights.
    const double room = i == 0 ? way.loss : 20 * way.loss;
    EXPECT_NEAR(got.losses[i] / expected.losses[i], 1, room) << "step " << i;
    EXPECT_NEAR(got.norms[i] / expected.norms[i], 1, 20 * room) << "step " << i;
  }
  EXPECT_LT(got.held_out, got.losses.front()) << "the case must train something";
  EXPECT_NEAR(got.held_out / expected.held_out, 1, 20 * way.loss);
  if (stage == 1) {
    EXPECT_LT(farthest(got.gradients, expected.gradients), way.gradient);
  }
  EXPECT_LT(apart(got.values, expected.values), way.value);
  EXPECT_LT(apart(got.states, expected.states), 10 * way.value);
}

// Muon needs whole matrices, hence stage 1.
std::vector<std::tuple<Way, int>> ways_and_stages() {
  std::vector<std::tuple<Way, int>> out;
  for (const Way& way : kWays)
    for (const int stage : {1, 2, 3})
      if (!way.muon || stage == 1) out.emplace_back(way, stage);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Ways, DevicePath, testing::ValuesIn(ways_and_stages()), [](const auto& of) {
  return std::string(std::get<0>(of.param).name) + "Stage" + std::to_string(std::get<1>(of.param));
});

// As reinforcement has it: another distribution than the softmax of the logits, and weights that follow from the losses.
Tensors weighed_gradients(at::Device device, std::vector<float>& losses) {
  TrainModel model(small_config(), at::kFloat, device);
  model.allocate();
  model.initialise(3);
  model.set_trained(PartOfModel::kDecoder, true);
  const std::vector<MicroBatch> batches = {small_micro_batches()[0]};
  const auto labels = static_cast<std::size_t>(batches[0].labels.numel());
  auto generator = at::make_generator<at::CPUGeneratorImpl>(4);
  HeadLossOptions options;
  options.scale = 0.7;
  options.shifts =
      at::empty({2, small_config().text.vocab_size}, at::TensorOptions().dtype(at::kFloat)).normal_(0, 1, generator);
  options.shift_rows = at::ones({batches[0].labels.numel()}, at::TensorOptions().dtype(at::kLong));
  options.shift_rows.narrow(0, 0, 3).zero_();
  options.bytes = 1 << 10;  // several pieces
  options.weigh = [](std::int64_t, std::span<const float> found, float* weights) {
    std::transform(found.begin(), found.end(), weights, [](float loss) { return 0.1f * loss - 0.2f; });
  };
  BatchWorkers(1).gradients(model, batches, 1.0f, [&](std::size_t b) {
    TokenLoss loss = model.loss_of_head(batches[b], options);
    loss.settle();
    losses = loss.loss;
    return loss;
  });
  EXPECT_EQ(losses.size(), labels);
  Tensors out;
  for (const Parameter& p : model.parameters()) {
    if (p.value.grad().defined()) out[p.name] = p.value.grad().to(at::kCPU);
  }
  return out;
}

TEST(DeviceHead, WeighsItsRowsAsTheProcessorDoes) {
  std::vector<float> expected_losses, losses;
  const Tensors expected = weighed_gradients(at::kCPU, expected_losses), got = weighed_gradients(second(), losses);
  for (std::size_t i = 0; i < losses.size(); ++i) EXPECT_NEAR(losses[i], expected_losses[i], 1e-5);
  EXPECT_LT(farthest(got, expected), 1e-4);
}

// Once for the norm, which decides whether the step counts, and once a micro-batch for its losses.
TEST(DeviceStep, WaitsForTheDeviceNoMoreThanNeeded) {
  for (const int stage : {1, 2, 3}) {
    TrainingCase c;
    c.device = second();
    c.stage = stage;
    Ranks one;
    std::int64_t waits[2];
    for (const int more : {0, 1}) {
      c.steps = 1 + more;
      const DeviceCounts before = device_counts();
      train_small(c, one);
      waits[more] = device_counts().waits - before.waits;
    }
    EXPECT_EQ(waits[1] - waits[0], 1 + static_cast<std::int64_t>(small_micro_batches().size())) << "stage " << stage;
  }
}

class DeviceRun : public testing::Test {
 protected:
  void SetUp() override { write_small_run(dir_); }
  TrainOptions options(const std::string& device, const std::string& out) const {
    TrainOptions o;
    o.device = device;
    o.data = o.validation = {dir_ / "data.jsonl"};
    o.config = dir_ / "config.json";
    o.tokenizer = dir_ / "tok";
    o.out = dir_ / out;
    o.precision = o.save_dtype = "f32";
    o.threads = 1;
    o.data_options.batch_samples = 4;
    o.data_options.max_length = 1024;
    o.schedule.warmup = 3;
    o.max_steps = 6;
    o.log_every = 1;
    o.save_every = 2;
    o.eval_every = 3;
    return o;
  }
  std::vector<double> losses(const std::string& out, const char* key) const {
    std::ifstream in(dir_ / out / "logging.jsonl");
    std::vector<double> found;
    for (std::string line; std::getline(in, line);) {
      const Json json = Json::parse(line);
      if (json.contains(key)) found.push_back(json[key]);
    }
    return found;
  }
  std::string state(const std::string& out) const { return sha256_file(dir_ / out / "checkpoint-6/optimizer.safetensors"); }
  const ScratchDir scratch_;
  const fs::path dir_ = scratch_.path();
};

TEST_F(DeviceRun, LearnsAsOnTheProcessorAndGoesOnBitForBitSlow) {
  run_training(options("cpu", "host"));
  for (const int zero : {1, 3}) {
    const std::string whole = "whole" + std::to_string(zero), parts = "parts" + std::to_string(zero);
    TrainOptions o = options(kSecondDevice, whole);
    o.zero = zero;
    run_training(o);
    for (const char* key : {"loss", "eval_loss"}) {
      const auto expected = losses("host", key), got = losses(whole, key);
      ASSERT_EQ(got.size(), expected.size());
      ASSERT_FALSE(got.empty());
      for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i] / expected[i], 1, 1e-4) << key << " " << i;
    }
    // Dropout too: its numbers come from the step, not from a generator that a checkpoint would have to hold.
    o.forward.dropout = 0.2;
    o.out = dir_ / (whole + "d");
    run_training(o);
    o.out = dir_ / parts;
    o.stop_after = 3;
    run_training(o);
    o.stop_after = 0;
    run_training(o);
    EXPECT_EQ(state(parts), state(whole + "d"));
  }
}

TEST_F(DeviceRun, AFrozenTowerIsCachedAndACheckpointFitsAnyDeviceSlow) {
  TrainOptions o = options(kSecondDevice, "frozen");
  o.freeze = {"audio_tower"};
  o.max_steps = 3;
  run_training(o);
  o.device = "cpu";
  o.max_steps = 6;
  run_training(o);
  o.out = dir_ / "host";
  run_training(o);
  const auto expected = losses("host", "loss"), got = losses("frozen", "loss");
  ASSERT_EQ(got.size(), expected.size());
  // The tower's outputs are cached as f16; the schedule's end differs in the first half.
  EXPECT_NEAR(got.back() / expected.back(), 1, 0.05);
}

}  // namespace
}  // namespace areason::train
