#pragma once
// Parity with transformers on every clip and prompt of a reference directory, for any implementation of the network: a test
// program includes this once, defines load_tested() and instantiates ParityTest. Shapes, prompts and clips come from the files.
// Tolerances are the issue's: embeddings and logits 1e-3 relative to the largest magnitude (both sides sum in f32, in
// different orders), greedy tokens equal but where the two best scores are within 1e-3.
#include <map>
#include <set>

#include "base/error.h"
#include "model/testing.h"

namespace areason {

// The model that is held against the reference.
std::unique_ptr<ModelBackend> load_tested(const std::string& model_dir);

namespace {

using namespace testing_model;

constexpr float kTolerance = 1e-3f;
constexpr double kMargin = 1e-3;

class ParityTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    dir_ = cases_dir(GetParam());
    if (dir_.empty()) GTEST_SKIP() << "NO REFERENCE VALUES";
    cases_ = read_cases(dir_);
    model_ = load_tested(dir_ + "/model");
  }
  TensorStore file(const Json& entry) const {
    return TensorStore::open(dir_ + "/cases/" + entry.at("file").get<std::string>());
  }

  AudioEmbeddings encode(const std::string& clip) {
    const Json& entry = cases_.at("clips").at(clip);
    const int window = 2 * model_->config().audio.max_positions;
    return model_->encode_audio(clip_mel(file(entry), entry.at("mel_frames").get<int>(), window));
  }

  struct Case {
    std::vector<int> ids;
    std::vector<AudioEmbeddings> audio;
    std::vector<int> begins;
    std::vector<AudioInsert> inserts() const {
      std::vector<AudioInsert> out;
      for (std::size_t i = 0; i < audio.size(); ++i) out.push_back({begins[i], &audio[i]});
      return out;
    }
  };
  Case make_case(const Json& prompt) {
    Case out;
    out.ids = read_ids(file(prompt).at("input_ids"));
    int at = 0;
    for (const auto& name : clip_names(prompt.at("messages"))) {
      out.audio.push_back(encode(name));
      while (out.ids.at(static_cast<std::size_t>(at)) != model_->config().audio_token) ++at;
      out.begins.push_back(at);
      at += out.audio.back().tokens;
    }
    return out;
  }

  // Positions [from, from + rows) with their share of the audio.
  Case piece(const Case& whole, int from, int rows) const {
    Case out;
    out.ids.assign(whole.ids.begin() + from, whole.ids.begin() + from + rows);
    const auto width = static_cast<std::ptrdiff_t>(model_->config().text.width);
    for (std::size_t a = 0; a < whole.audio.size(); ++a) {
      const int begin = std::max(from, whole.begins[a]), end = std::min(from + rows, whole.begins[a] + whole.audio[a].tokens);
      if (begin >= end) continue;
      const auto* source = whole.audio[a].data.data() + (begin - whole.begins[a]) * width;
      out.audio.push_back({end - begin, {source, source + (end - begin) * width}});
      out.begins.push_back(begin - from);
    }
    return out;
  }

  std::string dir_;
  Json cases_;
  std::unique_ptr<ModelBackend> model_;
};

TEST_P(ParityTest, AudioEmbeddings) {
  ASSERT_FALSE(cases_.at("clips").empty());
  for (const auto& [name, entry] : cases_.at("clips").items()) {
    const AudioEmbeddings got = encode(name);
    EXPECT_EQ(got.tokens, entry.at("audio_tokens").get<int>()) << name;
    const float error = relative_error(got.data, file(entry).at("audio_embeddings").to_f32());
    EXPECT_LT(error, kTolerance) << name;
    std::printf("  %s: embeddings within %.1e\n", name.c_str(), static_cast<double>(error));
  }
}

double log_sum_exp(const float* row, std::size_t n) {
  const float top = *std::max_element(row, row + n);
  double total = 0.0;
  for (std::size_t i = 0; i < n; ++i) total += std::exp(static_cast<double>(row[i] - top));
  return std::log(total) + top;
}

TEST_P(ParityTest, LogitsOfAllPositions) {
  for (const auto& prompt : cases_.at("prompts")) {
    const TensorStore want = file(prompt);
    const Case c = make_case(prompt);
    const auto vocabulary = static_cast<std::size_t>(model_->config().text.vocab_size);
    const auto kept = static_cast<std::size_t>(want.at("all_logits_first_1024").shape[1]);
    std::vector<float> first, sums, last;
    KvCache cache;
    // In pieces, so that a large vocabulary does not need gigabytes; an audio may lie across a border.
    constexpr int kPiece = 100;
    const int total = static_cast<int>(c.ids.size());
    for (int from = 0; from < total; from += kPiece) {
      const int rows = std::min(kPiece, total - from);
      const Case part = piece(c, from, rows);
      const auto logits = model_->forward(part.ids, part.inserts(), cache, Logits::kAll);
      for (std::size_t r = 0; r < static_cast<std::size_t>(rows); ++r) {
        const float* row = logits.data() + r * vocabulary;
        first.insert(first.end(), row, row + kept);
        sums.push_back(static_cast<float>(log_sum_exp(row, vocabulary)));
        last.assign(row, row + vocabulary);
      }
    }
    const std::string name = prompt.at("name").get<std::string>();
    EXPECT_EQ(cache.length(), total);
    EXPECT_LT(relative_error(first, want.at("all_logits_first_1024").to_f32()), kTolerance) << name;
    EXPECT_LT(relative_error(sums, want.at("logsumexp").to_f32()), kTolerance) << name;
    const float error = relative_error(last, want.at("last_logits").to_f32());
    EXPECT_LT(error, kTolerance) << name;
    std::printf("  %s: last logits within %.1e\n", name.c_str(), static_cast<double>(error));
  }
}

// transformers' RepetitionPenaltyLogitsProcessor: once per distinct id of prompt and output.
void penalize(std::vector<float>& logits, const std::set<int>& seen, float penalty) {
  for (const int id : seen) {
    float& score = logits[static_cast<std::size_t>(id)];
    score = score < 0 ? score * penalty : score / penalty;
  }
}

TEST_P(ParityTest, GreedyTokens) {
  for (const auto& prompt : cases_.at("prompts")) {
    const Case c = make_case(prompt);
    const TensorStore want_file = file(prompt);
    const auto want = read_ids(want_file.at("generated"));
    const auto penalty = prompt.at("repetition_penalty").get<float>();
    std::set<int> seen(c.ids.begin(), c.ids.end());
    KvCache cache;
    auto logits = model_->forward(c.ids, c.inserts(), cache, Logits::kLast);
    EXPECT_LT(relative_error(logits, want_file.at("last_logits").to_f32()), kTolerance);
    for (std::size_t i = 0; i < want.size(); ++i) {
      if (penalty != 1.0f) penalize(logits, seen, penalty);
      const int got = static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
      const double margin = prompt.at("greedy_margins").at(i).get<double>();
      EXPECT_TRUE(got == want[i] || margin < kMargin)
          << prompt.at("name") << " step " << i << ": " << got << " instead of " << want[i] << ", margin " << margin;
      seen.insert(want[i]);  // the reference's token, so that one close call does not spoil the rest
      logits = model_->forward({&want[i], 1}, {}, cache, Logits::kLast);
    }
  }
}

TEST_P(ParityTest, CacheCanBeClonedAndCutBack) {
  const Case c = make_case(cases_.at("prompts").at(0));
  KvCache whole;
  const auto want = model_->forward(c.ids, c.inserts(), whole, Logits::kLast);
  KvCache copy = whole.clone();
  const int next[] = {1, 2, 3};
  const auto after = model_->forward(next, {}, copy, Logits::kLast);
  EXPECT_EQ(whole.length(), static_cast<int>(c.ids.size()));
  EXPECT_EQ(copy.length(), whole.length() + 3);
  // The same positions again after a cut: the same numbers, bit for bit.
  copy.truncate(whole.length());
  EXPECT_EQ(model_->forward(next, {}, copy, Logits::kLast), after);
  // The last prompt position again, alone: another path through the kernels, the same value.
  whole.truncate(whole.length() - 1);
  const auto again = model_->forward(std::span(c.ids).last(1), {}, whole, Logits::kLast);
  EXPECT_LT(relative_error(again, want), 1e-4f);  // f32 sums in another order
}

TEST_P(ParityTest, WrongInputIsAnError) {
  KvCache cache;
  const auto& config = model_->config();
  const std::vector<int> many(static_cast<std::size_t>(config.text.max_positions) + 1, 1);
  EXPECT_THROW(model_->forward(many, {}, cache, Logits::kLast), Error);
  const int bad[] = {config.text.vocab_size};
  EXPECT_THROW(model_->forward(bad, {}, cache, Logits::kLast), Error);
  const int negative[] = {-1};
  EXPECT_THROW(model_->forward(negative, {}, cache, Logits::kLast), Error);
  EXPECT_EQ(cache.length(), 0);
  const AudioEmbeddings audio{2, std::vector<float>(2 * static_cast<std::size_t>(config.text.width))};
  const AudioInsert insert{0, &audio};
  const int one[] = {1};
  EXPECT_THROW(model_->forward(one, {&insert, 1}, cache, Logits::kLast), Error);
  LogMel mel{config.audio.mel_bins + 1, 0, 0, {}};
  EXPECT_THROW(model_->encode_audio(mel), Error);
  mel = {config.audio.mel_bins, 10, 10, std::vector<float>(static_cast<std::size_t>(10 * config.audio.mel_bins))};
  EXPECT_THROW(model_->encode_audio(mel), Error);  // lacks the frames after the valid ones
  mel = {config.audio.mel_bins, 0, 0, {}};
  EXPECT_EQ(model_->encode_audio(mel).tokens, 0);
}

}  // namespace
}  // namespace areason
