// How much a format costs on real weights, which have the outliers that random ones lack: SmolLM2-135M (llama architecture:
// Qwen2 with zero attention biases) through the converter, KL and perplexity on a text against f32. scripts/fetch-smollm2
// brings the file; without it the test is skipped, loudly. The package has the weights in Q4_1 only (the embeddings in Q8_0):
// what they unpack to is the "original" here.

#include <fstream>

#include "base/files.h"
#include "base/testing.h"
#include "kernels/half.h"
#include "kernels/quant_blocks.h"
#include "model/gguf_config.h"
#include "model/gguf_names.h"
#include "model/gguf_reader.h"
#include "model/quantize.h"
#include "model/testing.h"
#include "text/qwen2_files.h"

namespace areason {
namespace {

using namespace testing_model;
namespace fs = std::filesystem;

std::string text_file() {
  const char* named = std::getenv("AREASON_SMOLLM2_TEXT");  // a longer one, for tools/kl_llama_cpp.py
  return named != nullptr ? named : "tests/cases/quality_text.txt";
}

std::string smollm2_file() {
  const char* named = std::getenv("AREASON_SMOLLM2");
  const std::string path = named != nullptr ? named : ".cache/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
  if (fs::exists(path)) return path;
  std::fprintf(stderr, "\n*** NO SMOLLM2 at %s (scripts/fetch-smollm2 brings it): quality on real weights is not tested ***\n",
               path.c_str());
  return "";
}

// Q4_1: w = d * q + m in blocks of 32 (ggml-common.h, block_q4_1); only this test needs it.
std::vector<float> unpack(const GgufTensor& tensor) {
  std::size_t count = 1;
  for (const std::int64_t dim : tensor.shape) count *= static_cast<std::size_t>(dim);
  std::vector<float> out(count);
  if (tensor.type->type == GgufType::kF32) {
    std::memcpy(out.data(), tensor.data.data(), tensor.data.size());
  } else if (tensor.type->type == GgufType::kQ8_0) {
    for (std::size_t b = 0; b < count / 32; ++b)
      dequantize_row(WeightType::kQ8_0, tensor.data.data() + b * 34, 32, &out[b * 32]);
  } else {
    EXPECT_STREQ(tensor.type->name, "Q4_1");
    for (std::size_t b = 0; b < count / 32; ++b) {
      const std::byte* block = tensor.data.data() + b * 20;
      std::uint16_t d = 0, m = 0;
      std::memcpy(&d, block, 2);
      std::memcpy(&m, block + 2, 2);
      for (std::size_t j = 0; j < 16; ++j) {
        const auto byte = static_cast<unsigned>(block[4 + j]);
        out[b * 32 + j] = f16_bits_to_f32(d) * static_cast<float>(byte & 15u) + f16_bits_to_f32(m);
        out[b * 32 + j + 16] = f16_bits_to_f32(d) * static_cast<float>(byte >> 4) + f16_bits_to_f32(m);
      }
    }
  }
  return out;
}

// llama.cpp's converter interleaves the halves of each head's rows for its rotary embedding; ours wants them apart again.
std::vector<float> deinterleave(const std::vector<float>& rows, std::size_t width, std::size_t head_dim) {
  std::vector<float> out(rows.size());
  const std::size_t half = head_dim / 2;
  for (std::size_t r = 0; r < rows.size() / width; ++r) {
    const std::size_t head = r / head_dim, i = r % head_dim / 2, j = r % 2;
    std::copy_n(rows.data() + r * width, width, out.data() + (head * head_dim + j * half + i) * width);
  }
  return out;
}

constexpr int kHeadDim = 64;

// The text model under its released names, with a token audio tower that nothing uses.
std::vector<TensorOut> released_tensors(const GgufFile& file) {
  std::vector<TensorOut> out;
  const auto zeros = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    std::size_t count = 1;
    for (const std::int64_t dim : shape) count *= static_cast<std::size_t>(dim);
    out.push_back(make_f32(name, shape, std::vector<float>(count)));
  };
  for (const auto& [name, tensor] : file.tensors()) {
    const std::string released = released_name_of(std::string(name)).value();
    std::vector<float> values = unpack(tensor);
    const bool rotated = name.ends_with("attn_q.weight") || name.ends_with("attn_k.weight");
    if (rotated) values = deinterleave(values, static_cast<std::size_t>(tensor.shape[1]), kHeadDim);
    if (rotated || name.ends_with("attn_v.weight"))
      zeros(released.substr(0, released.size() - std::string_view("weight").size()) + "bias", {tensor.shape[0]});
    out.push_back(make_f32(released, tensor.shape, values));
  }
  zeros("audio_tower.conv1.weight", {32, 16, 3});
  zeros("audio_tower.conv1.bias", {32});
  zeros("audio_tower.conv2.weight", {32, 32, 3});
  zeros("audio_tower.conv2.bias", {32});
  zeros("audio_tower.embed_positions.weight", {30, 32});
  zeros("audio_tower.layer_norm.weight", {32});
  zeros("audio_tower.layer_norm.bias", {32});
  zeros("multi_modal_projector.linear.weight", {576, 32});
  zeros("multi_modal_projector.linear.bias", {576});
  return out;
}

void write_checkpoint(const GgufFile& file, const std::string& dir) {
  fs::create_directories(dir);
  write_file_atomic(dir + "/config.json", R"({"model_type":"qwen2_audio","audio_token_index":3,"tie_word_embeddings":true,
    "audio_config":{"num_mel_bins":16,"d_model":32,"encoder_layers":0,"encoder_attention_heads":4,"encoder_ffn_dim":32,
                    "max_source_positions":30},
    "text_config":{"hidden_size":576,"intermediate_size":1536,"num_hidden_layers":30,"num_attention_heads":9,
                   "num_key_value_heads":3,"vocab_size":49152,"max_position_embeddings":8192,"rms_norm_eps":1e-5,
                   "rope_theta":100000,"tie_word_embeddings":true}})");
  write_safetensors(dir + "/model.safetensors", released_tensors(file));
  // The converter wants a tokenizer; the test makes its ids from the package's file.
  BpeVocabulary vocabulary;
  for (int byte = 0; byte < 256; ++byte) vocabulary.tokens.push_back(std::string(1, static_cast<char>(byte)));
  vocabulary.tokens.push_back("ab");
  vocabulary.merges = {{"a", "b"}};
  vocabulary.special_tokens = {"<|endoftext|>"};
  write_qwen2_files(vocabulary, dir);
}

struct Text {
  std::vector<int> ids;
  std::size_t vocabulary;
};

// Log-probabilities of every next token, [positions][vocabulary].
std::vector<float> log_probabilities(const std::string& dir, const Text& text) {
  Qwen2Audio model = Qwen2Audio::load(dir);
  KvCache cache;
  std::vector<float> out = model.forward(text.ids, {}, cache, Logits::kAll);
  for (std::size_t at = 0; at < out.size(); at += text.vocabulary) {
    float* row = out.data() + at;
    const float most = *std::max_element(row, row + text.vocabulary);
    double sum = 0;
    for (std::size_t v = 0; v < text.vocabulary; ++v) sum += std::exp(static_cast<double>(row[v] - most));
    const float shift = most + static_cast<float>(std::log(sum));
    for (std::size_t v = 0; v < text.vocabulary; ++v) row[v] -= shift;
  }
  return out;
}

void keep(const std::string& dir, const std::vector<float>& log_p, const Text& text) {
  write_file_atomic(dir + "/log_p.f32", {reinterpret_cast<const char*>(log_p.data()), log_p.size() * sizeof(float)});
  write_file_atomic(dir + "/ids.json", Json(text.ids).dump());
}

double perplexity(const std::vector<float>& log_p, const Text& text) {
  double sum = 0;
  for (std::size_t i = 0; i + 1 < text.ids.size(); ++i)
    sum -= static_cast<double>(log_p[i * text.vocabulary + static_cast<std::size_t>(text.ids[i + 1])]);
  return std::exp(sum / static_cast<double>(text.ids.size() - 1));
}

struct Divergence {
  double kl = 0;        // nats a token
  double same_top = 0;  // share of positions with the same best token
};

Divergence divergence(const std::vector<float>& want, const std::vector<float>& have, const Text& text) {
  Divergence out;
  const auto rows = static_cast<double>(text.ids.size());
  for (std::size_t at = 0; at < want.size(); at += text.vocabulary) {
    const float *p = want.data() + at, *q = have.data() + at;
    for (std::size_t v = 0; v < text.vocabulary; ++v)
      out.kl += std::exp(static_cast<double>(p[v])) * static_cast<double>(p[v] - q[v]) / rows;
    const bool same = std::max_element(p, p + text.vocabulary) - p == std::max_element(q, q + text.vocabulary) - q;
    out.same_top += (same ? 1.0 : 0.0) / rows;
  }
  return out;
}

TEST(SmolLM2Test, EveryFormatsKlOnRealWeightsSlow) {
  const std::string path = smollm2_file();
  if (path.empty()) GTEST_SKIP();
  const GgufFile file = GgufFile::open(path);
  const Tokenizer tokenizer = gguf_tokenizer(file);
  const Text text{tokenizer.encode(read_file(text_file()), SpecialTokens::kAsText), 49152};
  const char* kept = std::getenv("AREASON_SMOLLM2_KEEP");
  const ScratchDir scratch;
  const std::string dir = kept != nullptr ? kept : scratch.path();
  write_checkpoint(file, dir + "/f32");
  const std::vector<float> want = log_probabilities(dir + "/f32", text);
  if (kept != nullptr) keep(dir, want, text);
  const double reference = perplexity(want, text);
  std::printf("  f32: perplexity %.3f over %zu tokens\n", reference, text.ids.size());
  if (std::getenv("AREASON_SMOLLM2_TEXT") == nullptr) {
    EXPECT_LT(reference, 40.0);  // prose that a model of this size follows; a wrongly read file gives thousands
  }
  struct Case {
    GgufType type;
    double kl;  // twice what was seen where this was written
  };
  for (const Case& test :
       {Case{GgufType::kBF16, 1e-4}, Case{GgufType::kF16, 1e-5}, Case{GgufType::kQ8_0, 9e-3}, Case{GgufType::kQ4_0, 0.6}}) {
    QuantizeOptions options;
    options.model_dir = dir + "/f32";
    options.out = dir + "/" + gguf_type_info(test.type).name;
    options.type = options.mmproj_type = test.type;
    options.existing = ExistingOutput::kReplace;
    quantize_model(options);
    const std::vector<float> have = log_probabilities(options.out, text);
    if (kept != nullptr) keep(options.out, have, text);
    const Divergence found = divergence(want, have, text);
    std::printf("  %s: KL %.6f nats a token, perplexity %.3f (%+.2f %%), same best token %.2f %%\n",
                gguf_type_info(test.type).name, found.kl, perplexity(have, text),
                100 * (perplexity(have, text) / reference - 1), 100 * found.same_top);
    EXPECT_LT(found.kl, test.kl) << gguf_type_info(test.type).name;
  }
}

}  // namespace
}  // namespace areason
