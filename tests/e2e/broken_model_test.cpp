// Broken checkpoints: exit status 4 and two lines that help; and questions that do not fit the model.
#include <gtest/gtest.h>

#include <cstring>
#include <memory>

#include "base/files.h"
#include "base/json.h"
#include "e2e/fixtures.h"
#include "e2e/process.h"

namespace areason::e2e {
namespace {

constexpr int kModel = 4;

class BrokenModel : public ::testing::Test {
 protected:
  void SetUp() override {
    if (small_checkpoint().empty()) GTEST_SKIP();
    model_ = std::make_unique<Checkpoint>();
    clip_ = dir_.put("good.wav", wav_tone(1));
  }
  Result ask() const {
    return run({"ask", "--model", model_->path(), "--structure", "free", "--max-new-tokens", "4", clip_, "What is heard?"});
  }
  void expect_unusable(const std::string& names) const { expect_failure(ask(), kModel, names); }
  // The config with the part that a caller's function changes.
  template <typename Change>
  void edit_config(Change change) const {
    Json config = model_->json("config.json");
    change(config);
    model_->write("config.json", config.dump());
  }
  // Overwrites the length field of the first weights file.
  void claim_header_length(std::uint64_t length) const {
    std::string bytes = read_file(model_->file(model_->weights()));
    std::memcpy(bytes.data(), &length, 8);
    model_->write(model_->weights(), bytes);
  }

  ScratchDir dir_;
  std::unique_ptr<Checkpoint> model_;
  std::string clip_;
};

TEST_F(BrokenModel, TheUnchangedCopyWorks) {
  const Result result = ask();
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_FALSE(result.hung);
}

TEST_F(BrokenModel, StandardInputWorks) {
  const Result result =
      run({"ask", "--model", model_->path(), "--structure", "free", "--max-new-tokens", "4", "-", "What is heard?"},
          {.input = wav_tone(1)});
  EXPECT_EQ(result.status, 0) << result.err;
}

TEST_F(BrokenModel, NoSuchDirectory) {
  expect_failure(run({"ask", "--model", "/nowhere/model", clip_, "What?"}), kModel, "/nowhere/model");
}

TEST_F(BrokenModel, EmptyDirectory) {
  expect_failure(run({"ask", "--model", dir_.path(), clip_, "What?"}), kModel, dir_.path());
}

TEST_F(BrokenModel, MissingShard) {
  const std::string name = model_->weights();
  model_->remove(name);
  expect_unusable(".safetensors");
}

TEST_F(BrokenModel, TruncatedShard) {
  model_->tear(model_->weights());
  expect_unusable(model_->weights());
}

TEST_F(BrokenModel, HeaderThatLiesAboutItsLength) {
  for (const std::uint64_t length :
       {std::uint64_t{1} << 62, ~std::uint64_t{0}, std::uint64_t{100000000}, std::uint64_t{5}, std::uint64_t{0}}) {
    claim_header_length(length);
    expect_unusable(model_->weights());
  }
}

TEST_F(BrokenModel, OffsetsBeyondTheFile) {
  model_->edit_header(model_->weights(), [](Json& header) {
    for (auto& [name, tensor] : header.items())
      if (name != "__metadata__") tensor["data_offsets"][1] = std::uint64_t{1} << 50;
  });
  expect_unusable(model_->weights());
}

TEST_F(BrokenModel, WrongShape) {
  std::string changed;
  model_->edit_header(model_->weights(), [&](Json& header) {
    for (auto& [name, tensor] : header.items()) {
      if (name == "__metadata__" || tensor["shape"].size() != 2 || tensor["shape"][0] == tensor["shape"][1]) continue;
      std::swap(tensor["shape"][0], tensor["shape"][1]);
      changed = name;
      return;
    }
  });
  ASSERT_FALSE(changed.empty());
  // v4 and v5 names differ in their beginning only.
  expect_unusable(
      changed.substr(changed.rfind("layers") == std::string::npos ? changed.find_last_of('.') : changed.rfind("layers")));
}

TEST_F(BrokenModel, MissingTensor) {
  model_->edit_header(model_->weights(), [](Json& header) {
    Json kept;
    for (auto& [name, tensor] : header.items())
      if (name.find("layers.0.self_attn.q_proj.weight") == std::string::npos) kept[name] = tensor;
    header = kept;
  });
  expect_unusable("q_proj");
}

TEST_F(BrokenModel, TornJson) {
  for (const char* name : {"config.json", "tokenizer.json", "preprocessor_config.json", "generation_config.json"}) {
    SCOPED_TRACE(name);
    const Checkpoint copy;
    copy.tear(name);
    expect_failure(run({"ask", "--model", copy.path(), clip_, "What?"}), kModel, name);
  }
}

TEST_F(BrokenModel, JsonOfAMillionBrackets) {
  for (const char* name : {"config.json", "tokenizer.json"}) {
    const Checkpoint copy;
    copy.write(name, std::string(1000000, '['));
    expect_failure(run({"ask", "--model", copy.path(), clip_, "What?"}), kModel, name);
  }
}

TEST_F(BrokenModel, TornIndex) {
  if (model_->weights() == "model.safetensors") GTEST_SKIP() << "*** this checkpoint has no index ***";
  model_->tear("model.safetensors.index.json");
  expect_unusable("model.safetensors.index.json");
}

TEST_F(BrokenModel, MissingConfigOrTokenizer) {
  for (const char* name : {"config.json", "preprocessor_config.json"}) {
    SCOPED_TRACE(name);
    const Checkpoint copy;
    copy.remove(name);
    expect_failure(run({"ask", "--model", copy.path(), clip_, "What?"}), kModel, name);
  }
}

TEST_F(BrokenModel, UnknownModelType) {
  edit_config([](Json& config) { config["model_type"] = "parrot"; });
  expect_unusable("parrot");
}

TEST_F(BrokenModel, ConfigThatDoesNotFitTheWeights) {
  edit_config([](Json& config) { config["text_config"]["num_hidden_layers"] = 1000; });
  expect_unusable("layers");
}

TEST_F(BrokenModel, AbsurdSizesInTheConfig) {
  const Json good = model_->json("config.json");
  for (const Json& value : {Json(-1), Json(0), Json(1e18), Json("many"), Json(nullptr), Json::array()}) {
    SCOPED_TRACE(value.dump());
    if (value.is_null()) continue;  // null takes the default
    Json config = good;
    config["text_config"]["num_attention_heads"] = value;
    model_->write("config.json", config.dump());
    expect_unusable("num_attention_heads");
  }
}

TEST_F(BrokenModel, PromptLongerThanTheContext) {
  edit_config([](Json& config) { config["text_config"]["max_position_embeddings"] = 40; });
  expect_failure(ask(), kInput, "40");
}

TEST_F(BrokenModel, QuestionOfSixtyThousandWords) {
  // One argument may be up to 128 KiB, so the words are short.
  std::string question;
  for (int i = 0; i < 60000; ++i) question += "a ";
  edit_config([](Json& config) { config["text_config"]["max_position_embeddings"] = 2048; });
  expect_failure(run({"ask", "--model", model_->path(), clip_, question}), kInput, "2048");
}

}  // namespace
}  // namespace areason::e2e
