// Adapter files and merging, without torch.
#include "train/plain/adapter.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/testing.h"

namespace areason::train {
namespace {

namespace fs = std::filesystem;
constexpr const char* kModule = "language_model.model.layers.0.self_attn.q_proj";

class Adapter : public testing::Test {
 protected:
  void SetUp() override {
    make_directories(dir_ / "base");
    make_directories(dir_ / "adapter");
    write_file_atomic(dir_ / "base/config.json", "{}");
  }

  // A base of one linear [2, 3] and an embedding, and an adapter of rank 2 under the names of `prefix`.
  void write(const std::string& prefix, const AdapterOptions& options) const {
    const std::vector<float> weight = {1, 2, 3, 4, 5, 6}, a = {1, 0, -1, 2, 1, 0}, b = {1, 2, 0, -1}, embedding = {7, 8};
    write_safetensors(dir_ / "base/model.safetensors",
                      std::vector<TensorOut>{make_f32(std::string(kModule) + ".weight", {2, 3}, weight),
                                             make_f32("language_model.model.embed_tokens.weight", {2, 1}, embedding)});
    write_safetensors(
        dir_ / "adapter/adapter_model.safetensors",
        std::vector<TensorOut>{make_f32(prefix + ".lora_A.weight", {2, 3}, a), make_f32(prefix + ".lora_B.weight", {2, 2}, b)});
    write_adapter_config(options, dir_ / "adapter");
  }
  std::vector<float> merged(std::uint64_t shard_bytes = 1 << 20) const {
    merge_adapter({dir_ / "base", dir_ / "adapter", dir_ / "out", shard_bytes});
    return TensorStore::open(dir_ / "out").at(std::string(kModule) + ".weight").to_f32();
  }
  const ScratchDir scratch_;
  const fs::path dir_ = scratch_.path();
};

// B A = [[5, 2, -1], [-2, -1, 0]].
TEST_F(Adapter, MergeAddsTheScaledProduct) {
  AdapterOptions options;
  options.rank = 2;
  options.alpha = 4;  // scale 2
  write("base_model.model." + std::string(kModule), options);
  EXPECT_EQ(merged(), (std::vector<float>{11, 6, 1, 0, 3, 6}));
  EXPECT_TRUE(fs::exists(dir_ / "out/config.json"));
  // transformers 5 would start a head that is not in the file at random.
  EXPECT_EQ(TensorStore::open(dir_ / "out").at("language_model.lm_head.weight").to_f32(), (std::vector<float>{7, 8}));
}

TEST_F(Adapter, RankStabilisedScaleAndNamesOfTransformers5) {
  AdapterOptions options;
  options.rank = 2;
  options.alpha = 4;
  options.scaling = AdapterScale::kRankStabilised;
  write("base_model.model.model.language_model.layers.0.self_attn.q_proj", options);
  EXPECT_NEAR(static_cast<double>(merged()[0]), 1 + 5 * 4 / std::sqrt(2.0), 1e-5);
}

TEST_F(Adapter, ShardsHaveAnIndex) {
  AdapterOptions options;
  options.rank = 2;
  options.alpha = 4;
  write("base_model.model." + std::string(kModule), options);
  EXPECT_EQ(merged(8), (std::vector<float>{11, 6, 1, 0, 3, 6}));
  EXPECT_TRUE(fs::exists(dir_ / "out/model-00001-of-00002.safetensors"));
  EXPECT_EQ(read_json_file(dir_ / "out/model.safetensors.index.json")["weight_map"].size(), 3u);
}

TEST_F(Adapter, ConfigIsReadAsWritten) {
  AdapterOptions options;
  options.rank = 3;
  options.alpha = 5;
  options.dropout = 0.25;
  options.scaling = AdapterScale::kRankStabilised;
  options.targets = {"q_proj", "down_proj"};
  options.base = "some/base";
  write_adapter_config(options, dir_ / "adapter");
  const AdapterOptions read = read_adapter_config(dir_ / "adapter");
  EXPECT_EQ(read.rank, 3);
  EXPECT_EQ(read.alpha, 5);
  EXPECT_EQ(read.dropout, 0.25);
  EXPECT_EQ(read.scaling, AdapterScale::kRankStabilised);
  EXPECT_EQ(read.targets, options.targets);
  EXPECT_EQ(read.base, "some/base");
  EXPECT_TRUE(read.targets_module("language_model.model.layers.3.mlp.down_proj"));
  EXPECT_FALSE(read.targets_module("language_model.model.layers.3.mlp.up_proj"));
  EXPECT_FALSE(read.targets_module("audio_tower.layers.3.self_attn.q_proj"));
}

TEST_F(Adapter, WhatDoesNotFitIsNamed) {
  AdapterOptions options;
  options.rank = 2;
  write("base_model.model.language_model.model.layers.9.self_attn.q_proj", options);
  EXPECT_THROW(merged(), Error);
  write_file_atomic(dir_ / "adapter/adapter_config.json", R"({"peft_type": "LORA", "r": 2, "use_dora": true})");
  EXPECT_THROW(read_adapter_config(dir_ / "adapter"), Error);
  write_file_atomic(dir_ / "adapter/adapter_config.json", R"({"peft_type": "IA3"})");
  EXPECT_THROW(read_adapter_config(dir_ / "adapter"), Error);
  write("base_model.model." + std::string(kModule), options);
  EXPECT_THROW(merge_adapter({dir_ / "base", dir_ / "adapter", dir_ / "base"}), Error);
  // The scale follows from r: another one than the tensors' would merge at another strength.
  write_file_atomic(dir_ / "adapter/adapter_config.json", R"({"peft_type": "LORA", "r": 4, "lora_alpha": 8})");
  EXPECT_THROW(merged(), Error);
  write_file_atomic(dir_ / "adapter/adapter_config.json", R"({"peft_type": "LORA", "r": 2, "lora_alpha": "x"})");
  EXPECT_THROW(merged(), Error);
}

}  // namespace
}  // namespace areason::train
