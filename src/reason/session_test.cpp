// The whole way of a question on the reference's tiny random model: its greedy tokens (transformers 5.23.0), structure, prefix
// reuse, long clips, errors.
#include "reason/session.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/error.h"
#include "base/json.h"
#include "base/reference_testing.h"
#include "chat/conversation.h"
#include "model/safetensors.h"
#include "text/tokenizer.h"

namespace areason {
namespace {

// The shortest clip, one of the middle, and one longer than the window.
std::string short_clip() { return tiny_reference() + "/clips/" + reference_clips(tiny_reference()).front(); }
std::string some_clip() {
  const auto clips = reference_clips(tiny_reference());
  return tiny_reference() + "/clips/" + clips[clips.size() - 2];
}
std::string long_clip() { return tiny_reference() + "/clips/" + reference_clips(tiny_reference()).back(); }

// As the reference counted them, cut at the window.
int audio_tokens(const std::string& clip) {
  const Json cases = read_json_file(tiny_reference() + "/cases/cases.json");
  return cases["clips"][std::filesystem::path(clip).filename().string()]["audio_tokens"];
}

class TinySession : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (std::filesystem::exists(tiny_reference() + "/model/config.json")) session_ = new Session(tiny_reference() + "/model");
  }
  static void TearDownTestSuite() {
    delete session_;
    session_ = nullptr;
  }
  void SetUp() override {
    if (session_ == nullptr) GTEST_SKIP() << "NO REFERENCE DATA: set AREASON_REFERENCE to check this for real";
    session_->clear();
  }
  static std::string clip(const std::string& name) { return tiny_reference() + "/clips/" + name; }
  static AskOptions short_answer() {
    AskOptions options;
    options.max_new_tokens = 160;
    return options;
  }

  static Session* session_;
};
Session* TinySession::session_ = nullptr;

TEST_F(TinySession, FreeGreedyTextEqualsTheReference) {
  const Json cases = read_json_file(tiny_reference() + "/cases/cases.json");
  const Tokenizer tokenizer = Tokenizer::load(tiny_reference() + "/model");
  int compared = 0;
  for (const Json& item : cases["prompts"]) {
    const Conversation wanted = conversation_from_json(item["messages"]);
    const Message& last = wanted.messages.back();
    if (wanted.messages.size() > 2 || last.parts.back().kind != Part::Kind::kText) continue;
    AskOptions options;
    options.structure = Structure::kFree;
    options.system_prompt = wanted.messages.size() == 2 ? wanted.messages[0].parts[0].value : kTemplateSystemPrompt;
    options.repetition_penalty = item["repetition_penalty"].get<float>();
    options.long_audio = LongAudio::kTruncate;
    const TensorStore store = TensorStore::open(tiny_reference() + "/cases/" + item["file"].get<std::string>());
    const auto bytes = store.at("generated").data;
    std::vector<TokenId> ids;
    for (std::size_t i = 0; i + 8 <= bytes.size(); i += 8) {
      // Where the two best scores nearly tie, another token is no error; compare up to there.
      if (item["greedy_margins"][i / 8].get<double>() < 1e-3) break;
      std::int64_t id = 0;
      std::memcpy(&id, bytes.data() + i, 8);
      ids.push_back(static_cast<TokenId>(id));
    }
    options.max_new_tokens = static_cast<int>(ids.size());
    std::vector<std::string> paths;
    for (const std::string& name : wanted.audio_paths()) paths.push_back(clip(name));
    session_->clear();
    const Answer answer = session_->ask(paths, last.parts.back().value, options);
    EXPECT_EQ(answer.text, tokenizer.decode(ids)) << item["name"];
    EXPECT_EQ(answer.prompt_tokens, store.at("input_ids").elements()) << item["name"];
    compared += ids.empty() ? 0 : 1;
  }
  EXPECT_GE(compared, 3);
}

TEST_F(TinySession, GuidedStructureIsCompleteAndStreamed) {
  std::string streamed;
  const auto sink = [&](const SectionEvent& event) {
    if (event.kind == SectionEvent::Kind::kOpen) streamed += "[" + std::string(section_key(event.section)) + "]";
    streamed += event.text;
  };
  const Answer answer = session_->ask({short_clip()}, "How many sounds?", short_answer(), sink);
  EXPECT_TRUE(answer.complete) << answer.text;
  std::string wanted;
  for (const Section section : kSections) {
    EXPECT_FALSE(answer.sections[section].empty()) << section_key(section);
    wanted += "[" + std::string(section_key(section)) + "]" + answer.sections[section];
  }
  EXPECT_EQ(streamed, wanted);
  EXPECT_LE(answer.completion_tokens, 160);
  ASSERT_EQ(answer.audio.size(), 1u);
  EXPECT_EQ(answer.audio[0].tokens, audio_tokens(short_clip()));
}

TEST_F(TinySession, LaterTurnsReuseTheCacheAndDoNotChangeTheAnswer) {
  const AskOptions options = short_answer();
  const Answer first = session_->ask({some_clip()}, "What is heard?", options);
  const Answer second = session_->ask({short_clip()}, "And this?", options);
  // Kept: the first prompt (at least) and what was generated but for its last tokens.
  EXPECT_GE(second.reused_tokens, first.prompt_tokens);
  session_->begin({some_clip()}, {{"What is heard?", first.text}}, options);
  Session fresh(tiny_reference() + "/model");
  fresh.begin({some_clip()}, {{"What is heard?", first.text}}, options);
  EXPECT_EQ(fresh.transcript(), session_->transcript());
  const Answer again = fresh.ask({short_clip()}, "And this?", options);
  EXPECT_EQ(again.reused_tokens, 0);
  EXPECT_EQ(again.prompt_tokens, second.prompt_tokens);
  EXPECT_EQ(again.text, second.text);
}

TEST_F(TinySession, TheNextQuestionOnTheSameClipReusesItsAudio) {
  const AskOptions options = short_answer();
  session_->ask({some_clip()}, "What is heard?", options);
  session_->clear();
  const Answer answer = session_->ask({some_clip()}, "Which instrument?", options);
  EXPECT_GT(answer.reused_tokens, audio_tokens(some_clip()));
  EXPECT_EQ(answer.seconds.at("decode"), 0);
}

TEST_F(TinySession, ClipsHeardTogetherAreWhatTheyAreAlone) {
  const std::vector<std::string> clips = {short_clip(), some_clip(), short_clip(), long_clip()};
  Session fresh(tiny_reference() + "/model");
  const Answer together = fresh.ask(clips, "Which is the loudest?", short_answer());
  for (const std::string& clip : clips) {
    session_->ask({clip}, "What is heard?", short_answer());
    session_->clear();
  }
  const Answer alone = session_->ask(clips, "Which is the loudest?", short_answer());
  EXPECT_EQ(alone.seconds.at("decode"), 0);
  ASSERT_EQ(together.audio.size(), 4u);
  for (std::size_t i = 0; i < clips.size(); ++i) EXPECT_EQ(together.audio[i].tokens, alone.audio[i].tokens) << clips[i];
  EXPECT_EQ(together.audio[3].windows, 2);
  EXPECT_EQ(together.text, alone.text);
}

TEST_F(TinySession, LongClipsAreSeveralAudiosOrTruncatedOrRefused) {
  AskOptions options = short_answer();
  const Answer windows = session_->ask({long_clip()}, "Who speaks?", options);
  EXPECT_EQ(windows.audio.at(0).windows, 2);
  EXPECT_NEAR(windows.audio[0].heard_seconds, windows.audio[0].seconds, 1e-6);
  EXPECT_GT(windows.audio[0].tokens, audio_tokens(long_clip()));
  EXPECT_FALSE(windows.audio[0].truncated);
  session_->clear();
  options.long_audio = LongAudio::kTruncate;
  const Answer cut = session_->ask({long_clip()}, "Who speaks?", options);
  EXPECT_EQ(cut.audio.at(0).tokens, audio_tokens(long_clip()));
  EXPECT_TRUE(cut.audio[0].truncated);
  options.long_audio = LongAudio::kError;
  EXPECT_THROW(session_->ask({long_clip()}, "Who speaks?", options), Error);
}

TEST_F(TinySession, AFailedQuestionLeavesTheConversationAsItWas) {
  session_->ask({short_clip()}, "One?", short_answer());
  const Json before = session_->transcript();
  EXPECT_THROW(session_->ask({clip("nothing.wav")}, "Two?", short_answer()), Error);
  AskOptions too_small = short_answer();
  too_small.max_new_tokens = 3;
  EXPECT_THROW(session_->ask({some_clip()}, "Three?", too_small), Error);
  std::string endless;
  for (int i = 0; i < 9000; ++i) endless += "word ";
  try {
    session_->ask({}, endless, short_answer());
    ADD_FAILURE() << "a prompt longer than the context was accepted";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kInput);
    EXPECT_NE(std::string(e.what()).find("context"), std::string::npos);
  }
  EXPECT_EQ(session_->transcript(), before);
  EXPECT_TRUE(session_->ask({}, "Four?", short_answer()).complete);
}

TEST_F(TinySession, ChoicesBindTheResponse) {
  AskOptions options = short_answer();
  options.choices = {"A. a bell", "B. a dog"};
  const Answer answer = session_->ask({short_clip()}, "Which? A. a bell B. a dog", options);
  const std::string& response = answer.sections[Section::kResponse];
  EXPECT_TRUE(response == options.choices[0] || response == options.choices[1]) << response;
}

TEST_F(TinySession, StopEndsTheAnswer) {
  AskOptions options;
  int events = 0;
  const Answer answer = session_->ask({short_clip()}, "Long?", options, [&](const SectionEvent&) {
    if (++events == 5) session_->stop();
  });
  EXPECT_EQ(answer.finish_reason, "interrupted");
  EXPECT_LT(answer.completion_tokens, 100);
}

TEST_F(TinySession, JsonHasTheDocumentedKeys) {
  const Json json = answer_to_json(session_->ask({short_clip()}, "One?", short_answer()), "tiny");
  for (const char* key : {"sections", "text", "model", "audio", "usage", "timings", "finish_reason"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  for (const char* key : {"planning", "caption", "reasoning", "summary", "response"})
    EXPECT_TRUE(json["sections"].contains(key));
  for (const char* key : {"prompt_tokens", "audio_tokens", "completion_tokens"}) EXPECT_TRUE(json["usage"].contains(key));
  for (const char* key : {"path", "seconds", "tokens", "truncated"}) EXPECT_TRUE(json["audio"][0].contains(key));
}

}  // namespace
}  // namespace areason
