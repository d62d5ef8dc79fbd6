// Checkpoints through the converter and back: the engine on a GGUF file against the engine on the same numbers in f32; files as
// others make them; interruptions; refusals. Made here from the golden checkpoint and from random weights.
#include "model/quantize.h"

#include <fstream>

#include "base/error.h"
#include "base/files.h"
#include "base/random.h"
#include "base/testing.h"
#include "kernels/half.h"
#include "kernels/quant_blocks.h"
#include "model/gguf_names.h"
#include "model/gguf_writer.h"
#include "model/stored_tensors.h"
#include "model/testing.h"

namespace areason {
namespace {

using namespace testing_model;
namespace fs = std::filesystem;

// Root mean square of the differences over that of the wanted values.
float rms_error(const std::vector<float>& got, const std::vector<float>& want) {
  if (got.size() != want.size()) return INFINITY;
  double error = 0, size = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double a = static_cast<double>(got[i]), b = static_cast<double>(want[i]);
    error += (a - b) * (a - b);
    size += b * b;
  }
  return std::isfinite(error) ? static_cast<float>(std::sqrt(error / std::max(size, 1e-30))) : INFINITY;
}

class QuantizeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_FALSE(cases_dir("golden").empty()) << "tests/golden is part of the repository";
    source_ = cases_dir("golden") + "/model";
  }

  std::string at(const std::string& name) const { return dir_.file(name); }
  QuantizeOptions options(const std::string& out, GgufType type) const {
    QuantizeOptions options;
    options.model_dir = source_;
    options.out = at(out);
    options.type = options.mmproj_type = type;
    options.threads = 2;
    return options;
  }
  // The same model with every stored number as f32 in safetensors.
  std::string unpacked(const std::string& model) const {
    const std::string out = at("unpacked");
    fs::remove_all(out);
    fs::create_directories(out);
    fs::copy_file(model + "/config.json", out + "/config.json");
    const StoredTensors stored = StoredTensors::open(find_model_files(model));
    std::vector<TensorOut> tensors;
    for (const std::string file : {"model.gguf", "mmproj.gguf"}) {
      const GgufFile gguf = GgufFile::open(model + "/" + file);
      for (const auto& [name, tensor] : gguf.tensors()) {
        const std::string released = released_name_of(std::string(name)).value();
        const StoredTensor* found = stored.find(released);
        tensors.push_back(make_f32(released, found->shape, found->to_f32()));
      }
    }
    write_safetensors(out + "/model.safetensors", tensors);
    return out;
  }
  template <typename Call>
  static std::string refusal(ErrorCode code, Call call) {
    try {
      call();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), code) << e.what();
      return e.what();
    }
    return "";
  }

  std::string source_;
  const ScratchDir dir_;
};

TEST_F(QuantizeTest, EngineOnEveryTypeEqualsTheDequantisedReference) {
  struct Case {
    GgufType type;
    float tolerance;
  };
  // Plain formats differ in the rounding of sums only. Block formats are multiplied with activations of eight bits, up to 1/254
  // of a block's largest value off each: 1.6 % where this was written. A mistaken layout or scale gives about 1.
  const Case cases[] = {{GgufType::kF32, 1e-5f},
                        {GgufType::kF16, 1e-5f},
                        {GgufType::kBF16, 1e-5f},
                        {GgufType::kQ8_0, 3e-2f},
                        {GgufType::kQ4_0, 3e-2f}};
  for (const auto& test : cases) {
    const std::string name = gguf_type_info(test.type).name;
    quantize_model(options(name, test.type));
    const float error = rms_error(logits_of(at(name)), logits_of(unpacked(at(name))));
    std::printf("  %s: logits within %.1e of the dequantised reference\n", name.c_str(), static_cast<double>(error));
    EXPECT_LT(error, test.tolerance) << name;
  }
}

TEST_F(QuantizeTest, ReportSaysWhatWasLost) {
  const auto files = quantize_model(options("q8", GgufType::kQ8_0));
  ASSERT_EQ(files.size(), 2u);
  bool block = false, fallback = false;
  for (const auto& error : files[0].tensors) {
    if (error.type == "Q8_0") {
      block = true;
      EXPECT_GT(error.rmse, 0.0) << error.name;
      EXPECT_LT(error.relative, 0.02) << error.name;  // a step of 1/127 of the block's largest value
      EXPECT_GT(error.cosine, 0.999) << error.name;
      EXPECT_LE(error.rmse, error.max) << error.name;
    }
    fallback = fallback || (error.name == "blk.0.ffn_down.weight" && error.type == "F16");  // rows of 56
  }
  EXPECT_TRUE(block);
  EXPECT_TRUE(fallback);
  const Json json = converted_to_json(files);
  EXPECT_EQ(json.at("files").at(1).at("tensors").size(), files[1].tensors.size());
}

TEST_F(QuantizeTest, InterruptedAnywhereGoesOnToTheSameBytes) {
  const auto whole = quantize_model(options("whole", GgufType::kQ4_0));
  const std::size_t tensors = whole[0].tensors.size() + whole[1].tensors.size();
  struct Stop {};
  for (const std::size_t after : {std::size_t{1}, whole[0].tensors.size(), tensors - 1}) {
    QuantizeOptions cut = options("cut", GgufType::kQ4_0);
    std::size_t seen = 0;
    cut.progress = [&](const QuantizeProgress&) {
      if (++seen == after) throw Stop();
    };
    EXPECT_THROW(quantize_model(cut), Stop);
    // What a dying process leaves: half a line, half a tensor.
    for (const char* file : {"model.gguf", "mmproj.gguf"}) {
      if (!fs::exists(at("cut") + "/" + file + ".partial")) continue;
      std::ofstream(at("cut") + "/" + file + ".partial", std::ios::app | std::ios::binary) << "torn";
      std::ofstream(at("cut") + "/" + file + ".errors.jsonl", std::ios::app) << R"({"name": "to)";
    }
    const auto resumed = quantize_model(options("cut", GgufType::kQ4_0));
    EXPECT_EQ(resumed[0].resumed + resumed[1].resumed, after);
    for (const std::string file : {"/model.gguf", "/mmproj.gguf", "/model.gguf.errors.jsonl", "/mmproj.gguf.errors.jsonl"})
      EXPECT_TRUE(read_file(at("cut") + file) == read_file(at("whole") + file)) << file << " after " << after;
    EXPECT_EQ(dump_json(converted_to_json(resumed).at("files").at(0).at("tensors")),
              dump_json(converted_to_json(whole).at("files").at(0).at("tensors")));
    fs::remove_all(at("cut"));
  }
}

TEST_F(QuantizeTest, FinishedFilesOfAnotherConversionAreKept) {
  quantize_model(options("out", GgufType::kQ8_0));
  const std::string before = read_file(at("out") + "/model.gguf");
  const auto again = quantize_model(options("out", GgufType::kQ8_0));
  EXPECT_EQ(again[0].resumed, again[0].tensors.size());
  const std::string said = refusal(ErrorCode::kUsage, [&] { quantize_model(options("out", GgufType::kQ4_0)); });
  EXPECT_NE(said.find("model.gguf exists"), std::string::npos) << said;
  EXPECT_TRUE(read_file(at("out") + "/model.gguf") == before);
  QuantizeOptions replace = options("out", GgufType::kQ4_0);
  replace.existing = ExistingOutput::kReplace;
  quantize_model(replace);
  EXPECT_FALSE(read_file(at("out") + "/model.gguf") == before);
}

TEST_F(QuantizeTest, TwoFilesAloneAreAWholeModel) {
  quantize_model(options("dir", GgufType::kF16));
  QuantizeOptions alone = options("alone/tiny.gguf", GgufType::kF16);
  quantize_model(alone);
  const std::string text = at("alone/tiny.gguf"), mmproj = at("alone/mmproj-tiny.gguf");
  ASSERT_TRUE(fs::exists(mmproj));
  EXPECT_EQ(logits_of(text), logits_of(at("dir")));
  EXPECT_EQ(logits_of(text + "," + mmproj), logits_of(at("dir")));
  const ModelConfig want = load_model_config(at("dir")), have = load_model_config(text);
  EXPECT_EQ(have.audio_token, want.audio_token);
  EXPECT_EQ(have.generation.eos_ids, want.generation.eos_ids);
  EXPECT_EQ(have.text.kv_heads, want.text.kv_heads);
  EXPECT_EQ(have.text.rms_eps, want.text.rms_eps);
  EXPECT_EQ(have.audio.max_positions, want.audio.max_positions);
  EXPECT_EQ(load_model_log_mel_config(text).bins, load_model_log_mel_config(at("dir")).bins);
  const Tokenizer ours = load_model_tokenizer(text), theirs = load_model_tokenizer(at("dir"));
  for (const std::string line :
       {"<|im_start|>user\nWhat is heard?<|im_end|>\n", "caf\u00e9 cafe\u0301 12 it's\t\n\n x", "\xff<|AUDIO|>"})
    for (const SpecialTokens how : {SpecialTokens::kParse, SpecialTokens::kAsText})
      EXPECT_EQ(ours.encode(line, how), theirs.encode(line, how)) << line;
  EXPECT_EQ(ours.size(), theirs.size());
}

// A checkpoint of random weights whose rows hold whole blocks of 256.
void write_wide_checkpoint(const std::string& dir) {
  fs::create_directories(dir);
  write_file_atomic(dir + "/config.json", R"({"model_type":"qwen2_audio","audio_token_index":0,
    "audio_config":{"num_mel_bins":16,"d_model":256,"encoder_layers":1,"encoder_attention_heads":4,"encoder_ffn_dim":256,
                    "max_source_positions":30},
    "text_config":{"hidden_size":256,"intermediate_size":512,"num_hidden_layers":2,"num_attention_heads":4,
                   "num_key_value_heads":2,"vocab_size":96,"max_position_embeddings":128}})");
}

struct Shaped {
  std::string name;
  std::vector<std::int64_t> shape;
};

std::vector<Shaped> wide_tensors() {
  std::vector<Shaped> out = {{"token_embd.weight", {96, 256}}, {"output_norm.weight", {256}}, {"output.weight", {96, 256}}};
  for (const std::string at : {"blk.0.", "blk.1."}) {
    out.push_back({at + "attn_norm.weight", {256}});
    out.push_back({at + "ffn_norm.weight", {256}});
    for (const char* name : {"attn_q", "attn_output"}) out.push_back({at + name + ".weight", {256, 256}});
    for (const char* name : {"attn_k", "attn_v"}) out.push_back({at + name + ".weight", {128, 256}});
    out.push_back({at + "attn_q.bias", {256}});
    for (const char* name : {"attn_k", "attn_v"}) out.push_back({at + name + ".bias", {128}});
    for (const char* name : {"ffn_gate", "ffn_up"}) out.push_back({at + name + ".weight", {512, 256}});
    out.push_back({at + "ffn_down.weight", {256, 512}});
  }
  return out;
}

std::vector<Shaped> wide_audio_tensors() {
  std::vector<Shaped> out = {{"a.conv1d.1.weight", {256, 16, 3}},
                             {"a.conv1d.1.bias", {256, 1}},
                             {"a.conv1d.2.weight", {256, 256, 3}},
                             {"a.conv1d.2.bias", {256, 1}},
                             {"a.position_embd.weight", {30, 256}},
                             {"mm.a.fc.weight", {256, 256}},
                             {"mm.a.fc.bias", {256}}};
  for (const std::string name : {"a.post_ln", "a.blk.0.ln1", "a.blk.0.ln2"})
    for (const char* part : {".weight", ".bias"}) out.push_back({name + part, {256}});
  for (const std::string name : {"attn_q", "attn_k", "attn_v", "attn_out", "ffn_up", "ffn_down"}) {
    out.push_back({"a.blk.0." + name + ".weight", {256, 256}});
    if (name != "attn_k") out.push_back({"a.blk.0." + name + ".bias", {256}});
  }
  return out;
}

// Random blocks with scales of the size that trained weights have; any bits are valid codes.
std::vector<std::byte> random_blocks(GgufType type, std::uint64_t bytes, Random& random) {
  const GgufTypeInfo& info = gguf_type_info(type);
  std::vector<std::byte> out(bytes);
  for (auto& byte : out) byte = static_cast<std::byte>(random.below(256));
  const auto set = [&](std::size_t at, float value) {
    const std::uint16_t bits = f32_to_f16_bits(value);
    std::memcpy(out.data() + at, &bits, sizeof bits);
  };
  for (std::size_t block = 0; block < bytes; block += info.bytes) {
    if (type == GgufType::kQ6_K) {
      set(block + info.bytes - 2, 2e-5f);
    } else {
      set(block, type == GgufType::kQ8_0 ? 5e-4f : type == GgufType::kQ4_0 ? 8e-3f : 2e-4f);
      if (type == GgufType::kQ4_K || type == GgufType::kQ5_K) set(block + 2, 1e-3f);
    }
  }
  return out;
}

std::vector<std::byte> random_floats(const Shaped& tensor, Random& random) {
  std::size_t count = 1;
  for (const std::int64_t dim : tensor.shape) count *= static_cast<std::size_t>(dim);
  const bool norm = tensor.name.find("norm.weight") != std::string::npos || tensor.name.find("ln") != std::string::npos;
  std::vector<std::byte> out(count * sizeof(float));
  for (std::size_t i = 0; i < count; ++i) {
    const float value = (norm ? 1.0f : 0.0f) + 0.1f * (static_cast<float>(random.below(2001)) / 1000.0f - 1.0f);
    std::memcpy(out.data() + i * sizeof value, &value, sizeof value);
  }
  return out;
}

// Writes `tensors` with the matrices in the type that `choose` gives.
template <typename Choose>
void write_random_gguf(const std::string& path, const std::vector<Shaped>& tensors, Choose choose) {
  GgufHead head;
  for (const auto& tensor : tensors)
    head.add_tensor(tensor.name, tensor.shape.size() == 2 && tensor.shape[1] > 1 ? choose(tensor.name) : GgufType::kF32,
                    tensor.shape);
  GgufWriter writer(path, head);
  Random random(7);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const GgufPlace& place = head.tensors()[i];
    writer.append(place.type == GgufType::kF32 ? random_floats(tensors[i], random)
                                               : random_blocks(place.type, place.bytes, random));
    writer.end_tensor();
  }
  writer.finish();
}

TEST_F(QuantizeTest, FilesOfOthersRunInPlace) {
  const auto mixed = [](GgufType most, GgufType few) {
    return [=](const std::string& name) {
      const bool precious = name == "output.weight" || name.ends_with("attn_v.weight") || name == "blk.0.ffn_down.weight";
      return name.ends_with("position_embd.weight") ? GgufType::kF32 : precious ? few : most;
    };
  };
  struct Case {
    const char* name;
    GgufType most, few;
  };
  for (const Case& test :
       {Case{"Q4_K_M", GgufType::kQ4_K, GgufType::kQ6_K}, Case{"Q5_K_M", GgufType::kQ5_K, GgufType::kQ6_K},
        Case{"Q4_0 with a Q6_K head", GgufType::kQ4_0, GgufType::kQ6_K}, Case{"Q8_0", GgufType::kQ8_0, GgufType::kQ8_0}}) {
    const std::string out = at("others");
    fs::remove_all(out);
    write_wide_checkpoint(out);
    write_random_gguf(out + "/model.gguf", wide_tensors(), mixed(test.most, test.few));
    write_random_gguf(out + "/mmproj.gguf", wide_audio_tensors(), mixed(GgufType::kQ8_0, GgufType::kQ8_0));
    const float error = rms_error(logits_of(out), logits_of(unpacked(out)));
    std::printf("  %s: logits within %.1e of the dequantised reference\n", test.name, static_cast<double>(error));
    EXPECT_LT(error, 1e-1f) << test.name;  // 8-bit activations, as above, in a network of noise
  }
}

TEST_F(QuantizeTest, WhatCannotRunIsNamed) {
  const std::string out = at("others");
  write_wide_checkpoint(out);
  const auto q8 = [](const std::string&) { return GgufType::kQ8_0; };
  write_random_gguf(out + "/mmproj.gguf", wide_audio_tensors(), q8);
  write_random_gguf(out + "/model.gguf", wide_tensors(),
                    [](const std::string& name) { return name == "blk.1.ffn_up.weight" ? GgufType::kQ4_1 : GgufType::kQ8_0; });
  const auto load = [&](const std::string& name) { return refusal(ErrorCode::kModel, [&] { Qwen2Audio::load(name, 1); }); };
  EXPECT_NE(load(out).find("tensor blk.1.ffn_up.weight holds Q4_1"), std::string::npos) << load(out);
  auto fewer = wide_tensors();
  fewer.erase(fewer.begin() + 1);
  write_random_gguf(out + "/model.gguf", fewer, q8);
  EXPECT_NE(load(out).find("language_model.model.norm.weight is missing"), std::string::npos) << load(out);
  // Alone, without metadata, it is no model.
  EXPECT_NE(load(out + "/model.gguf").find("general.architecture is missing"), std::string::npos);
  fs::remove(out + "/mmproj.gguf");
  EXPECT_NE(load(out + "/model.gguf").find("no mmproj"), std::string::npos);
  EXPECT_NE(load(out).find("1 GGUF text models and 0 mmproj"), std::string::npos) << load(out);
}

TEST_F(QuantizeTest, ValuesThatDoNotFitAreRefused) {
  const std::string model = at("large");
  fs::copy(source_, model);
  const TensorStore store = TensorStore::open(source_);
  std::vector<TensorOut> tensors;
  for (const auto& [name, view] : store.tensors()) {
    std::vector<float> values = view.to_f32();
    if (name.ends_with("layers.1.mlp.up_proj.weight")) values[3] = 1e6f;
    tensors.push_back(make_f32(name, view.shape, values));
  }
  write_safetensors(model + "/model.safetensors", tensors);
  QuantizeOptions f16 = options("f16", GgufType::kF16), bf16 = options("bf16", GgufType::kBF16);
  f16.model_dir = bf16.model_dir = model;
  const std::string said = refusal(ErrorCode::kModel, [&] { quantize_model(f16); });
  EXPECT_NE(said.find("layers.1.mlp.up_proj.weight holds values"), std::string::npos) << said;
  EXPECT_NO_THROW(quantize_model(bf16));
}

}  // namespace
}  // namespace areason
