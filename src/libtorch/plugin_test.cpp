// Answers through the plug-in, as the program gets them: equal to the native engine's on nano, for clips, turns, samples and
// files of questions; and what is said when the plug-in is missing or is none.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/testing.h"
#include "model/load_backend.h"
#include "reason/batch.h"
#include "reason/session.h"

namespace areason {
namespace {

const std::string kSounds = "tests/golden/sounds/usr/share/sonic-pi/samples/";

std::string sound(const std::string& name) { return kSounds + name + ".flac"; }

class PluginTest : public ::testing::Test {
 protected:
  void SetUp() override { ::setenv("AREASON_BACKEND_PATH", AREASON_PLUGIN_DIR, 1); }

  static SessionOptions on(const std::string& backend) {
    SessionOptions out;
    out.threads = 1;
    out.backend.name = backend;
    if (backend == "torch") out.backend.dtype = "f32";
    return out;
  }
};

TEST_F(PluginTest, AnswersEqualTheNativeEngines) {
  Session native("models/nano", on("native")), torch("models/nano", on("torch"));
  AskOptions options;
  options.max_new_tokens = 160;
  for (const char* name : {"drum_snare_hard", "elec_beep", "drum_cymbal_closed"}) {
    native.clear();
    torch.clear();
    std::string streamed;
    const SectionSink sink = [&](const SectionEvent& event) { streamed += event.text; };
    const Answer want = native.ask({sound(name)}, "How many sounds are heard?", options);
    const Answer got = torch.ask({sound(name)}, "How many sounds are heard?", options, sink);
    EXPECT_EQ(got.text, want.text) << name;
    EXPECT_TRUE(got.complete);
    EXPECT_FALSE(streamed.empty());
    // The next turn reuses what the first has computed.
    const Answer next = torch.ask({}, "Is a dog heard?", options);
    EXPECT_EQ(next.text, native.ask({}, "Is a dog heard?", options).text) << name;
    EXPECT_GE(next.reused_tokens, got.prompt_tokens);
  }
  EXPECT_EQ(torch.stats().kv_type, "f32");
}

TEST_F(PluginTest, SeveralClipsAndSamples) {
  Session native("models/nano", on("native")), torch("models/nano", on("torch"));
  AskOptions options;
  options.max_new_tokens = 140;
  const std::vector<std::string> clips = {sound("elec_plip"), sound("elec_blip2")};
  const std::string question = "Do the two clips contain the same sound?";
  EXPECT_EQ(torch.ask(clips, question, options).text, native.ask(clips, question, options).text);
  native.clear();
  torch.clear();
  options.temperature = 0.7f;
  const auto want = native.ask_samples(clips, question, options, 4), got = torch.ask_samples(clips, question, options, 4);
  ASSERT_EQ(got.size(), 4u);
  int equal = 0;
  for (std::size_t i = 0; i < got.size(); ++i) equal += got[i].text == want[i].text;
  EXPECT_GE(equal, 3);  // drawn with the same numbers: only a draw on the border of two tokens may differ
  EXPECT_EQ(got[3].reused_tokens, got[3].prompt_tokens);
}

TEST_F(PluginTest, AFileOfQuestionsIsAnsweredTogether) {
  std::vector<Question> questions;
  for (const char* name : {"drum_snare_hard", "elec_beep", "elec_plip", "elec_blip2"})
    questions.push_back({name, {sound(name)}, "How many sounds are heard?", {}, {}});
  const ScratchDir scratch;
  const auto answered = [&](const std::string& backend) {
    BatchOptions options;
    options.model_dir = "models/nano";
    options.session = on(backend);
    options.session.drafted = 4;
    options.ask.max_new_tokens = 140;
    options.workers = 1;
    std::map<std::string, std::string> texts;
    options.line = [&](const Question& question, const Answer& answer) {
      texts[question.id] = answer.text;
      return std::string("{\"id\": \"") + question.id + "\"}";
    };
    AnswerFile out(scratch.file(backend));
    const BatchStats stats = answer_questions(questions, options, out);
    EXPECT_EQ(stats.answered, 4u);
    EXPECT_GT(stats.engine.tokens_a_pass, 1.5);
    return texts;
  };
  EXPECT_EQ(answered("torch"), answered("native"));
}

ErrorCode refusal(const SessionOptions& options, const std::string& words) {
  try {
    const Session session("models/nano", options);
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find(words), std::string::npos) << e.what();
    EXPECT_FALSE(e.hint().empty());
    return e.code();
  }
  ADD_FAILURE() << "no error: " << words;
  return ErrorCode::kFailure;
}

TEST_F(PluginTest, WhatTorchDoesNotDoIsRefused) {
  SessionOptions options = on("torch");
  options.cache_dir = "/nowhere";
  EXPECT_EQ(refusal(options, "cache on disk"), ErrorCode::kUsage);
  options = on("torch");
  options.kv_type = KvType::kF16;
  EXPECT_EQ(refusal(options, "keys and values"), ErrorCode::kUsage);
  options = on("native");
  options.backend.device = "cuda";
  EXPECT_EQ(refusal(options, "native"), ErrorCode::kUsage);
  options = on("torch");
  options.backend.device = "tpu";
  EXPECT_EQ(refusal(options, "tpu"), ErrorCode::kUsage);
  // An error of the checkpoint comes through with its code.
  EXPECT_THROW(load_backend("/nowhere", {.name = "torch"}), Error);
}

TEST_F(PluginTest, AMissingOrWrongPlugin) {
  const ScratchDir scratch;
  ::setenv("AREASON_BACKEND_PATH", (":" + scratch.path()).c_str(), 1);
  EXPECT_EQ(refusal(on("torch"), scratch.path()), ErrorCode::kFailure);
  scratch.put("libareason_torch.so", "no library");
  EXPECT_EQ(refusal(on("torch"), "cannot load"), ErrorCode::kFailure);
  std::filesystem::remove(scratch.file("libareason_torch.so"));
  std::filesystem::create_symlink("/lib/x86_64-linux-gnu/libm.so.6", scratch.file("libareason_torch.so"));
  EXPECT_EQ(refusal(on("torch"), "is no backend"), ErrorCode::kFailure);
}

}  // namespace
}  // namespace areason
