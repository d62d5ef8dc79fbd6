#include "model/config.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/testing.h"

namespace areason {
namespace {

class ConfigTest : public ::testing::Test {
 protected:
  void put(const std::string& name, const std::string& text) { dir_.put(name, text); }
  ModelConfig load(const std::string& config) {
    put("config.json", config);
    return load_model_config(dir_.path());
  }
  void expect_error(const std::string& config, const std::string& part) {
    try {
      load(config);
      ADD_FAILURE() << "no error for " << config;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kModel);
      EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
      EXPECT_NE(std::string(e.what()).find("config.json"), std::string::npos) << e.what();
    }
  }
  const ScratchDir dir_;
};

// What the released Instruct checkpoint leaves out (facts/model_and_training.md 3.1).
TEST_F(ConfigTest, SparseReleasedFileTakesTheReferenceDefaults) {
  const ModelConfig c = load(R"({"model_type":"qwen2_audio","audio_token_index":151646,
    "audio_config":{"model_type":"qwen2_audio_encoder","d_model":1280,"encoder_layers":32},
    "text_config":{"model_type":"qwen2","intermediate_size":11008,"max_position_embeddings":8192,"rope_theta":10000,
                   "rms_norm_eps":1e-5,"sliding_window":32768,"use_sliding_window":false,"vocab_size":156032,"eos_token_id":151645}})");
  EXPECT_EQ(c.text.width, 4096);
  EXPECT_EQ(c.text.layers, 32);
  EXPECT_EQ(c.text.heads, 32);
  EXPECT_EQ(c.text.kv_heads, 32);
  EXPECT_EQ(c.text.head_dim, 128);
  EXPECT_EQ(c.text.ffn, 11008);
  EXPECT_EQ(c.text.vocab_size, 156032);
  EXPECT_FLOAT_EQ(c.text.rms_eps, 1e-5f);
  EXPECT_FALSE(c.text.tied_embeddings);
  EXPECT_EQ(c.audio.heads, 20);
  EXPECT_EQ(c.audio.ffn, 5120);
  EXPECT_EQ(c.audio.mel_bins, 128);
  EXPECT_EQ(c.audio.max_positions, 1500);
  EXPECT_EQ(c.generation.eos_ids, std::vector<int>{151645});
  EXPECT_FLOAT_EQ(c.generation.repetition_penalty, 1.0f);
}

TEST_F(ConfigTest, EmptyPartsTakeClassDefaults) {
  const ModelConfig c = load(R"({"model_type":"qwen2_audio"})");
  EXPECT_EQ(c.text.vocab_size, 151936);
  EXPECT_EQ(c.text.ffn, 22016);
  EXPECT_FLOAT_EQ(c.text.rms_eps, 1e-6f);
  EXPECT_EQ(c.text.max_positions, 32768);
  EXPECT_EQ(c.audio_token, 151646);
}

TEST_F(ConfigTest, NewerSpellingsAndGeneration) {
  put("generation_config.json",
      R"({"eos_token_id":[1,2],"pad_token_id":1,"repetition_penalty":1.1,"do_sample":true,"temperature":0.7,"top_p":0.5,"top_k":20})");
  const ModelConfig c = load(R"({"model_type":"qwen2_audio","tie_word_embeddings":true,"audio_token_id":7,
    "text_config":{"hidden_size":64,"num_attention_heads":4,"num_key_value_heads":null,"rope_parameters":{"rope_type":"default","rope_theta":5e5}}})");
  EXPECT_DOUBLE_EQ(c.text.rope_theta, 5e5);
  EXPECT_EQ(c.text.kv_heads, 4);
  EXPECT_TRUE(c.text.tied_embeddings);
  EXPECT_EQ(c.audio_token, 7);
  EXPECT_EQ(c.generation.eos_ids, (std::vector<int>{1, 2}));
  EXPECT_EQ(c.generation.pad_id, 1);
  EXPECT_FLOAT_EQ(c.generation.repetition_penalty, 1.1f);
  EXPECT_EQ(c.generation.top_k, 20);
  EXPECT_TRUE(load(R"({"model_type":"qwen2_audio","text_config":{"tie_word_embeddings":true}})").text.tied_embeddings);
}

TEST_F(ConfigTest, WhatCannotBeUsedIsNamed) {
  expect_error("{", "not valid JSON");
  expect_error("[]", "not a JSON object");
  expect_error("{}", "model_type is missing");
  expect_error(R"({"model_type":"llama"})", "model_type is llama");
  const auto text = [&](const std::string& fields, const std::string& part) {
    expect_error(R"({"model_type":"qwen2_audio","text_config":{)" + fields + "}}", part);
  };
  text(R"("hidden_size":"big")", "text_config.hidden_size is not a whole number");
  text(R"("hidden_size":4294967296)", "text_config.hidden_size is outside");
  text(R"("hidden_size":18446744073709551615)", "text_config.hidden_size is outside");
  text(R"("hidden_size":-1)", "text_config.hidden_size is outside");
  text(R"("hidden_size":100)", "not a multiple");
  text(R"("num_hidden_layers":1000000000)", "text_config.num_hidden_layers is outside");
  text(R"("num_key_value_heads":5)", "text_config.num_key_value_heads does not divide");
  text(R"("model_type":"mamba")", "text_config.model_type is mamba");
  text(R"("use_sliding_window":true)", "text_config.use_sliding_window");
  text(R"("rope_scaling":{"type":"yarn","factor":4})", "rotary type yarn");
  text(R"("rope_theta":0)", "text_config.rope_theta is out of range");
  text(R"("head_dim":7)", "text_config.head_dim is odd");
  expect_error(R"({"model_type":"qwen2_audio","text_config":[]})", "text_config is not an object");
  expect_error(R"({"model_type":"qwen2_audio","audio_config":{"d_model":30}})", "audio_config.d_model is not a multiple");
  expect_error(R"({"model_type":"qwen2_audio","audio_config":{"activation_function":"relu"}})", "activation_function is relu");
  std::filesystem::remove(dir_.file("config.json"));
  EXPECT_THROW(load_model_config(dir_.path()), Error);
}

TEST_F(ConfigTest, ALoneFileIsNamedInItsErrors) {
  EXPECT_EQ(read_model_config("configs/nano.json").text.width, 256);
  put("rows.jsonl", "{\"id\": 1}\n{\"id\": 2}\n");
  try {
    read_model_config(dir_.file("rows.jsonl"));
    ADD_FAILURE();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("rows.jsonl"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace areason
