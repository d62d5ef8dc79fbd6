#include "cota/sample.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/json.h"
#include "base/testing.h"

namespace areason {
namespace {

Sample full_sample() {
  Sample s;
  s.id = "train-000001/0";
  s.source = {"nano-synth", "train-000001", "package:file", "CC0", "ab12"};
  s.audio = {"clips/a.flac", "clips/b.flac"};
  s.timeline = {{1, "dog bark", 0.5, 1.25, -20.5, "", ""}, {0, "speech", 2, 3, -18, "slt", "hello \"you\""}};
  s.domain = "sound";
  s.task = "sound_qa";
  s.kind = "sound-first";
  s.question = "Which is first? (a) x (b) y";
  s.choices = {"x", "y"};
  s.answer_text = "y";
  s.answer_letter = "b";
  s.caption = "c";
  for (int i = 0; i < kSectionCount; ++i) s.sections.text[static_cast<std::size_t>(i)] = "section " + std::to_string(i);
  s.turns = {{"q", "r"}};
  s.review_verdict = "true";
  s.review_reason = "why";
  s.review_by = "oracle";
  s.prompt_version = "1";
  s.teacher = "oracle";
  s.split = "train";
  return s;
}

TEST(Sample, RoundTrip) {
  const Json json = sample_to_json(full_sample());
  const Sample back = sample_from_json(json, "test");
  EXPECT_EQ(sample_to_json(back), json);
  EXPECT_EQ(back.timeline[1].text, "hello \"you\"");
  EXPECT_EQ(back.sections[Section::kResponse], "section 4");
  EXPECT_EQ(json["sections"]["response"], "section 4");
  EXPECT_EQ(json["answer"]["letter"], "b");
}

TEST(Sample, MissingPartsAreEmpty) {
  const Sample s = sample_from_json(parse_json(R"({"id":"x","question":"q","turns":null})", "t"), "t");
  EXPECT_TRUE(s.audio.empty());
  EXPECT_TRUE(s.turns.empty());
  EXPECT_EQ(s.answer_letter, "");
}

TEST(Sample, ReadsLinesAndSkipsBlankOnes) {
  const ScratchDir scratch;
  const std::string path =
      scratch.put("samples.jsonl", dump_json(sample_to_json(full_sample())) + "\n\n  \r\n{\"id\":\"x\",\"question\":\"q\"}");
  const auto samples = read_samples(path);
  ASSERT_EQ(samples.size(), 2u);
  EXPECT_EQ(samples[1].id, "x");
}

TEST(Sample, ErrorsNameFileAndLine) {
  const char* broken[] = {"{\"id\":",
                          "[]",
                          "{\"id\":1,\"question\":\"q\"}",
                          "{\"question\":\"q\"}",
                          "{\"id\":\"x\"}",
                          "{\"id\":\"x\",\"question\":\"q\",\"audio\":\"a\"}",
                          "{\"id\":\"x\",\"question\":\"q\",\"audio\":[1]}",
                          "{\"id\":\"x\",\"question\":\"q\",\"timeline\":[1]}",
                          "{\"id\":\"x\",\"question\":\"q\",\"answer\":3}"};
  const ScratchDir scratch;
  for (const char* line : broken) {
    const std::string path = scratch.put("broken.jsonl", "\n" + std::string(line) + "\n");
    try {
      read_samples(path);
      ADD_FAILURE() << "accepted " << line;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInput);
      EXPECT_NE(std::string(e.what()).find("broken.jsonl, line 2"), std::string::npos) << e.what();
    }
  }
  EXPECT_THROW(read_samples("/nonexistent/x.jsonl"), Error);
}

}  // namespace
}  // namespace areason
