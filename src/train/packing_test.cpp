// Packed rows equal separate samples; workers equal one thread.
#include "train/packing.h"

#include <gtest/gtest.h>

#include "train/testing.h"

namespace areason::train {
namespace {

struct Result {
  TokenStats stats;
  std::vector<at::Tensor> gradients;
};

Result run(const std::vector<PackedRow>& rows, int workers, std::int64_t tokens) {
  TrainModel model(small_config(), at::kFloat);
  model.initialise(3);
  for (const auto part : {PartOfModel::kProjector, PartOfModel::kDecoder}) model.set_trained(part, true);
  BatchWorkers threads(workers);
  const auto batches = pack_step(rows, {tokens, workers, 0});
  Result result{threads.gradients(model, batches, 0.01f), {}};
  for (const Parameter& p : model.parameters()) {
    if (p.value.requires_grad()) result.gradients.push_back(p.value.grad());
  }
  return result;
}

void expect_equal(const Result& a, const Result& b) {
  EXPECT_EQ(a.stats.tokens, b.stats.tokens);
  EXPECT_EQ(a.stats.samples, b.stats.samples);
  // f32 sums in another order.
  EXPECT_NEAR(a.stats.loss / b.stats.loss, 1.0, 1e-5);
  ASSERT_EQ(a.gradients.size(), b.gradients.size());
  for (std::size_t i = 0; i < a.gradients.size(); ++i) {
    const double scale = b.gradients[i].abs().max().item<double>();
    EXPECT_GT(scale, 0) << i;
    EXPECT_LT((a.gradients[i] - b.gradients[i]).abs().max().item<double>(), 1e-4 * scale) << i;
  }
}

TEST(Packing, SharedPrefixEqualsSeparateSamples) {
  const auto shared = make_rows(2, 3, Sharing::kShared), separate = make_rows(2, 3, Sharing::kSeparate);
  ASSERT_EQ(shared.size(), 2u);
  ASSERT_EQ(separate.size(), 6u);
  EXPECT_GE(shared[0].prefix, 7 + kAudioTokens);
  EXPECT_LT(shared[0].tokens, separate[0].tokens + separate[1].tokens + separate[2].tokens);
  expect_equal(run(shared, 1, 1000), run(separate, 1, 1000));
}

TEST(Packing, MicroBatchesAndWorkersDoNotChangeTheSum) {
  const auto rows = make_rows(6, 2, Sharing::kShared);
  expect_equal(run(rows, 2, 40), run(rows, 1, 100000));
}

TEST(Packing, ThePositionBeforeTheFirstLabelIsNotShared) {
  Random random(1);
  PackedRow row;
  row.samples = {make_sample(random, 4), {}};
  row.samples[1] = row.samples[0];  // the same question and answer twice
  finish_row(row);
  EXPECT_EQ(row.prefix, static_cast<int>(row.samples[0].ids.size()) - 4 - 1);
  EXPECT_EQ(pack(std::vector<PackedRow>{row}).labels.numel(), 8);
}

TEST(Packing, StepsHaveAMultipleOfMicroBatches) {
  const auto rows = make_rows(40, 1, Sharing::kShared);
  for (const std::int64_t tokens : {20, 100, 10000}) {
    const auto batches = pack_step(rows, {tokens, 2, 0});
    EXPECT_EQ(batches.size() % 2, 0u) << tokens;
    int samples = 0;
    for (const MicroBatch& b : batches) samples += b.samples;
    EXPECT_EQ(samples, 40);
  }
}

TEST(KeyWords, AreWhatTheGroupsMatch) {
  const Tokenizer tokenizer = Tokenizer::load("tests/golden/tiny/model");
  Conversation c;
  c.messages.push_back({"user", {{Part::Kind::kText, "It is A or B?"}}});
  c.messages.push_back({"assistant", {{Part::Kind::kText, "<RESPONSE>\nIt is B. A?</RESPONSE>"}}});
  const std::regex key("It is ([A-D])\\.");
  const TokenizedSample s = tokenize_sample(tokenizer, c, {}, {&key, {}});
  std::string found;
  for (std::size_t i = 0; i < s.ids.size(); ++i) {
    if (s.kinds[i] == kKeyKind) found += tokenizer.bytes(s.ids[i]);
  }
  EXPECT_EQ(found, " B");
  for (const std::uint8_t kind : tokenize_sample(tokenizer, c, {}).kinds) EXPECT_NE(kind, kKeyKind);
}

}  // namespace
}  // namespace areason::train
