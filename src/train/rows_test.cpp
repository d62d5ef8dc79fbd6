// Rows of every form give the same conversation; masks, weights, cuts and bad rows.
#include "train/rows.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/testing.h"
#include "cota/sample.h"
#include "train/packing.h"

namespace areason::train {
namespace {

namespace fs = std::filesystem;

TrainingRow row(const std::string& json, const RowOptions& options = {}) {
  return row_from_json(parse_json(json, "test"), "rows.jsonl, line 7", "/clips", options);
}

std::string rendered(const TrainingRow& r) {
  std::string out;
  for (const std::string& path : r.conversation.audio_paths()) out += path + "\n";
  return out + render_template(r.conversation, PromptEnd::kConversation);
}

void expect_bad(const std::string& json, const std::string& named) {
  try {
    row(json);
    ADD_FAILURE() << "accepted: " << json;
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInput);
    EXPECT_EQ(std::string(e.what()).rfind("rows.jsonl, line 7", 0), 0u) << e.what();
    EXPECT_NE(std::string(e.what()).find(named), std::string::npos) << e.what();
  }
}

// What ms-swift's template renders for one system, two rounds and one audio (facts 2.1).
constexpr const char* kTwoRounds =
    "/clips/a.wav\n<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nAudio 1: "
    "<|audio_bos|><|AUDIO|><|audio_eos|>\nq1<|im_end|>\n"
    "<|im_start|>assistant\nr1<|im_end|>\n<|im_start|>user\nq2<|im_end|>\n<|im_start|>assistant\nr2<|im_end|>";

TEST(Rows, FormsOfOneConversation) {
  for (
      const char* json : {
          R"({"messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "<audio>q1"},
               {"role": "assistant", "content": "r1"}, {"role": "user", "content": "q2"},
               {"role": "assistant", "content": "r2"}], "audios": ["a.wav"]})",
          R"({"messages": [{"role": "user", "content": [{"type": "audio", "audio": "a.wav"}, {"type": "text", "text": "q1"}]},
               {"role": "assistant", "content": "r1"}, {"role": "user", "content": "q2"},
               {"role": "assistant", "content": "r2"}], "system": "S"})",
          R"({"system": "S", "query": "q2", "response": "r2", "history": [["q1", "r1"]], "audios": "/clips/a.wav"})",
          R"({"system_prompt": "S", "prompt": "q2", "answer": "r2", "history": [["<audio>q1", "r1"]], "audio": {"url": "a.wav"}})",
          R"({"system": "S", "conversations": [{"from": "human", "value": "<audio>q1"}, {"from": "gpt", "value": "r1"},
               {"from": "human", "value": "q2"}, {"from": "gpt", "value": "r2"}], "audios": ["a.wav"]})",
          R"({"system": "S", "conversation": [{"human": "q1", "assistant": "r1"}, {"human": "q2", "assistant": "r2"}],
               "audios": ["a.wav"]})",
          R"({"system": "S", "instruction": "q2", "input": "", "output": "r2", "history": [["q1", "r1"]], "audios": ["a.wav"]})"}) {
    EXPECT_EQ(rendered(row(json)), kTwoRounds) << json;
  }
}

TEST(Rows, AlpacaJoinsInstructionAndInput) {
  const TrainingRow r =
      row(R"({"instruction": "Listen.", "input": "<audio>What is it?", "output": "A bell.", "audios": ["b.wav"]})");
  EXPECT_NE(rendered(r).find("user\nListen.\nAudio 1: <|audio_bos|>"), std::string::npos) << rendered(r);
}

TEST(Rows, OurSampleHasItsChain) {
  Sample s;
  s.id = "s1";
  s.kind = "order";
  s.audio = {"a.wav", "../b.wav"};
  s.question = "q";
  s.turns = {{"q0", "r0"}};
  for (const Section section : kSections) s.sections[section] = "text";
  const TrainingRow r = row(dump_json(sample_to_json(s)));
  EXPECT_EQ(r.id, "s1");
  EXPECT_EQ(r.task, "order");
  EXPECT_EQ(r.weights, (std::vector<float>{1, 1}));
  EXPECT_EQ(r.conversation.audio_paths(), (std::vector<std::string>{"/clips/a.wav", "/b.wav"}));
  EXPECT_NE(rendered(r).find("<THINK>\n<PLANNING>\ntext</PLANNING>"), std::string::npos);
  const TrainingRow answer = row(dump_json(sample_to_json(s)), {Target::kAnswer, Rounds::kEvery, BadRows::kStop, 1});
  EXPECT_TRUE(rendered(answer).ends_with("<|im_start|>assistant\ntext<|im_end|>")) << rendered(answer);
}

TEST(Rows, WeightsOfMessages) {
  const std::string head = R"({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "r", )";
  const std::string tail = R"(}, {"role": "user", "content": "q"}, {"role": "assistant", "content": "r"}]})";
  EXPECT_EQ(row(head + R"("loss": false)" + tail).weights, (std::vector<float>{0, 1}));
  EXPECT_EQ(row(head + R"("loss_scale": 0.25)" + tail).weights, (std::vector<float>{0.25f, 1}));
  EXPECT_EQ(row(head + R"("loss": true)" + tail, {Target::kChain, Rounds::kLast, BadRows::kStop, 1}).weights,
            (std::vector<float>{0, 1}));
}

TEST(Rows, BadOnesAreNamed) {
  expect_bad(R"({"text_only": 1})", "neither messages");
  expect_bad(R"({"query": "q"})", "neither messages");
  expect_bad(R"({"query": "q", "response": ""})", "empty");
  expect_bad(R"({"query": "<audio><audio>q", "response": "r", "audios": ["a.wav"]})", "more <audio> tags than its 1 audios");
  expect_bad(R"({"query": "q", "response": "r", "audios": ["https://x/a.wav"]})", "https://");
  expect_bad(R"({"query": "q", "response": "r", "audios": [5]})", "no path");
  expect_bad(R"({"query": "q", "response": "r", "history": [["only"]]})", "history");
  expect_bad(R"({"messages": [{"role": "user", "content": "q"}]})", "last message");
  expect_bad(R"({"messages": [{"role": "user", "content": "q"}, {"role": "user", "content": "q"}]})", "alternate");
  expect_bad(R"({"messages": [{"role": "tool", "content": "q"}, {"role": "assistant", "content": "q"}]})", "tool");
  expect_bad(R"({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "r", "loss": false}]})",
             "learned");
  expect_bad(R"([1])", "object");
}

TEST(Rows, ALeadingAssistantGetsAnEmptyUser) {
  const TrainingRow r = row(R"({"messages": [{"role": "assistant", "content": "Hello."}]})");
  EXPECT_NE(rendered(r).find("<|im_start|>user\n<|im_end|>"), std::string::npos);
}

TEST(Rows, FilesOfEveryKindWithBadRowsCounted) {
  const ScratchDir scratch;
  const fs::path dir = scratch.path();
  const std::string good = R"({"query": "q", "response": "r"})";
  write_file_atomic(dir / "a.jsonl", good + "\nnot json\n\n" + R"({"query": "q"})" + "\n" + good + "\n");
  write_file_atomic(dir / "b.json", "[" + good + "," + good + "]");
  write_file_atomic(dir / "c.csv", "query,response,audios\n\"a, b\",r,\"[\"\"x.wav\"\", \"\"y.wav\"\"]\"\n");
  const RowSet set = read_training_rows({dir / "a.jsonl", dir / "b.json", dir / "c.csv"}, {});
  EXPECT_EQ(set.bad, 2);
  ASSERT_EQ(set.rows.size(), 5u);
  EXPECT_EQ(set.rows[1].id, (dir / "a.jsonl").string() + ", line 5");
  EXPECT_EQ(set.rows[4].conversation.audio_paths().back(), (dir / "y.wav").string());
  EXPECT_EQ(set.rows[4].conversation.messages[0].parts.back().value, "a, b");
  RowOptions stop;
  stop.bad_rows = BadRows::kStop;
  EXPECT_THROW(read_training_rows({dir / "a.jsonl"}, stop), Error);
  EXPECT_THROW(read_training_rows({dir / "missing.jsonl"}, {}), Error);
  EXPECT_EQ(read_training_rows({(dir / "b.json").string() + "#1"}, {}).rows.size(), 1u);
  EXPECT_EQ(read_training_rows({(dir / "b.json").string() + "#5"}, {}).rows.size(), 5u);
}

class Masks : public testing::Test {
 protected:
  const Tokenizer tokenizer_ = Tokenizer::load("tests/golden/tiny/model");
  std::string labelled_text(const TokenizedSample& s) const {
    std::string out;
    for (std::size_t i = 0; i < s.ids.size(); ++i) {
      if (s.labelled[i]) out += tokenizer_.bytes(s.ids[i]);
    }
    return out;
  }
  TokenizedSample two_rounds(std::vector<float> weights) const {
    const TrainingRow r = row(R"({"system": "S", "query": "second question", "response": "second answer", "audios": ["a.wav"],
                                  "history": [["first question", "first answer"]]})");
    return tokenize_sample(tokenizer_, r.conversation, std::vector<int>{6}, {nullptr, weights});
  }
};

// Facts 2.2: each round's text and its <|im_end|>, nothing else; "loss": false takes a round out.
TEST_F(Masks, EveryRoundOrThoseWithLoss) {
  EXPECT_EQ(labelled_text(two_rounds({})), "first answer<|im_end|>second answer<|im_end|>");
  EXPECT_EQ(labelled_text(two_rounds({0, 1})), "second answer<|im_end|>");
  const TokenizedSample first = two_rounds({0.5f, 0});
  EXPECT_EQ(labelled_text(first), "first answer<|im_end|>");
  EXPECT_EQ(first.scale(first.ids.size() - 1), 0.5f);
  EXPECT_EQ(first.ids.size(), first.scales.size()) << "what follows the last label is not computed";
}

TEST_F(Masks, CutsLeaveAudioWhole) {
  const TokenizedSample whole = two_rounds({});
  const auto size = static_cast<int>(whole.ids.size());
  for (const Truncation side : {Truncation::kLeft, Truncation::kRight}) {
    for (int length = 1; length <= size; ++length) {
      TokenizedSample s = whole;
      const bool fits = fit_length(s, length, side);
      if (!fits) continue;
      EXPECT_GT(length, 8) << "the audio and its ends are 8 tokens";
      EXPECT_LE(static_cast<int>(s.ids.size()), length);
      ASSERT_EQ(s.audio.size(), 1u);
      const auto begin = static_cast<std::size_t>(s.audio[0].begin);
      for (std::size_t i = 0; i < 6; ++i)
        EXPECT_EQ(s.ids[begin + i], whole.ids[static_cast<std::size_t>(whole.audio[0].begin)]);
      EXPECT_EQ(tokenizer_.bytes(s.ids[begin - 1]), "<|audio_bos|>");
      EXPECT_EQ(tokenizer_.bytes(s.ids[begin + 6]), "<|audio_eos|>");
      EXPECT_EQ(s.ids.size(), s.labelled.size());
      EXPECT_EQ(side == Truncation::kLeft ? s.ids.back() : s.ids.front(),
                side == Truncation::kLeft ? whole.ids.back() : whole.ids.front());
    }
  }
  TokenizedSample s = whole;
  EXPECT_FALSE(fit_length(s, size - 1, Truncation::kDelete));
}

// Audio in the second question lies behind the first label: such samples must not share a row.
TEST_F(Masks, SamplesWithLateAudioAreNotShared) {
  const TrainingRow late = row(R"({"query": "<audio>q2", "response": "r2", "history": [["q1", "r1"]], "audios": ["a.wav"]})");
  const TrainingRow early = row(R"({"query": "<audio>q2", "response": "r2", "audios": ["a.wav"]})");
  for (const auto& [r, rows] : {std::pair{&late, 2u}, {&early, 1u}}) {
    PackedRow packed;
    for (int i = 0; i < 2; ++i) packed.samples.push_back(tokenize_sample(tokenizer_, r->conversation, std::vector<int>{6}));
    packed.features = {at::zeros({6, 4}, at::TensorOptions().dtype(at::kFloat))};
    const auto made = finish_or_separate(std::move(packed));
    ASSERT_EQ(made.size(), rows);
    const MicroBatch batch = pack(made);
    const auto* at = batch.audio_positions.data_ptr<std::int64_t>();
    for (std::int64_t i = 0; i < batch.audio_positions.numel(); ++i) {
      EXPECT_EQ(tokenizer_.bytes(static_cast<TokenId>(batch.ids.data_ptr<std::int64_t>()[at[i]])), "<|AUDIO|>");
    }
  }
}

}  // namespace
}  // namespace areason::train
