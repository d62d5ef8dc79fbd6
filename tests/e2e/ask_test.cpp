// ask and chat as a user runs them: streamed sections, JSON, files of questions that go on where they stopped, turns.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/files.h"
#include "base/json.h"
#include "e2e/fixtures.h"
#include "e2e/process.h"

namespace areason::e2e {
namespace {

const std::vector<std::string> kKeys = {"planning", "caption", "reasoning", "summary", "response"};

class AskCommand : public ::testing::Test {
 protected:
  void SetUp() override {
    model_ = small_checkpoint();
    if (model_.empty()) GTEST_SKIP();
    clip_ = dir_.put("clip.wav", wav_tone(0.5));
  }
  // `more` after the flags that every question here has: a small model and a short answer.
  Result command(const std::string& name, const std::vector<std::string>& more, const RunOptions& options = {}) const {
    std::vector<std::string> all = {name, "--model", model_, "--max-new-tokens", "200"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all, options);
  }

  ScratchDir dir_;
  std::string model_, clip_;
};

TEST_F(AskCommand, StreamsPlainSectionsWhenPiped) {
  const Result result = command("ask", {clip_, "What is heard?"});
  ASSERT_EQ(result.status, 0) << result.err;
  std::size_t at = 0;
  for (const char* title : {"Planning:\n", "\nCaption:\n", "\nReasoning:\n", "\nSummary:\n", "\nResponse:\n"}) {
    const auto found = result.out.find(title, at);
    ASSERT_NE(found, std::string::npos) << title << result.out;
    at = found + 1;
  }
  EXPECT_EQ(result.out.find('\033'), std::string::npos);
}

TEST_F(AskCommand, JsonAndSeveralClipsAndStandardInput) {
  const Result result = command("ask", {"--json", "--stats", clip_, "-", "What is heard?"}, {.input = wav_tone(0.3)});
  ASSERT_EQ(result.status, 0) << result.err;
  const Json json = parse_json(result.out, "answer");
  for (const std::string& key : kKeys) EXPECT_FALSE(json["sections"][key].get<std::string>().empty()) << key;
  ASSERT_EQ(json["audio"].size(), 2u);
  EXPECT_EQ(json["audio"][1]["path"], "-");
  EXPECT_NEAR(json["audio"][1]["seconds"].get<double>(), 0.3, 1e-6);
  EXPECT_EQ(json["usage"]["audio_tokens"], json["audio"][0]["tokens"].get<int>() + json["audio"][1]["tokens"].get<int>());
  const Json stats = parse_json(result.err.substr(result.err.find('{')), "stats");
  EXPECT_EQ(stats["num_generated_tokens"], json["usage"]["completion_tokens"]);
  EXPECT_TRUE(stats.contains("tokens/s") && stats.contains("samples/s") && stats.contains("runtime"));
}

TEST_F(AskCommand, ChoicesBindTheResponse) {
  const Result result = command("ask", {"--json", "--choices", "A. a dog|B. a cat", clip_, "Which? A. a dog B. a cat"});
  ASSERT_EQ(result.status, 0) << result.err;
  const std::string response = parse_json(result.out, "answer")["sections"]["response"];
  EXPECT_TRUE(response == "A. a dog" || response == "B. a cat") << response;
}

TEST_F(AskCommand, WrongUsage) {
  expect_failure(command("ask", {"What is heard?"}), kUsage, "clip");
  expect_failure(command("ask", {"--choices", "one", clip_, "What?"}), kUsage, "--choices");
  expect_failure(command("ask", {"--budget", "plan=3", clip_, "What?"}), kUsage, "plan=3");
  expect_failure(run({"ask", "--model", model_, "--max-new-tokens", "5", clip_, "What?"}), kUsage, "5 new tokens");
  expect_failure(command("ask", {"--jsonl", dir_.file("none.jsonl")}), kInput, "none.jsonl");
}

TEST_F(AskCommand, AFileOfQuestionsGoesOnWhereItStopped) {
  const std::string questions = dir_.put("q.jsonl",
                                         "{\"id\":\"one\",\"audio\":\"clip.wav\",\"question\":\"What?\"}\n"
                                         "{\"id\":\"two\",\"audio\":[\"clip.wav\"],\"question\":\"Why?\"}\n");
  const std::string out = dir_.put("a.jsonl", "{\"id\":\"one\",\"text\":\"kept\"}\n{\"id\":\"tw");
  const Result result = command("ask", {"--jsonl", questions, "--out", out});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(result.out, "");
  const std::string answers = read_file(out);
  EXPECT_EQ(std::count(answers.begin(), answers.end(), '\n'), 2);
  EXPECT_EQ(answers.find("{\"id\":\"one\",\"text\":\"kept\"}\n{\"id\":\"two\",\"text\":\"<THINK>"), 0u) << answers;
  const Result again = command("ask", {"--jsonl", questions, "--out", out});
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(read_file(out), answers);
}

TEST_F(AskCommand, ChatKeepsTurnsAndSurvivesMistakes) {
  const std::string saved = dir_.file("chat.json");
  const std::string script = "/audio nowhere.wav\n/audio " + clip_ + "\nWhat is heard?\nAnd then?\n/sing\n/save " + saved +
                             "\n/clear\nHello?\n/quit\nnever asked\n";
  const Result result = command("chat", {}, {.input = script});
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_NE(result.err.find("nowhere.wav"), std::string::npos);
  EXPECT_NE(result.err.find("/sing"), std::string::npos);
  const Json messages = read_json_file(saved);
  ASSERT_EQ(messages.size(), 5u);
  EXPECT_EQ(messages[1]["content"][0]["audio_url"], clip_);
  EXPECT_EQ(messages[3]["content"][0]["text"], "And then?");
  std::size_t responses = 0;
  for (auto at = result.out.find("Response:"); at != std::string::npos; at = result.out.find("Response:", at + 1)) ++responses;
  EXPECT_EQ(responses, 3u);
}

TEST_F(AskCommand, AClipThatCannotBeReadFailsOneQuestionOfAChat) {
  const std::string text = dir_.put("notaudio.wav", "no sound at all");
  const std::string script = "/audio " + text + "\nWhat is heard?\nAnd now?\n/audio " + clip_ + "\nAnd here?\n";
  const Result result = command("chat", {}, {.input = script});
  ASSERT_EQ(result.status, 0) << result.err;
  const auto count = [](const std::string& in, const std::string& what) {
    int found = 0;
    for (auto at = in.find(what); at != std::string::npos; at = in.find(what, at + 1)) ++found;
    return found;
  };
  EXPECT_EQ(count(result.err, "error: "), 1) << result.err;
  EXPECT_NE(result.err.find("add clips again with /audio"), std::string::npos) << result.err;
  EXPECT_EQ(count(result.out, "Response:"), 2) << result.out;
}

}  // namespace
}  // namespace areason::e2e
