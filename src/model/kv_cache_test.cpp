// Pages shared by sequences, and passes over several sequences, on the model that ships (real weights, sixteen bits).
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/testing.h"
#include "model/quantize.h"
#include "model/qwen2_audio.h"

namespace areason {
namespace {

class KvCacheTest : public ::testing::TestWithParam<KvType> {
 protected:
  void SetUp() override { model_.set_kv_type(GetParam()); }
  std::vector<float> feed(KvCache& cache, const std::vector<int>& ids, Logits logits = Logits::kLast) {
    return model_.forward(ids, {}, cache, logits);
  }
  static std::vector<int> some_ids(int count, int seed) {
    std::vector<int> ids;
    for (int i = 0; i < count; ++i) ids.push_back((i * 37 + seed * 101) % 1700);
    return ids;
  }
  Qwen2Audio model_ = Qwen2Audio::load("models/nano", 2);
};

INSTANTIATE_TEST_SUITE_P(Types, KvCacheTest, ::testing::Values(KvType::kF32, KvType::kF16, KvType::kBF16),
                         [](const auto& param) { return kv_type_name(param.param); });

TEST_P(KvCacheTest, ClonesSharePagesUntilOneOfThemGrows) {
  const std::size_t page = model_.kv_page_bytes();
  KvCache first;
  feed(first, some_ids(40, 1));
  EXPECT_EQ(model_.kv_memory().bytes, 2 * page);
  KvCache second = first.clone();
  EXPECT_EQ(model_.kv_memory().bytes, 2 * page);
  const auto next = some_ids(3, 2);
  const auto grown = feed(second, next);  // into its own copy of the half-filled page
  EXPECT_EQ(model_.kv_memory().bytes, 3 * page);
  EXPECT_EQ(first.length(), 40);
  EXPECT_EQ(second.length(), 43);
  EXPECT_EQ(feed(first, next), grown);  // the first one has not seen what the second appended
  {
    KvCache cut = second.clone();
    cut.truncate(32);
    second.truncate(0);
    EXPECT_EQ(model_.kv_memory().bytes, 2 * page);  // the first page is held by three, now by two
  }
  first.truncate(0);
  EXPECT_EQ(model_.kv_memory().bytes, 0u);
  EXPECT_EQ(model_.kv_memory().peak, 3 * page);
}

TEST_P(KvCacheTest, ABatchGivesEverySequenceWhatItGetsAlone) {
  std::vector<KvCache> alone(5), together(5);
  std::vector<std::vector<int>> more;
  std::vector<float> wanted;
  std::vector<BatchItem> items;
  for (int i = 0; i < 5; ++i) {
    const auto index = static_cast<std::size_t>(i);
    const auto prompt = some_ids(20 + 17 * i, i);
    feed(alone[index], prompt);
    feed(together[index], prompt);
    more.push_back(some_ids(1 + i % 3, 50 + i));
  }
  for (std::size_t i = 0; i < 5; ++i) {
    const auto logits = feed(alone[i], more[i], i == 2 ? Logits::kAll : Logits::kLast);
    if (i != 3) wanted.insert(wanted.end(), logits.begin(), logits.end());
    items.push_back({more[i], {}, &together[i], i == 2 ? 3 : i == 3 ? 0 : 1});
  }
  EXPECT_EQ(model_.forward_batch(items), wanted);
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(together[i].length(), alone[i].length());
}

TEST_P(KvCacheTest, AFailedBatchLeavesEveryCacheAsItWas) {
  KvCache good, bad;
  feed(good, some_ids(10, 1));
  const auto ids = some_ids(4, 2);
  const std::vector<int> unknown = {99999};
  const BatchItem items[] = {{ids, {}, &good, 1}, {unknown, {}, &bad, 1}};
  EXPECT_THROW(model_.forward_batch(items), Error);
  EXPECT_EQ(good.length(), 10);
  EXPECT_EQ(bad.length(), 0);
}

TEST_P(KvCacheTest, PagesCanBeStoredAndRestored) {
  KvCache cache;
  feed(cache, some_ids(70, 3));
  std::vector<std::byte> bytes;
  for (const std::string_view page : cache.pages())
    for (const char c : page) bytes.push_back(static_cast<std::byte>(c));
  KvCache restored = model_.restore_cache(bytes, 70);
  const auto next = some_ids(5, 4);
  EXPECT_EQ(feed(restored, next), feed(cache, next));
  bytes.pop_back();
  EXPECT_THROW(model_.restore_cache(bytes, 70), Error);
  EXPECT_THROW(model_.restore_cache({}, -1), Error);
}

// Integer formats: a prompt at once, one by one, and in a pass with 39 others give the same bits (design.md, 7).
TEST(QuantizedRows, ResultsDoNotDependOnTheBatch) {
  const ScratchDir scratch;
  const std::string dir = scratch.file("model");
  quantize_model({.model_dir = "models/nano", .out = dir, .type = GgufType::kQ8_0, .progress = {}});
  Qwen2Audio model = Qwen2Audio::load(dir, 2);
  EXPECT_GE(model.invariant_rows(), 40);
  std::vector<int> prompt;
  for (int i = 0; i < 75; ++i) prompt.push_back((i * 53 + 7) % 1700);
  KvCache whole, stepwise;
  const auto wanted = model.forward(prompt, {}, whole, Logits::kLast);
  std::vector<float> last;
  for (std::size_t i = 0; i < prompt.size(); ++i)
    last = model.forward(std::span(prompt).subspan(i, 1), {}, stepwise, Logits::kLast);
  EXPECT_EQ(last, wanted);

  std::vector<KvCache> caches(40);
  std::vector<BatchItem> items;
  for (std::size_t i = 0; i < caches.size(); ++i) {
    if (i == 20) caches[i] = whole.clone();
    const auto ids = std::span(prompt).subspan(i, 1 + i % 3);
    items.push_back({ids, {}, &caches[i], 1});
  }
  const auto together = model.forward_batch(items);
  const auto alone = model.forward(items[20].ids, {}, whole, Logits::kLast);
  const auto at = static_cast<std::ptrdiff_t>(20 * alone.size());
  EXPECT_EQ(std::vector<float>(together.begin() + at, together.begin() + at + static_cast<std::ptrdiff_t>(alone.size())),
            alone);
}

}  // namespace
}  // namespace areason
