// The model on libtorch against transformers (model/parity_testing.h), and what its pool of keys and values promises.
#include "libtorch/load.h"
#include "model/parity_testing.h"
#include "model/qwen2_audio.h"

namespace areason {

std::unique_ptr<ModelBackend> load_tested(const std::string& model_dir) {
  return libtorch::load_torch_model(model_dir, {.device = "cpu", .dtype = "f32", .threads = 1});
}

namespace libtorch {
namespace {

INSTANTIATE_TEST_SUITE_P(Sets, ParityTest, ::testing::Values("reference", "golden"),
                         [](const auto& param) { return param.param; });

std::vector<int> some_ids(int count, int seed) {
  std::vector<int> ids;
  for (int i = 0; i < count; ++i) ids.push_back((i * 37 + seed * 101) % 1700);
  return ids;
}

class TorchModelTest : public ::testing::Test {
 protected:
  std::vector<float> feed(KvCache& cache, const std::vector<int>& ids) {
    return model_->forward(ids, {}, cache, Logits::kLast);
  }
  std::size_t blocks() const {
    const DecoderConfig& text = model_->config().text;
    const int numbers = 2 * text.layers * kBlockPositions * text.kv_heads * text.head_dim;
    return model_->kv_memory().bytes / (static_cast<std::size_t>(numbers) * sizeof(float));
  }
  std::unique_ptr<ModelBackend> model_ = load_torch_model("models/nano", {.device = "cpu", .dtype = "f32", .threads = 1});
};

TEST_F(TorchModelTest, ClonesShareBlocksUntilOneOfThemGrows) {
  KvCache first;
  feed(first, some_ids(40, 1));
  EXPECT_EQ(blocks(), 2u);
  KvCache second = first.clone();
  EXPECT_EQ(blocks(), 2u);
  const auto grown = feed(second, some_ids(3, 2));  // into its own copy of the half-filled block
  EXPECT_EQ(blocks(), 3u);
  EXPECT_EQ(first.length(), 40);
  EXPECT_EQ(second.length(), 43);
  // The first one has not seen what the second appended. Its blocks lie elsewhere, the numbers are the same.
  EXPECT_LT(testing_model::relative_error(feed(first, some_ids(3, 2)), grown), 1e-5f);
  first.truncate(0);
  second.truncate(0);
  EXPECT_EQ(blocks(), 0u);
}

// Sequences of one row in one call of attention (padded, masked), of several rows in their own, with blocks here and there.
TEST_F(TorchModelTest, ABatchGivesEverySequenceWhatItGetsAlone) {
  constexpr std::size_t kCount = 6;
  std::vector<KvCache> alone(kCount), together(kCount);
  for (int round = 0; round < 3; ++round) {
    std::vector<std::vector<int>> more;
    std::vector<float> wanted;
    for (std::size_t i = 0; i < kCount; ++i) {
      const int first = static_cast<int>(i * 29) + 3, next = i % 3 == 2 ? 4 : 1;
      more.push_back(some_ids(round == 0 ? first : next, static_cast<int>(i) + 10 * round));
      const auto logits = feed(alone[i], more.back());
      wanted.insert(wanted.end(), logits.begin(), logits.end());
    }
    std::vector<BatchItem> items;
    for (std::size_t i = 0; i < kCount; ++i) items.push_back({more[i], {}, &together[i], 1});
    EXPECT_LT(testing_model::relative_error(model_->forward_batch(items), wanted), 1e-4f) << round;
  }
}

TEST_F(TorchModelTest, ThePoolGrowsAndTakesBlocksAgain) {
  KvCache large, small;
  feed(small, some_ids(10, 1));
  const auto wanted = feed(small, some_ids(2, 2));
  for (int i = 0; i < 3; ++i) feed(large, some_ids(500, i));  // more than is allocated at first
  small.truncate(10);
  EXPECT_LT(testing_model::relative_error(feed(small, some_ids(2, 2)), wanted), 1e-5f);
  const std::size_t most = model_->kv_memory().peak;
  large.truncate(0);
  for (int i = 0; i < 3; ++i) feed(large, some_ids(500, i + 5));
  EXPECT_EQ(model_->kv_memory().peak, most);
}

TEST_F(TorchModelTest, AnErrorLeavesTheCachesAsTheyWere) {
  KvCache good, other;
  feed(good, some_ids(20, 1));
  const std::vector<int> ids = some_ids(3, 1), bad = {-1};
  const BatchItem items[] = {{ids, {}, &good, 1}, {bad, {}, &other, 1}};
  EXPECT_THROW(model_->forward_batch(items), Error);
  EXPECT_EQ(good.length(), 20);
  EXPECT_EQ(blocks(), 1u);
  Qwen2Audio native = Qwen2Audio::load("models/nano", 1);
  EXPECT_THROW(native.forward(ids, {}, good, Logits::kLast), Error);
  KvCache foreign;
  native.forward(ids, {}, foreign, Logits::kLast);
  EXPECT_THROW(model_->forward(ids, {}, foreign, Logits::kLast), Error);
}

TEST(TorchModelOptions, WhatIsNotThereIsAnError) {
  const auto load = [](const std::string& device, const std::string& dtype) {
    load_torch_model("models/nano", {device, dtype, 1});
  };
  for (const char* device : {"", "gpu", "cuda:", "cuda:x", "cuda:-1", "cuda0"})
    EXPECT_THROW(load(device, "auto"), Error) << device;
  EXPECT_THROW(load("cpu", "f8"), Error);
  EXPECT_THROW(load("cuda:99", "auto"), Error);  // no CUDA, or not that many
}

// Sixteen bits on the CPU: the arithmetic of a device, near the native numbers.
TEST(TorchModelOptions, SixteenBits) {
  Qwen2Audio native = Qwen2Audio::load("models/nano", 1);
  KvCache cache;
  const auto wanted = native.forward(some_ids(50, 3), {}, cache, Logits::kLast);
  for (const char* dtype : {"bf16", "f16"}) {
    const auto model = load_torch_model("models/nano", {"cpu", dtype, 1});
    EXPECT_EQ(kv_type_name(model->kv_type()), std::string(dtype));
    KvCache own;
    const float error = testing_model::relative_error(model->forward(some_ids(50, 3), {}, own, Logits::kLast), wanted);
    EXPECT_LT(error, 0.1f) << dtype;
    std::printf("  %s: logits within %.1e of f32\n", dtype, static_cast<double>(error));
  }
}

}  // namespace
}  // namespace libtorch
}  // namespace areason
