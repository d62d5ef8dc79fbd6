// A model of full size whose weights are random blocks, as GGUF: for speed only, and for a rival to run the very same file.
// Metadata and tensor names are those that llama.cpp reads (convert_hf_to_gguf.py; tools/mtmd/clip-impl.h).
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <numeric>

#include "base/error.h"
#include "base/files.h"
#include "base/random.h"
#include "cli/cmd_bench.h"
#include "kernels/half.h"
#include "kernels/quant_blocks.h"
#include "model/config.h"
#include "model/gguf_writer.h"
#include "text/byte_level.h"

namespace areason {
namespace {

using Shape = std::vector<std::int64_t>;

constexpr double kWeightDeviation = 0.012;  // about 0.8 / sqrt(width): activations keep their size through the layers

// Random bytes of whole blocks of one type, long enough that no cache holds them; every tensor takes a stretch of it.
class BlockPool {
 public:
  explicit BlockPool(GgufType type);
  void write(GgufWriter& writer, std::uint64_t bytes, Random& random) const;

 private:
  static constexpr std::size_t kValues = std::size_t{1} << 22;
  std::size_t block_ = 1;
  std::vector<std::byte> bytes_;
};

std::uint16_t f16(double value) { return f32_to_f16_bits(static_cast<float>(value)); }

// One block with the wanted deviation of weights: random integers, scales that make them so.
template <typename Block>
Block random_block(Random& random) {
  Block block;
  auto* bytes = reinterpret_cast<std::uint8_t*>(&block);
  for (std::size_t i = 0; i < sizeof block; ++i) bytes[i] = static_cast<std::uint8_t>(random.next_u32() >> 24);
  const double d = kWeightDeviation * random.uniform(0.8, 1.2);
  if constexpr (std::is_same_v<Block, BlockQ8_0>) {
    block.d = f16(d / 73.9);  // uniform in -128 … 127
  } else if constexpr (std::is_same_v<Block, BlockQ4_0>) {
    block.d = f16(d / 4.61);  // uniform in -8 … 7
  } else if constexpr (std::is_same_v<Block, BlockQ4_K>) {
    // Scales about 32, minima chosen so that the mean weight is about zero: 7.5 * scale * d = min * dmin.
    std::memset(block.scales, 0x20, 8);
    std::memset(block.scales + 8, 0x00, 4);
    block.d = f16(d / (4.61 * 32));
    block.dmin = f16(7.5 * d / 4.61 / 32);
  } else {
    for (auto& scale : block.scales) scale = static_cast<std::int8_t>(random.between(24, 40));
    block.d = f16(d / (18.5 * 32));  // uniform in -32 … 31
  }
  return block;
}

template <typename Block>
std::vector<std::byte> random_blocks(std::size_t blocks, Random& random) {
  std::vector<std::byte> bytes(blocks * sizeof(Block));
  for (std::size_t i = 0; i < blocks; ++i) {
    const Block block = random_block<Block>(random);
    std::memcpy(bytes.data() + i * sizeof block, &block, sizeof block);
  }
  return bytes;
}

template <typename Value, typename Convert>
std::vector<std::byte> random_values(std::size_t count, Random& random, Convert convert) {
  std::vector<std::byte> bytes(count * sizeof(Value));
  for (std::size_t i = 0; i < count; ++i) {
    const Value value = convert(static_cast<float>(kWeightDeviation * random.normal()));
    std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value);
  }
  return bytes;
}

std::vector<std::byte> random_bytes(GgufType type, std::size_t values) {
  Random random(42, static_cast<std::uint64_t>(type));
  switch (type) {
    case GgufType::kQ8_0:
      return random_blocks<BlockQ8_0>(values / kSmallBlock, random);
    case GgufType::kQ4_0:
      return random_blocks<BlockQ4_0>(values / kSmallBlock, random);
    case GgufType::kQ4_K:
      return random_blocks<BlockQ4_K>(values / kSuperBlock, random);
    case GgufType::kQ6_K:
      return random_blocks<BlockQ6_K>(values / kSuperBlock, random);
    case GgufType::kF16:
      return random_values<std::uint16_t>(values, random, [](float v) { return f32_to_f16_bits(v); });
    case GgufType::kBF16:
      return random_values<std::uint16_t>(values, random, [](float v) { return f32_to_bf16_bits(v); });
    case GgufType::kF32:
      return random_values<float>(values, random, [](float v) { return v; });
    default:
      throw Error(ErrorCode::kFailure, "no random blocks of this type", "this is a bug: please report it");
  }
}

BlockPool::BlockPool(GgufType type) : block_(gguf_type_info(type).bytes), bytes_(random_bytes(type, kValues)) {}

void BlockPool::write(GgufWriter& writer, std::uint64_t bytes, Random& random) const {
  while (bytes > 0) {
    const std::size_t blocks = bytes_.size() / block_;
    const std::size_t from = random.below(static_cast<std::uint32_t>(blocks)) * block_;
    const std::size_t part = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, bytes_.size() - from));
    writer.append(std::span(bytes_).subspan(from, part));
    bytes -= part;
  }
}

// Norms are ones (a random norm would make some channels huge), everything else comes from the pools.
void write_file(const std::string& path, const GgufHead& head) {
  GgufWriter writer(path, head);
  std::map<GgufType, BlockPool> pools;
  Random random(1);
  for (const GgufPlace& place : head.tensors()) {
    const bool norm =
        place.name.find("norm.weight") != std::string::npos || place.name.find("ln1.weight") != std::string::npos ||
        place.name.find("ln2.weight") != std::string::npos || place.name.find("post_ln.weight") != std::string::npos;
    if (norm) {
      const std::vector<float> ones(place.bytes / sizeof(float), 1.0f);
      writer.append(std::as_bytes(std::span(ones)));
    } else {
      pools.try_emplace(place.type, place.type).first->second.write(writer, place.bytes, random);
    }
    writer.end_tensor();
  }
  writer.finish();
}

// Which type each matrix of the text model has, as llama.cpp's quantize mixes them (llama-quant.cpp).
struct TextTypes {
  GgufType embedding, matrix, more_bits, head;
};

TextTypes text_types(const std::string& name) {
  if (name == "q4_0") return {GgufType::kQ4_0, GgufType::kQ4_0, GgufType::kQ4_0, GgufType::kQ6_K};
  if (name == "q4_k_m") return {GgufType::kQ4_K, GgufType::kQ4_K, GgufType::kQ6_K, GgufType::kQ6_K};
  const GgufType type = name == "q8_0" ? GgufType::kQ8_0 : name == "f16" ? GgufType::kF16 : GgufType::kBF16;
  return {type, type, type, type};
}

// Qwen2-Audio's vocabulary in size and special tokens; bytes have their ids, all other tokens are unused names, no merges.
void add_vocabulary(GgufHead& head, int size) {
  constexpr int kSpecial = 151643;
  const std::array<const char*, 6> special = {"<|endoftext|>", "<|im_start|>",  "<|im_end|>",
                                              "<|AUDIO|>",     "<|audio_bos|>", "<|audio_eos|>"};
  constexpr std::int32_t kNormal = 1, kControl = 3, kUnused = 5;  // llama.h, enum llama_token_type
  std::vector<std::string> tokens;
  std::vector<std::int32_t> types;
  for (int id = 0; id < size; ++id) {
    const int index = id - kSpecial;
    if (id < 256) {
      tokens.push_back(to_byte_level(std::string(1, static_cast<char>(byte_level_order()[static_cast<std::size_t>(id)]))));
      types.push_back(kNormal);
    } else if (index >= 0 && index < static_cast<int>(special.size())) {
      tokens.emplace_back(special[static_cast<std::size_t>(index)]);
      types.push_back(kControl);
    } else {
      tokens.push_back("[PAD" + std::to_string(id) + "]");
      types.push_back(kUnused);
    }
  }
  // llama.cpp wants a list of merges; this one's result is no token, so it never applies to the vocabulary above.
  const std::vector<std::string> merges = {"\u0120 t"};
  head.add_text("tokenizer.ggml.model", "gpt2");
  head.add_text("tokenizer.ggml.pre", "qwen2");
  head.add_texts("tokenizer.ggml.tokens", tokens);
  head.add_i32s("tokenizer.ggml.token_type", types);
  head.add_texts("tokenizer.ggml.merges", merges);
  head.add_u32("tokenizer.ggml.eos_token_id", 151645);
  head.add_u32("tokenizer.ggml.padding_token_id", 151643);
  head.add_u32("tokenizer.ggml.bos_token_id", 151643);
  head.add_flag("tokenizer.ggml.add_bos_token", false);
}

DecoderConfig text_config(const BenchModelOptions& options) {
  DecoderConfig config;
  config.vocab_size = options.vocabulary;
  config.ffn = 11008;
  config.layers = options.layers;
  config.head_dim = 128;
  config.max_positions = 8192;
  config.rms_eps = 1e-5f;
  return config;
}

GgufHead text_head(const BenchModelOptions& options) {
  const DecoderConfig config = text_config(options);
  const TextTypes types = text_types(options.type);
  const auto u32 = [](int value) { return static_cast<std::uint32_t>(value); };
  GgufHead head;
  head.add_text("general.architecture", "qwen2");
  head.add_text("general.name", "made for speed: random weights in Qwen2-Audio's shapes");
  head.add_u32("qwen2.block_count", u32(config.layers));
  head.add_u32("qwen2.context_length", u32(config.max_positions));
  head.add_u32("qwen2.embedding_length", u32(config.width));
  head.add_u32("qwen2.feed_forward_length", u32(config.ffn));
  head.add_u32("qwen2.attention.head_count", u32(config.heads));
  head.add_u32("qwen2.attention.head_count_kv", u32(config.kv_heads));
  head.add_f32("qwen2.attention.layer_norm_rms_epsilon", config.rms_eps);
  head.add_f32("qwen2.rope.freq_base", static_cast<float>(config.rope_theta));
  add_vocabulary(head, config.vocab_size);
  const std::int64_t width = config.width, ffn = config.ffn, vocabulary = config.vocab_size;
  head.add_tensor("token_embd.weight", types.embedding, {vocabulary, width});
  for (int i = 0; i < config.layers; ++i) {
    const std::string at = "blk." + std::to_string(i) + ".";
    const bool more = i < config.layers / 8 || i >= 7 * config.layers / 8 || (i - config.layers / 8) % 3 == 2;
    head.add_tensor(at + "attn_norm.weight", GgufType::kF32, {width});
    for (const char* name : {"attn_q", "attn_k", "attn_v"}) {
      const bool value = name[5] == 'v';
      head.add_tensor(at + name + ".weight", value && more ? types.more_bits : types.matrix, {width, width});
      head.add_tensor(at + name + ".bias", GgufType::kF32, {width});
    }
    head.add_tensor(at + "attn_output.weight", types.matrix, {width, width});
    head.add_tensor(at + "ffn_norm.weight", GgufType::kF32, {width});
    head.add_tensor(at + "ffn_gate.weight", types.matrix, {ffn, width});
    head.add_tensor(at + "ffn_up.weight", types.matrix, {ffn, width});
    head.add_tensor(at + "ffn_down.weight", more ? types.more_bits : types.matrix, {width, ffn});
  }
  head.add_tensor("output_norm.weight", GgufType::kF32, {width});
  head.add_tensor("output.weight", types.head, {vocabulary, width});
  return head;
}

void add_encoder_layer(GgufHead& head, const std::string& at, const AudioEncoderConfig& config, GgufType type) {
  const std::int64_t width = config.width, ffn = config.ffn;
  const auto linear = [&](const char* name, std::int64_t n, std::int64_t k) {
    head.add_tensor(at + name + ".weight", type, {n, k});
    if (std::strcmp(name, "attn_k") != 0) head.add_tensor(at + name + ".bias", GgufType::kF32, {n});
  };
  for (const char* name : {"ln1", "ln2"})
    for (const char* part : {".weight", ".bias"}) head.add_tensor(at + name + part, GgufType::kF32, {width});
  for (const char* name : {"attn_q", "attn_k", "attn_v", "attn_out"}) linear(name, width, width);
  linear("ffn_up", ffn, width);
  linear("ffn_down", width, ffn);
}

GgufHead encoder_head(const BenchModelOptions& options) {
  AudioEncoderConfig config;
  config.layers = options.encoder_layers;
  const std::int64_t width = config.width, text_width = text_config(options).width;
  const GgufType type = text_types(options.encoder_type).matrix;
  const auto u32 = [](int value) { return static_cast<std::uint32_t>(value); };
  GgufHead head;
  head.add_text("general.architecture", "clip");
  head.add_text("general.type", "mmproj");
  head.add_flag("clip.has_audio_encoder", true);
  head.add_text("clip.projector_type", "qwen2a");
  head.add_u32("clip.audio.projection_dim", u32(static_cast<int>(text_width)));
  head.add_u32("clip.audio.embedding_length", u32(config.width));
  head.add_u32("clip.audio.feed_forward_length", u32(config.ffn));
  head.add_u32("clip.audio.block_count", u32(config.layers));
  head.add_u32("clip.audio.attention.head_count", u32(config.heads));
  head.add_f32("clip.audio.attention.layer_norm_epsilon", 1e-5f);
  head.add_u32("clip.audio.num_mel_bins", u32(config.mel_bins));
  head.add_flag("clip.use_gelu", true);
  for (int i = 1; i <= 2; ++i) {
    const std::string at = "a.conv1d." + std::to_string(i);
    head.add_tensor(at + ".weight", GgufType::kF16, {width, i == 1 ? config.mel_bins : width, 3});
    head.add_tensor(at + ".bias", GgufType::kF32, {width, 1});
  }
  head.add_tensor("a.position_embd.weight", GgufType::kF32, {config.max_positions, width});
  for (int i = 0; i < config.layers; ++i) add_encoder_layer(head, "a.blk." + std::to_string(i) + ".", config, type);
  head.add_tensor("a.post_ln.weight", GgufType::kF32, {width});
  head.add_tensor("a.post_ln.bias", GgufType::kF32, {width});
  head.add_tensor("mm.a.fc.weight", type, {text_width, width});
  head.add_tensor("mm.a.fc.bias", GgufType::kF32, {text_width});
  return head;
}

}  // namespace

void make_bench_model(const BenchModelOptions& options) {
  make_directories(options.out);
  write_file(options.out + "/model.gguf", text_head(options));
  write_file(options.out + "/mmproj.gguf", encoder_head(options));
}

}  // namespace areason
