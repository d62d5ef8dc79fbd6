// Wrong usage: exit status 2 and two lines; broken files that the smaller commands read: status 3.
#include <gtest/gtest.h>

#include "base/files.h"
#include "e2e/fixtures.h"
#include "e2e/process.h"

namespace areason::e2e {
namespace {

TEST(Usage, HelpAndVersionAreAnswers) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--help"}, {"--version"}, {"ask", "--help"}}) {
    const Result result = run(arguments);
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_FALSE(result.out.empty());
    EXPECT_EQ(result.err, "");
  }
}

TEST(Usage, WrongCommandLines) {
  expect_failure(run({}), kUsage, "");
  expect_failure(run({"sing"}), kUsage, "sing");
  expect_failure(run({"data", "exprot"}), kUsage, "exprot");
  expect_failure(run({"ask"}), kUsage, "");
  expect_failure(run({"ask", "--no-such-flag", "a.wav", "What?"}), kUsage, "no-such-flag");
  expect_failure(run({"ask", "--max-new-tokens", "many", "a.wav", "What?"}), kUsage, "many");
  expect_failure(run({"ask", "--long-audio", "later", "a.wav", "What?"}), kUsage, "later");
  expect_failure(run({"ask", "--structure", "odd", "a.wav", "What?"}), kUsage, "odd");
}

TEST(Usage, NumbersAreNumbers) {
  for (const char* number : {"nan", "inf", "-nan"})
    for (const char* flag : {"--temperature", "--top-p", "--repetition-penalty"})
      expect_failure(run({"ask", flag, number, "a.wav", "What?"}), kUsage, flag);
  expect_failure(run({"serve", "--drain-seconds", "nan"}), kUsage, "--drain-seconds");
  expect_failure(run({"train", "plan", "--memory", "nan"}), kUsage, "--memory");
}

TEST(Usage, AnswersDoNotReplaceTheirQuestions) {
  const ScratchDir dir;
  const std::string questions = dir.put("q.jsonl", "{\"id\": \"1\", \"question\": \"What?\", \"audio\": [\"a.wav\"]}\n");
  expect_failure(run({"ask", "--jsonl", questions, "--out", questions}), kUsage, "--out");
}

TEST(Usage, FlagsThatDoNotGoTogether) {
  const ScratchDir dir;
  const std::string out = dir.file("out");
  expect_failure(run({"data", "synth", "--out", out, "--set", "complex_audio", "--types", "sound"}), kUsage, "--types");
  expect_failure(run({"data", "synth", "--out", out, "--set", "complex_audio", "--drills", "3"}), kUsage, "--drills");
  const std::string samples = dir.put("s.jsonl", "");
  expect_failure(run({"data", "export", "--samples", samples, "--out", out, "--val-share", "0.7", "--test-share", "0.4"}),
                 kUsage, "--val-share");
}

TEST(Usage, AMergeReplacesNoModel) {
  const ScratchDir dir;
  dir.put("config.json", "{}");
  expect_failure(run({"train", "merge", "--adapter", "adapter", "--model", "base", "--out", dir.path()}), kUsage,
                 "config.json");
  EXPECT_EQ(read_file(dir.file("config.json")), "{}");
}

TEST(Usage, FlagsOfFilesOfQuestionsNeedOne) {
  expect_failure(run({"ask", "--out", "x.jsonl", "a.wav", "What?"}), kUsage, "--jsonl");
  expect_failure(run({"ask", "--force-choices", "a.wav", "What?"}), kUsage, "--jsonl");
}

TEST(Usage, AFullDiskBehindStandardOutputIsAFailure) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{{"--help"}, {"eval", "prompts"}})
    expect_failure(run(arguments, {.output = "/dev/full"}), 1, "standard output");
}

class BrokenFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    model_ = small_checkpoint();
    if (model_.empty()) GTEST_SKIP();
  }
  Result probe(const std::string& messages) const {
    return run(
        {"probe", "--model", model_, "--messages", dir_.put("messages.json", messages), "--out", dir_.file("out.safetensors")});
  }
  ScratchDir dir_;
  std::string model_;
};

TEST_F(BrokenFiles, TokenizeLines) {
  expect_failure(run({"tokenize", "--model", model_, "--json"}, {.input = "\"torn\n"}), kInput, "line 1");
  expect_failure(run({"tokenize", "--model", model_, "--json"}, {.input = "17\n"}), kInput, "line 1");
}

TEST_F(BrokenFiles, ProbeMessages) {
  expect_failure(probe("[{\"role\": \"user\", \"con"), kInput, "messages.json");
  expect_failure(probe("[{\"role\": \"user\"}]"), kInput, "");
  expect_failure(probe("{}"), kInput, "");
  expect_failure(probe("[{\"role\":\"user\",\"content\":[{\"type\":\"audio\",\"audio_url\":\"none.wav\"}]}]"), kInput,
                 "none.wav");
  expect_failure(run({"probe", "--model", model_, "--messages", dir_.file("none.json"), "--out", dir_.file("o")}), kInput,
                 "none.json");
}

TEST_F(BrokenFiles, ProbeCannotWrite) {
  const std::string messages = dir_.put("messages.json", "[{\"role\":\"user\",\"content\":\"Hello\"}]");
  expect_failure(run({"probe", "--model", model_, "--messages", messages, "--out", "/nowhere/out.safetensors"}), 1,
                 "/nowhere/out.safetensors");
}

TEST_F(BrokenFiles, QuestionsFile) {
  const std::string torn = dir_.put("questions.jsonl", "{\"audio\": [\"a.wav\"], \"question\": \"Wh\n");
  expect_failure(run({"ask", "--model", model_, "--jsonl", torn}), kInput, "questions.jsonl");
  expect_failure(run({"ask", "--model", model_, "--jsonl", dir_.file("none.jsonl")}), kInput, "none.jsonl");
}

}  // namespace
}  // namespace areason::e2e
