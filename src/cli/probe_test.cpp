// The whole way of a conversation (clip, samples, log-mel, embeddings, prompt, logits, greedy tokens) against transformers,
// through the command itself. Tolerances are the issue's: samples 1e-4, log-mel 2e-4, embeddings and logits 1e-3 relative to
// the largest magnitude, ids equal, greedy tokens equal up to a step whose two best scores are within 1e-3.
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/json.h"
#include "base/testing.h"
#include "cli/commands.h"
#include "model/testing.h"

namespace areason {
namespace {

using namespace testing_model;

class ProbeTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    dir_ = cases_dir(GetParam());
    if (dir_.empty()) GTEST_SKIP() << "NO REFERENCE VALUES";
    cases_ = read_cases(dir_);
  }

  TensorStore probe(const Json& messages, const std::vector<std::string>& more) {
    temp_.put("messages.json", dump_json(messages));
    std::vector<std::string> args = {"probe",
                                     "--model",
                                     dir_ + "/model",
                                     "--messages",
                                     temp_.file("messages.json"),
                                     "--audio-root",
                                     dir_ + "/clips",
                                     "--out",
                                     temp_.file("out.safetensors")};
    args.insert(args.end(), more.begin(), more.end());
    std::reverse(args.begin(), args.end());  // CLI11 takes them from the back
    CLI::App app;
    register_probe(app);
    app.parse(args);
    return TensorStore::open(temp_.file("out.safetensors"));
  }
  TensorStore file(const Json& entry) const {
    return TensorStore::open(dir_ + "/cases/" + entry.at("file").get<std::string>());
  }

  std::string dir_;
  Json cases_;
  const ScratchDir temp_;
};

INSTANTIATE_TEST_SUITE_P(Sets, ProbeTest, ::testing::Values("reference", "golden"),
                         [](const auto& param) { return param.param; });

float largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return INFINITY;
  float worst = 0.0f;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::fabs(a[i] - b[i]));
  return worst;
}

void compare_audio(const TensorStore& got, const TensorStore& want, const Json& clip, const std::string& suffix) {
  EXPECT_LT(largest_difference(got.at("samples_16k" + suffix).to_f32(), want.at("samples_16k").to_f32()), 1e-4f) << suffix;
  const int frames = clip.at("mel_frames").get<int>();
  const LogMel mel = clip_mel(want, frames, frames);
  EXPECT_LT(largest_difference(got.at("log_mel" + suffix).to_f32(), mel.data), 2e-4f) << suffix;
  EXPECT_EQ(got.at("log_mel" + suffix).shape, (std::vector<std::int64_t>{mel.bins, frames}));
  EXPECT_EQ(got.at("audio_embeddings" + suffix).shape, want.at("audio_embeddings").shape);
  EXPECT_LT(relative_error(got.at("audio_embeddings" + suffix).to_f32(), want.at("audio_embeddings").to_f32()), 1e-3f)
      << suffix;
}

TEST_P(ProbeTest, EveryPromptAgreesFromClipToTokens) {
  for (const auto& prompt : cases_.at("prompts")) {
    const TensorStore want = file(prompt);
    const auto tokens = read_ids(want.at("generated"));
    const TensorStore got =
        probe(prompt.at("messages"), {"--greedy", std::to_string(tokens.size()), "--repetition-penalty",
                                      std::to_string(prompt.at("repetition_penalty").get<double>()), "--logits", "last"});
    const std::string name = prompt.at("name").get<std::string>();
    SCOPED_TRACE(name);
    const auto clips = clip_names(prompt.at("messages"));
    for (std::size_t i = 0; i < clips.size(); ++i) {
      const Json& clip = cases_.at("clips").at(clips[i]);
      compare_audio(got, file(clip), clip, "." + std::to_string(i));
    }
    EXPECT_EQ(read_ids(got.at("input_ids")), read_ids(want.at("input_ids")));
    EXPECT_LT(relative_error(got.at("logits").to_f32(), want.at("last_logits").to_f32()), 1e-3f);
    const auto generated = read_ids(got.at("generated"));
    ASSERT_LE(generated.size(), tokens.size());
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      if (prompt.at("greedy_margins").at(i).get<double>() < 1e-3) break;  // either choice is right, and changes what follows
      ASSERT_LT(i, generated.size()) << "ended early";
      ASSERT_EQ(generated[i], tokens[i]) << "step " << i;
    }
  }
}

TEST_P(ProbeTest, LogitsOfAllPositions) {
  // The shortest prompt: a large vocabulary times a long prompt is half a gigabyte.
  const Json* shortest = nullptr;
  for (const auto& prompt : cases_.at("prompts"))
    if (shortest == nullptr || file(prompt).at("input_ids").shape[0] < file(*shortest).at("input_ids").shape[0])
      shortest = &prompt;
  ASSERT_NE(shortest, nullptr);
  const TensorStore want = file(*shortest);
  const TensorStore got = probe(shortest->at("messages"), {});
  const auto positions = want.at("input_ids").shape[0];
  const auto logits = got.at("logits").to_f32();
  const auto kept = static_cast<std::ptrdiff_t>(want.at("all_logits_first_1024").shape[1]);
  const auto vocabulary = got.at("logits").shape.at(1);
  ASSERT_EQ(got.at("logits").shape.at(0), positions);
  std::vector<float> first;
  for (std::ptrdiff_t p = 0; p < positions; ++p)
    first.insert(first.end(), logits.begin() + p * vocabulary, logits.begin() + p * vocabulary + kept);
  EXPECT_LT(relative_error(first, want.at("all_logits_first_1024").to_f32()), 1e-3f);
  EXPECT_EQ(got.at("generated").elements(), 0);
}

}  // namespace
}  // namespace areason
