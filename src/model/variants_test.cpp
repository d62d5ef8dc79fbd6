// One checkpoint in every form the loader takes: names of transformers 4 and 5, sharded or not, bf16, f16 or f32, at odd
// addresses; and broken ones, whose error names the tensor. Made here from the golden checkpoint.

#include <bit>

#include "base/error.h"
#include "base/files.h"
#include "base/testing.h"
#include "model/testing.h"

namespace areason {
namespace {

using namespace testing_model;

class VariantsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_FALSE(cases_dir("golden").empty()) << "tests/golden is part of the repository";
    source_ = cases_dir("golden") + "/model";
    std::filesystem::copy_file(source_ + "/config.json", dir_.file("config.json"));
    const TensorStore store = TensorStore::open(source_);
    for (const auto& [name, view] : store.tensors())
      tensors_.push_back({name, view.dtype, view.shape, {view.data.begin(), view.data.end()}});
    want_ = logits_of(source_);
  }

  void write(const std::string& name = "model.safetensors") { write_safetensors(dir_.file(name), tensors_); }
  TensorOut& tensor(const std::string& name) {
    for (auto& t : tensors_)
      if (t.name == name) return t;
    throw std::runtime_error("no " + name);
  }
  std::string load_error() {
    try {
      Qwen2Audio::load(dir_.path(), 1);
      return "";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kModel);
      return e.what();
    }
  }

  std::string source_;
  const ScratchDir dir_;
  std::vector<TensorOut> tensors_;
  std::vector<float> want_;
};

TEST_F(VariantsTest, NamesOfTransformers5) {
  const auto rename = [](std::string name) {
    for (const auto& [from, to] : {std::pair{"language_model.model.", "model.language_model."},
                                   {"language_model.lm_head", "lm_head"},
                                   {"audio_tower.", "model.audio_tower."},
                                   {"multi_modal_projector.", "model.multi_modal_projector."}})
      if (name.rfind(from, 0) == 0) return to + name.substr(std::string(from).size());
    return name;
  };
  for (auto& t : tensors_) t.name = rename(t.name);
  write();
  EXPECT_EQ(logits_of(dir_.path()), want_);
}

TEST_F(VariantsTest, ShardedWithAnIndex) {
  std::vector<TensorOut> shard[2];
  Json map = Json::object();
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    shard[i % 2].push_back(tensors_[i]);
    map[tensors_[i].name] = i % 2 == 0 ? "a.safetensors" : "b.safetensors";
  }
  write_safetensors(dir_.file("a.safetensors"), shard[0]);
  write_safetensors(dir_.file("b.safetensors"), shard[1]);
  write_file_atomic(dir_.file("model.safetensors.index.json"), dump_json({{"weight_map", map}}));
  EXPECT_EQ(logits_of(dir_.path()), want_);
  std::filesystem::remove(dir_.file("b.safetensors"));
  EXPECT_NE(load_error().find("b.safetensors"), std::string::npos);
}

TEST_F(VariantsTest, WeightsInOtherPrecisions) {
  // f32 holds every bf16 exactly. f16 does too for the sizes of these weights but the smallest, which lose some bits.
  for (auto& t : tensors_) {
    const TensorView view{t.name, t.dtype, t.shape, t.data};
    t = make_f32(t.name, t.shape, view.to_f32());
  }
  write();
  EXPECT_LT(relative_error(logits_of(dir_.path()), want_), 1e-5f);
  for (auto& t : tensors_) {
    std::vector<std::byte> half(t.data.size() / 2);
    for (std::size_t i = 0; i < half.size() / 2; ++i) {
      float value = 0;
      std::memcpy(&value, t.data.data() + 4 * i, 4);
      const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
      const int exponent = static_cast<int>((bits >> 23) & 255) - 112;
      const std::uint16_t out =
          exponent <= 0 ? 0
                        : static_cast<std::uint16_t>(((bits >> 16) & 0x8000u) | (static_cast<unsigned>(exponent) << 10) |
                                                     ((bits >> 13) & 1023u));
      std::memcpy(half.data() + 2 * i, &out, 2);
    }
    t.dtype = DType::kF16;
    t.data = half;
  }
  write();
  EXPECT_LT(relative_error(logits_of(dir_.path()), want_), 1e-3f);  // weights under 6e-5 became 0
}

TEST_F(VariantsTest, TensorsAtOddAddresses) {
  write();
  std::string bytes = read_file(dir_.file("model.safetensors"));
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  bytes.insert(8 + length, " ");
  ++length;
  std::memcpy(bytes.data(), &length, 8);
  write_file_atomic(dir_.file("model.safetensors"), bytes);
  EXPECT_EQ(logits_of(dir_.path()), want_);
}

TEST_F(VariantsTest, BrokenCheckpointsNameTheTensor) {
  const std::string name = "language_model.model.layers.1.mlp.up_proj.weight";
  const std::vector<std::int64_t> shape = tensor(name).shape;
  tensor(name).shape = {shape[1], shape[0]};
  write();
  EXPECT_NE(load_error().find(name + " has the shape"), std::string::npos);
  tensor(name).shape = shape;
  tensor(name).name = "something.else";
  write();
  EXPECT_NE(load_error().find(name + " is missing"), std::string::npos);
  tensor("something.else").name = name;
  TensorOut& norm = tensor("audio_tower.layer_norm.bias");
  norm.dtype = DType::kI32;
  norm.shape = {norm.shape[0]};
  norm.data.resize(static_cast<std::size_t>(norm.shape[0]) * 4);
  write();
  EXPECT_NE(load_error().find("audio_tower.layer_norm.bias holds I32"), std::string::npos);
  std::filesystem::remove(dir_.file("model.safetensors"));
  EXPECT_NE(load_error().find("no *.safetensors"), std::string::npos);
}

// A model cut short would answer nonsense without a word.
TEST_F(VariantsTest, ConfigurationsOfFewerLayersAreRefused) {
  write();
  const Json config = read_json_file(dir_.file("config.json"));
  for (const char* part : {"text_config", "audio_config"}) {
    Json fewer = config;
    Json& layers = fewer[part][std::string(part) == "text_config" ? "num_hidden_layers" : "encoder_layers"];
    const int all = layers;
    layers = all - 1;
    write_file_atomic(dir_.file("config.json"), fewer.dump());
    const std::string error = load_error();
    EXPECT_NE(error.find("layers." + std::to_string(all - 1) + "."), std::string::npos) << part << ": " << error;
    EXPECT_NE(error.find("the configuration asks for " + std::to_string(all - 1) + " layers"), std::string::npos) << error;
  }
}

// A configuration with enormous sizes must fail on the first tensor, not allocate.
TEST_F(VariantsTest, AbsurdSizesAreRefusedBeforeAnythingIsAllocated) {
  write();
  Json config = read_json_file(source_ + "/config.json");
  config["text_config"]["num_hidden_layers"] = 4096;
  config["text_config"]["max_position_embeddings"] = 1 << 24;
  write_file_atomic(dir_.file("config.json"), dump_json(config));
  EXPECT_NE(load_error().find("layers.2."), std::string::npos);
  config["text_config"]["vocab_size"] = 1 << 24;
  config["text_config"]["hidden_size"] = 1 << 17;
  write_file_atomic(dir_.file("config.json"), dump_json(config));
  EXPECT_NE(load_error().find("has the shape"), std::string::npos);
}

}  // namespace
}  // namespace areason
