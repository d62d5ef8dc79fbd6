#include "model/gguf_plan.h"

#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "model/gguf_config.h"
#include "model/gguf_names.h"
#include "model/gguf_vocabulary.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

// general.file_type (llama.h, enum llama_ftype).
std::uint32_t file_type(GgufType type) {
  switch (type) {
    case GgufType::kF32:
      return 0;
    case GgufType::kF16:
      return 1;
    case GgufType::kQ4_0:
      return 2;
    case GgufType::kQ8_0:
      return 7;
    case GgufType::kBF16:
      return 32;
    default:
      throw Error(ErrorCode::kFailure, std::string("no file type for ") + gguf_type_info(type).name,
                  "this is a bug: please report it");
  }
}

bool holds_rows(GgufType type, std::int64_t width) {
  return width % static_cast<std::int64_t>(gguf_type_info(type).block) == 0;
}

// The type itself, or what llama.cpp's converter falls back to for rows that are no whole number of blocks.
GgufType fitting(GgufType type, std::int64_t width) { return holds_rows(type, width) ? type : GgufType::kF16; }

class Planner {
 public:
  explicit Planner(const PlanInput& input) : input_(input) {}

  const StoredTensor* find(const std::string& released) const { return input_.tensors.find(released); }

  void add(const std::string& released, GgufType type, std::vector<std::int64_t> shape) {
    const StoredTensor* source = find(released);
    if (source == nullptr)
      throw Error(ErrorCode::kModel, input_.tensors.path() + ": tensor " + released + " is missing",
                  "the checkpoint is incomplete or config.json belongs to another one");
    if (!source->type)
      throw Error(ErrorCode::kModel, source->file + ": tensor " + source->name + " holds " + source->type_name,
                  "convert a checkpoint in F32, F16 or BF16");
    plan.head.add_tensor(*gguf_name_of(released), type, std::move(shape));
    plan.sources.push_back(source);
  }
  void matrix(const std::string& released, GgufType type) {
    const StoredTensor* source = find(released);
    const std::int64_t width = source != nullptr && !source->shape.empty() ? source->shape.back() : 0;
    add(released, fitting(type, width), source != nullptr ? source->shape : std::vector<std::int64_t>{});
  }
  void vector(const std::string& released) {
    const StoredTensor* source = find(released);
    add(released, GgufType::kF32, source != nullptr ? source->shape : std::vector<std::int64_t>{});
  }
  // A linear layer: a matrix, and a bias where there is one.
  void linear(const std::string& stem, GgufType type) {
    matrix(stem + ".weight", type);
    if (find(stem + ".bias") != nullptr) vector(stem + ".bias");
  }
  void layer_norm(const std::string& stem) {
    vector(stem + ".weight");
    vector(stem + ".bias");
  }

  GgufPlan plan;

 private:
  const PlanInput& input_;
};

struct FileKind {
  const char* architecture;
  const char* type;
};

void add_general(const PlanInput& input, const FileKind& kind, GgufType type, GgufHead& head) {
  constexpr std::uint32_t kQuantizationVersion = 2;  // GGML_QNT_VERSION
  fs::path dir = fs::path(input.model_dir).lexically_normal();
  if (!dir.has_filename()) dir = dir.parent_path();
  head.add_text("general.architecture", kind.architecture);
  head.add_text("general.type", kind.type);
  head.add_text("general.name", dir.filename().string());
  head.add_u32("general.file_type", file_type(type));
  if (gguf_type_info(type).block > 1) head.add_u32("general.quantization_version", kQuantizationVersion);
}

std::uint32_t u32(int value) { return static_cast<std::uint32_t>(value); }

void add_decoder(const DecoderConfig& config, GgufHead& head) {
  head.add_u32("qwen2.block_count", u32(config.layers));
  head.add_u32("qwen2.context_length", u32(config.max_positions));
  head.add_u32("qwen2.embedding_length", u32(config.width));
  head.add_u32("qwen2.feed_forward_length", u32(config.ffn));
  head.add_u32("qwen2.attention.head_count", u32(config.heads));
  head.add_u32("qwen2.attention.head_count_kv", u32(config.kv_heads));
  if (config.head_dim * config.heads != config.width) {
    head.add_u32("qwen2.attention.key_length", u32(config.head_dim));
    head.add_u32("qwen2.attention.value_length", u32(config.head_dim));
  }
  head.add_f32("qwen2.rope.freq_base", static_cast<float>(config.rope_theta));
  head.add_f32("qwen2.attention.layer_norm_rms_epsilon", config.rms_eps);
}

void add_encoder(const ModelConfig& config, GgufHead& head) {
  constexpr float kEpsilon = 1e-5f;  // torch.nn.LayerNorm's, which the reference uses
  head.add_flag("clip.has_audio_encoder", true);
  head.add_text("clip.projector_type", "qwen2a");
  head.add_u32("clip.audio.projection_dim", u32(config.text.width));
  head.add_u32("clip.audio.embedding_length", u32(config.audio.width));
  head.add_u32("clip.audio.feed_forward_length", u32(config.audio.ffn));
  head.add_u32("clip.audio.block_count", u32(config.audio.layers));
  head.add_u32("clip.audio.attention.head_count", u32(config.audio.heads));
  head.add_f32("clip.audio.attention.layer_norm_epsilon", kEpsilon);
  head.add_u32("clip.audio.num_mel_bins", u32(config.audio.mel_bins));
}

// A JSON file of the checkpoint as one string of metadata.
void embed_json(const std::string& path, const char* key, GgufHead& head) {
  std::error_code ignored;
  if (fs::exists(path, ignored)) head.add_text(key, dump_json(read_json_file(path)));
}

}  // namespace

GgufPlan plan_text_model(const PlanInput& input, GgufType type) {
  Planner planner(input);
  GgufHead& head = planner.plan.head;
  add_general(input, {"qwen2", "model"}, type, head);
  add_decoder(input.config.text, head);
  add_vocabulary(input.model_dir, input.config, head);
  embed_json(input.model_dir + "/generation_config.json", kGgufGenerationKey, head);

  const std::string text = "language_model.model.", lm_head = "language_model.lm_head.weight";
  const bool own_head = !input.config.text.tied_embeddings || planner.find(lm_head) != nullptr;
  const GgufType head_type = type == GgufType::kQ4_0 ? GgufType::kQ8_0 : type;
  planner.matrix(text + "embed_tokens.weight", own_head ? type : head_type);
  for (int i = 0; i < input.config.text.layers; ++i) {
    const std::string at = text + "layers." + std::to_string(i) + ".";
    planner.vector(at + "input_layernorm.weight");
    for (const char* name : {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj"})
      planner.linear(at + name, type);
    planner.vector(at + "post_attention_layernorm.weight");
    for (const char* name : {"mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"}) planner.linear(at + name, type);
  }
  planner.vector(text + "norm.weight");
  if (own_head) planner.matrix(lm_head, head_type);
  return std::move(planner.plan);
}

GgufPlan plan_mmproj(const PlanInput& input, GgufType type) {
  Planner planner(input);
  GgufHead& head = planner.plan.head;
  add_general(input, {"clip", "mmproj"}, type, head);
  add_encoder(input.config, head);
  embed_json(input.model_dir + "/preprocessor_config.json", kGgufPreprocessorKey, head);

  const std::string tower = "audio_tower.";
  const AudioEncoderConfig& audio = input.config.audio;
  // llama.cpp convolves with f16 kernels, and adds biases that are columns.
  for (const char* name : {"conv1", "conv2"}) {
    planner.matrix(tower + name + ".weight", GgufType::kF16);
    planner.add(tower + name + ".bias", GgufType::kF32, {audio.width, 1});
  }
  planner.vector(tower + "embed_positions.weight");
  for (int i = 0; i < audio.layers; ++i) {
    const std::string at = tower + "layers." + std::to_string(i) + ".";
    planner.layer_norm(at + "self_attn_layer_norm");
    for (const char* name : {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj"})
      planner.linear(at + name, type);
    planner.layer_norm(at + "final_layer_norm");
    for (const char* name : {"fc1", "fc2"}) planner.linear(at + name, type);
  }
  planner.layer_norm(tower + "layer_norm");
  planner.linear("multi_modal_projector.linear", type);
  return std::move(planner.plan);
}

}  // namespace areason
