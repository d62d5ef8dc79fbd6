// Packed rows equal separate samples; workers equal one thread.
#include "train/packing.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "train/batch_workers.h"

namespace areason::train {
namespace {

// Grouped-query and tied, which the reference checkpoint is not.
ModelConfig small_config() {
  ModelConfig c;
  c.audio = {8, 1, 2, 32, 16, 1500, false};
  c.text.vocab_size = 60;
  c.text.width = 32;
  c.text.ffn = 48;
  c.text.layers = 2;
  c.text.heads = 4;
  c.text.kv_heads = 2;
  c.text.max_positions = 256;
  c.text.tied_embeddings = true;
  c.audio_token = 59;
  return c;
}

constexpr int kAudioTokens = 5;

// [7 tokens][5 audio][question: 3][answer] with the same start for every sample of a clip.
TokenizedSample make_sample(Random& random, int answer) {
  TokenizedSample s;
  for (int i = 0; i < 7; ++i) s.ids.push_back(i);
  s.audio.push_back({7, kAudioTokens});
  for (int i = 0; i < kAudioTokens; ++i) s.ids.push_back(59);
  for (int i = 0; i < 3 + answer; ++i) s.ids.push_back(random.between(10, 50));
  s.labelled.assign(s.ids.size(), 0);
  s.kinds.assign(s.ids.size(), 5);
  std::fill(s.labelled.end() - answer, s.labelled.end(), 1);
  return s;
}

std::vector<PackedRow> make_rows(int clips, int samples, Sharing sharing) {
  Random random(5);
  std::vector<PackedRow> rows;
  for (int c = 0; c < clips; ++c) {
    at::Tensor features = at::empty({kAudioTokens, 16}, at::TensorOptions().dtype(at::kFloat));
    for (int i = 0; i < kAudioTokens * 16; ++i) features.data_ptr<float>()[i] = static_cast<float>(random.normal());
    PackedRow shared;
    for (int s = 0; s < samples; ++s) {
      PackedRow& row = sharing == Sharing::kShared ? shared : rows.emplace_back();
      row.samples.push_back(make_sample(random, random.between(2, 9)));
      row.features = {features};
    }
    if (sharing == Sharing::kShared) rows.push_back(shared);
  }
  for (PackedRow& row : rows) finish_row(row);
  return rows;
}

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
