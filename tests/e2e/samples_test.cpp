// ask --samples, --vote and --batch as a user runs them, on nano in Q8_0: there an answer does not depend on what is decoded
// beside it, so every batch must give the same words.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "e2e/fixtures.h"
#include "e2e/process.h"

namespace areason::e2e {
namespace {

constexpr int kSamples = 6;
const std::string kSounds = "tests/golden/sounds/usr/share/sonic-pi/samples/";

class SamplesCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("models/nano/config.json")) GTEST_SKIP() << "models/nano is not there";
    const Result made = run({"quantize", "models/nano", "--out", model_, "--type", "q8_0"});
    ASSERT_EQ(made.status, 0) << made.err;
  }
  Result ask(const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"ask",
                                    "--model",
                                    model_,
                                    "--threads",
                                    "2",
                                    "--max-new-tokens",
                                    "100",
                                    "--seed",
                                    "3",
                                    "--budget",
                                    "planning=6,caption=10,reasoning=10,summary=6"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all);
  }
  // Six samples of one question; `more` says how. So hot that every choice is as likely as the others, whatever nano thinks.
  Result samples(const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"--samples", std::to_string(kSamples),    "--temperature", "100",
                                    "--choices", "A. a dog|B. a drum|C. rain"};
    all.insert(all.end(), more.begin(), more.end());
    all.insert(all.end(), {kSounds + "drum_snare_hard.flac", "Which sound? A. a dog B. a drum C. rain"});
    return ask(all);
  }
  Json json(const Result& result) const {
    EXPECT_EQ(result.status, 0) << result.err;
    return result.status == 0 ? parse_json(result.out, "answer") : Json();
  }

  const ScratchDir dir_;
  const std::string model_ = dir_.file("model");
};

TEST_F(SamplesCommand, AreTheSameInEveryBatchAndTheVoteCountsThem) {
  const Json all = json(samples({"--json"}));
  ASSERT_EQ(all.size(), static_cast<std::size_t>(kSamples));
  std::set<std::string> texts;
  std::map<std::string, int> responses;
  for (const Json& one : all) {
    texts.insert(one["text"]);
    ++responses[one["sections"]["response"]];
  }
  EXPECT_GT(texts.size(), 1u) << "samples are drawn, each with a seed of its own";
  ASSERT_GT(responses.size(), 1u) << "a vote on one answer shows nothing";
  for (const char* batch : {"1", "4"}) {
    const Json again = json(samples({"--json", "--batch", batch}));
    ASSERT_EQ(again.size(), all.size());
    for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(again[i]["text"], all[i]["text"]) << "batch " << batch;
  }

  const Json vote = json(samples({"--json", "--vote", "--batch", "4"}));
  ASSERT_EQ(vote["votes"].size(), responses.size());
  int before = kSamples;
  double shares = 0;
  for (const Json& one : vote["votes"]) {
    EXPECT_EQ(one["count"], responses[one["answer"]]) << one;
    EXPECT_LE(one["count"].get<int>(), before) << "most votes first";
    before = one["count"];
    shares += one["share"].get<double>();
  }
  EXPECT_NEAR(shares, 1, 1e-9);
  EXPECT_EQ(vote["sections"]["response"], vote["votes"][0]["answer"]);
  ASSERT_EQ(vote["samples"].size(), all.size());
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(vote["samples"][i]["response"], all[i]["sections"]["response"]) << i;
}

TEST_F(SamplesCommand, TheVoteIsPrintedBelowTheWinner) {
  const Json votes = json(samples({"--json", "--vote"}))["votes"];
  const Result plain = samples({"--vote"});
  ASSERT_EQ(plain.status, 0) << plain.err;
  std::string lines = "\n\n";
  for (const Json& one : votes)
    lines += std::to_string(one["count"].get<int>()) + " of " + std::to_string(kSamples) + ": " +
             one["answer"].get<std::string>() + "\n";
  EXPECT_TRUE(plain.out.ends_with("Response:\n" + votes[0]["answer"].get<std::string>() + lines)) << plain.out;
}

TEST_F(SamplesCommand, AFileOfQuestionsIsAnsweredTogether) {
  std::string lines;
  for (const char* sound : {"drum_snare_hard", "elec_beep", "drum_tom_hi_hard"})
    for (const char* question : {"What is heard?", "How many sounds are heard?"})
      lines += dump_json({{"id", std::string(sound) + question},
                          {"audio", {std::filesystem::absolute(kSounds + sound + ".flac").string()}},
                          {"question", question}}) +
               "\n";
  const std::string questions = dir_.put("questions.jsonl", lines);
  std::string alone;
  double alone_a_pass = 0;  // tokens: more than 1, since the text that the structure forces needs no pass of its own
  for (const char* batch : {"1", "4"}) {
    SCOPED_TRACE(batch);
    const Result result = ask({"--jsonl", questions, "--workers", "1", "--stats", "--batch", batch});
    ASSERT_EQ(result.status, 0) << result.err;
    std::string texts;  // standard output has the answers in the order of the questions
    for (std::size_t at = 0; at < result.out.size(); at = result.out.find('\n', at) + 1) {
      const Json one = parse_json(result.out.substr(at, result.out.find('\n', at) - at), "answer");
      texts += one["id"].get<std::string>() + ": " + one["text"].get<std::string>() + "\n";
    }
    EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 6);
    const double a_pass = parse_json(result.err.substr(result.err.rfind('{')), "stats")["tokens_a_pass"];
    if (alone.empty()) {
      alone = texts;
      alone_a_pass = a_pass;
      continue;
    }
    EXPECT_EQ(texts, alone);
    EXPECT_GT(a_pass, 1.5 * alone_a_pass) << "they were not decoded together";
  }
}

TEST_F(SamplesCommand, WrongUsage) {
  expect_failure(ask({"--vote", kSounds + "elec_beep.flac", "What?"}), kUsage, "--samples");
  expect_failure(ask({"--samples", "0", kSounds + "elec_beep.flac", "What?"}), kUsage, "--samples");
  expect_failure(ask({"--samples", "2", "--jsonl", "questions.jsonl"}), kUsage, "--jsonl");
}

}  // namespace
}  // namespace areason::e2e
