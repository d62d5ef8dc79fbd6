// Against the reference's renderings and ids (transformers 5.23.0, see reference/README.md) and, without a reference, against
// the rules themselves.
#include "chat/prompt.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/reference_testing.h"

namespace areason {
namespace {

#define NEED_REFERENCE(dir)                 \
  const std::string dir = tiny_reference(); \
  if (dir.empty()) GTEST_SKIP() << "NO REFERENCE DATA: set AREASON_REFERENCE to check this for real"

// The I64 tensor `name` of a safetensors file (src/model has the real reader, but lies below this layer). Row `row` of a
// matrix.
std::vector<int> read_ids(const std::string& path, const std::string& name, std::size_t row = 0) {
  const std::string bytes = read_file(path);
  std::uint64_t header_size = 0;
  std::memcpy(&header_size, bytes.data(), 8);
  const Json entry = parse_json(std::string_view(bytes).substr(8, header_size), path).at(name);
  const std::size_t width = entry["shape"].back();
  const char* data = bytes.data() + 8 + header_size + entry["data_offsets"][0].get<std::size_t>() + row * width * 8;
  std::vector<int> ids(width);
  for (std::size_t i = 0; i < width; ++i) {
    std::int64_t value = 0;
    std::memcpy(&value, data + 8 * i, 8);
    ids[i] = static_cast<int>(value);
  }
  return ids;
}

std::vector<int> token_counts(const Json& cases, const Conversation& conversation) {
  std::vector<int> counts;
  for (const std::string& path : conversation.audio_paths()) counts.push_back(cases["clips"][path]["audio_tokens"]);
  return counts;
}

Conversation two_turns() {
  Conversation c;
  c.messages.push_back({"user", {{Part::Kind::kAudio, "a.wav"}, {Part::Kind::kText, "What?"}}});
  c.messages.push_back({"assistant", {{Part::Kind::kText, "<THINK>\nA bell."}}});
  c.messages.push_back({"user", {{Part::Kind::kText, "And <|im_end|> now?"}}});
  c.messages.push_back({"assistant", {{Part::Kind::kText, "\nBye."}}});
  return c;
}

TEST(Template, RendersEveryReferencePrompt) {
  NEED_REFERENCE(dir);
  const Json cases = read_json_file(dir + "/cases/cases.json");
  ASSERT_FALSE(cases["prompts"].empty());
  for (const Json& prompt : cases["prompts"]) {
    const Conversation conversation = conversation_from_json(prompt["messages"]);
    EXPECT_EQ(render_template(conversation, PromptEnd::kGeneration), prompt["rendered"]) << prompt["name"];
  }
}

TEST(Template, ConversationEndsWithTheLastEndToken) {
  EXPECT_EQ(render_template(two_turns(), PromptEnd::kConversation),
            "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\nAudio 1: <|audio_bos|><|AUDIO|>"
            "<|audio_eos|>\nWhat?<|im_end|>\n<|im_start|>assistant\n<THINK>\nA bell.<|im_end|>\n<|im_start|>user\n"
            "And <|im_end|> now?<|im_end|>\n<|im_start|>assistant\n\nBye.<|im_end|>");
}

TEST(Prompt, IdsEqualTheReference) {
  NEED_REFERENCE(dir);
  const Json cases = read_json_file(dir + "/cases/cases.json");
  const Tokenizer tokenizer = Tokenizer::load(dir + "/model");
  for (const Json& item : cases["prompts"]) {
    const Conversation conversation = conversation_from_json(item["messages"]);
    const auto counts = token_counts(cases, conversation);
    const Prompt prompt = build_prompt(tokenizer, conversation, counts);
    EXPECT_EQ(prompt.ids, read_ids(dir + "/cases/" + item["file"].get<std::string>(), "input_ids")) << item["name"];
    ASSERT_EQ(prompt.audio.size(), counts.size());
    for (std::size_t i = 0; i < counts.size(); ++i) {
      EXPECT_EQ(prompt.audio[i].count, counts[i]);
      EXPECT_EQ(prompt.ids.at(static_cast<std::size_t>(prompt.audio[i].begin)), *tokenizer.special_id("<|AUDIO|>"));
    }
  }
}

TEST(Prompt, TrainingRowsEqualTheReference) {
  NEED_REFERENCE(dir);
  const Json cases = read_json_file(dir + "/cases/cases.json");
  const Tokenizer tokenizer = Tokenizer::load(dir + "/model");
  const Json& train = cases["train"];
  const std::string file = dir + "/cases/" + train["file"].get<std::string>();
  for (std::size_t row = 0; row < train["samples"].size(); ++row) {
    const Json& sample = train["samples"][row];
    Conversation c;
    c.messages.push_back({"system", {{Part::Kind::kText, train["system"]}}});
    c.messages.push_back({"user", {{Part::Kind::kAudio, sample[0]}, {Part::Kind::kText, sample[1]}}});
    c.messages.push_back({"assistant", {{Part::Kind::kText, sample[2]}}});
    const Prompt prompt = build_prompt(tokenizer, c, token_counts(cases, c), {.end = PromptEnd::kConversation});
    auto ids = read_ids(file, "input_ids", row);
    const auto labels = read_ids(file, "labels", row);
    ASSERT_GE(ids.size(), prompt.ids.size());
    ids.resize(prompt.ids.size());
    EXPECT_EQ(prompt.ids, ids) << "row " << row;
    ASSERT_EQ(prompt.assistant.size(), 1u);
    for (int i = 0; i < static_cast<int>(labels.size()); ++i) {
      const bool counted = i >= prompt.assistant[0].begin && i < prompt.assistant[0].begin + prompt.assistant[0].count;
      EXPECT_EQ(labels[static_cast<std::size_t>(i)] != -100, counted) << "row " << row << " position " << i;
    }
  }
}

TEST(Prompt, AssistantTextIsAGroupOfItsOwnAndUserTextNeverASpecial) {
  NEED_REFERENCE(dir);
  const Tokenizer tokenizer = Tokenizer::load(dir + "/model");
  const std::vector<int> counts = {3};
  const Prompt prompt = build_prompt(tokenizer, two_turns(), counts, {.end = PromptEnd::kConversation});
  ASSERT_EQ(prompt.assistant.size(), 2u);
  const auto span = prompt.assistant[1];
  const std::vector<int> tail(prompt.ids.begin() + span.begin, prompt.ids.end());
  auto want = tokenizer.encode("\nBye.", SpecialTokens::kAsText);
  want.push_back(*tokenizer.special_id("<|im_end|>"));
  EXPECT_EQ(tail, want);
  EXPECT_EQ(std::count(prompt.ids.begin(), prompt.ids.end(), *tokenizer.special_id("<|im_end|>")), 5);
  const Prompt parsed =
      build_prompt(tokenizer, two_turns(), counts, {.end = PromptEnd::kConversation, .user_specials = SpecialTokens::kParse});
  EXPECT_EQ(std::count(parsed.ids.begin(), parsed.ids.end(), *tokenizer.special_id("<|im_end|>")), 6);
  EXPECT_EQ(tokenizer.decode(parsed.ids), tokenizer.decode(prompt.ids));
}

TEST(Prompt, WrongAudioCountsAreErrors) {
  NEED_REFERENCE(dir);
  const Tokenizer tokenizer = Tokenizer::load(dir + "/model");
  EXPECT_THROW(build_prompt(tokenizer, two_turns(), {}), Error);
  EXPECT_THROW(build_prompt(tokenizer, two_turns(), std::vector<int>{0}), Error);
  EXPECT_THROW(build_prompt(tokenizer, two_turns(), std::vector<int>{2, 2}), Error);
}

TEST(AudioTokens, EqualTheReferenceFormula) {
  EXPECT_EQ(audio_tokens(0), 0);
  EXPECT_EQ(audio_tokens(1), 0);
  EXPECT_EQ(audio_tokens(2), 0);
  EXPECT_EQ(audio_tokens(3), 1);
  EXPECT_EQ(audio_tokens(6), 1);
  EXPECT_EQ(audio_tokens(7), 2);
  EXPECT_EQ(audio_tokens(3000), 750);
  EXPECT_EQ(encoder_positions(3000), 1500);
  EXPECT_EQ(encoder_positions(1), 1);
}

TEST(Conversation, ReadsEveryFormOfContent) {
  const Json json = Json::parse(R"([{"role":"system","content":"s"},{"role":"user","content":[{"type":"audio","audio":"a"},
    {"type":"audio","audio_url":{"url":"b"}},{"type":"audio","path":"c"},"plain",{"type":"text","text":"t"}]}])");
  const Conversation c = conversation_from_json(json);
  EXPECT_EQ(c.audio_paths(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(c.messages[1].parts[3].value, "plain");
  EXPECT_EQ(c.messages[1].parts[4].value, "t");
}

TEST(Conversation, ErrorsNameTheMessage) {
  for (const char* text : {R"([{"role":"user","content":"x"},{"role":"tool","content":"x"}])",
                           R"([{"role":"user","content":"x"},{"role":"user"}])", R"([{"role":"user","content":"x"},7])",
                           R"([{"role":"user","content":"x"},{"role":"user","content":[{"type":"image"}]}])",
                           R"([{"role":"user","content":"x"},{"role":"user","content":[{"audio_url":5}]}])",
                           R"([{"role":"user","content":"x"},{"role":"assistant","content":[{"audio_url":"a"}]}])"}) {
    try {
      conversation_from_json(Json::parse(text));
      ADD_FAILURE() << text;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInput);
      EXPECT_NE(std::string(e.what()).find("message 1"), std::string::npos) << e.what();
    }
  }
  EXPECT_THROW(conversation_from_json(Json::object()), Error);
}

}  // namespace
}  // namespace areason
