#include "model/weights.h"

#include "base/error.h"
#include "kernels/quant_blocks.h"

namespace areason {
namespace {

using Shape = std::vector<std::int64_t>;

std::string shape_text(const Shape& shape) {
  std::string text = "[";
  for (const std::int64_t dim : shape) text += (text.size() > 1 ? "," : "") + std::to_string(dim);
  return text + "]";
}

WeightType weight_type(const StoredTensor& tensor) {
  if (tensor.type) return *tensor.type;
  throw Error(ErrorCode::kModel,
              tensor.file + ": tensor " + tensor.name + " holds " + tensor.type_name +
                  "; weights must be F32, F16, BF16, Q8_0, Q4_0, Q4_K, Q5_K or Q6_K",
              "take a checkpoint or a GGUF file in one of these formats");
}

// Tensors of one part of the model.
class Part {
 public:
  Part(ModelWeights& out, const char* prefix) : out_(out), prefix_(prefix) {}

  bool contains(const std::string& name) const { return out_.store.find(prefix_ + name) != nullptr; }

  // A model without its last layers answers nonsense, which nobody would put down to a configuration that asks for too few.
  void expect_no_layer(int index, const std::string& tensor_of_it) const {
    const StoredTensor* more = out_.store.find(prefix_ + "layers." + std::to_string(index) + "." + tensor_of_it);
    if (more != nullptr)
      throw Error(
          ErrorCode::kModel,
          more->file + ": " + more->name + " is in the file, the configuration asks for " + std::to_string(index) + " layers",
          "config.json belongs to another checkpoint");
  }

  const StoredTensor& tensor(const std::string& name, const Shape& shape) const {
    const StoredTensor* found = out_.store.find(prefix_ + name);
    if (found == nullptr)
      throw Error(ErrorCode::kModel, out_.store.path() + ": tensor " + prefix_ + name + " is missing",
                  "the checkpoint is incomplete or config.json belongs to another one");
    if (found->shape != shape)
      throw Error(ErrorCode::kModel,
                  found->file + ": tensor " + found->name + " has the shape " + shape_text(found->shape) +
                      ", the configuration asks for " + shape_text(shape),
                  "config.json belongs to another checkpoint, or the file is damaged");
    return *found;
  }
  std::vector<float> vector(const std::string& name, const Shape& shape) const {
    const StoredTensor& found = tensor(name, shape);
    weight_type(found);
    return found.to_f32();
  }
  Norm norm(const std::string& name, int width, bool with_bias) const {
    Norm norm{vector(name + ".weight", {width}), {}};
    if (with_bias) norm.bias = vector(name + ".bias", {width});
    return norm;
  }
  Norm layer_norm(const std::string& name, int width) const { return norm(name, width, true); }
  Norm rms_norm(const std::string& name, int width) const { return norm(name, width, false); }

  Matrix matrix(const std::string& name, int n, int k) const {
    const StoredTensor& found = tensor(name + ".weight", {n, k});
    return {aligned(found), weight_type(found), n, k, {}};
  }
  Matrix matrix_with_bias(const std::string& name, int n, int k) const {
    Matrix result = matrix(name, n, k);
    result.bias = vector(name + ".bias", {n});
    return result;
  }
  Convolution convolution(const std::string& name, int in, int out) const {
    const std::vector<float> weight = vector(name + ".weight", {out, in, 3});
    Convolution result{std::vector<float>(weight.size()), vector(name + ".bias", {out}), in, out};
    const auto channels = static_cast<std::size_t>(in);
    for (std::size_t o = 0; o < static_cast<std::size_t>(out); ++o)
      for (std::size_t i = 0; i < channels; ++i)
        for (std::size_t tap = 0; tap < 3; ++tap)
          result.weight[(o * 3 + tap) * channels + i] = weight[(o * channels + i) * 3 + tap];
    return result;
  }

 private:
  // Kernels read typed values: data at an odd address (allowed by the formats) is copied once.
  const void* aligned(const StoredTensor& found) const {
    if (reinterpret_cast<std::uintptr_t>(found.data.data()) % weight_alignment(weight_type(found)) == 0)
      return found.data.data();
    return out_.aligned_copies.emplace_back(found.data.begin(), found.data.end()).data();
  }

  ModelWeights& out_;
  std::string prefix_;
};

EncoderLayer load_encoder_layer(const Part& part, const std::string& at, const AudioEncoderConfig& config) {
  const int width = config.width;
  EncoderLayer layer;
  layer.attention_norm = part.layer_norm(at + "self_attn_layer_norm", width);
  layer.final_norm = part.layer_norm(at + "final_layer_norm", width);
  layer.q = part.matrix_with_bias(at + "self_attn.q_proj", width, width);
  layer.k = part.matrix(at + "self_attn.k_proj", width, width);
  layer.v = part.matrix_with_bias(at + "self_attn.v_proj", width, width);
  layer.out = part.matrix_with_bias(at + "self_attn.out_proj", width, width);
  layer.fc1 = part.matrix_with_bias(at + "fc1", config.ffn, width);
  layer.fc2 = part.matrix_with_bias(at + "fc2", width, config.ffn);
  return layer;
}

void load_encoder(ModelWeights& out, const ModelConfig& config) {
  const Part tower(out, "audio_tower.");
  const AudioEncoderConfig& audio = config.audio;
  EncoderWeights& encoder = out.encoder;
  encoder.conv1 = tower.convolution("conv1", audio.mel_bins, audio.width);
  encoder.conv2 = tower.convolution("conv2", audio.width, audio.width);
  encoder.positions = tower.vector("embed_positions.weight", {audio.max_positions, audio.width});
  for (int i = 0; i < audio.layers; ++i)
    encoder.layers.push_back(load_encoder_layer(tower, "layers." + std::to_string(i) + ".", audio));
  tower.expect_no_layer(audio.layers, "fc1.weight");
  encoder.norm = tower.layer_norm("layer_norm", audio.width);
  const Part projector(out, "multi_modal_projector.");
  encoder.projector = projector.matrix_with_bias("linear", config.text.width, audio.width);
}

DecoderLayer load_decoder_layer(const Part& part, const std::string& at, const DecoderConfig& config) {
  const int width = config.width, q_width = config.heads * config.head_dim, kv_width = config.kv_heads * config.head_dim;
  DecoderLayer layer;
  layer.input_norm = part.rms_norm(at + "input_layernorm", width);
  layer.post_norm = part.rms_norm(at + "post_attention_layernorm", width);
  layer.q = part.matrix_with_bias(at + "self_attn.q_proj", q_width, width);
  layer.k = part.matrix_with_bias(at + "self_attn.k_proj", kv_width, width);
  layer.v = part.matrix_with_bias(at + "self_attn.v_proj", kv_width, width);
  layer.o = part.matrix(at + "self_attn.o_proj", width, q_width);
  layer.gate = part.matrix(at + "mlp.gate_proj", config.ffn, width);
  layer.up = part.matrix(at + "mlp.up_proj", config.ffn, width);
  layer.down = part.matrix(at + "mlp.down_proj", width, config.ffn);
  return layer;
}

void load_decoder(ModelWeights& out, const DecoderConfig& config) {
  const Part text(out, "language_model.model.");
  DecoderWeights& decoder = out.decoder;
  decoder.embedding = text.matrix("embed_tokens", config.vocab_size, config.width);
  for (int i = 0; i < config.layers; ++i)
    decoder.layers.push_back(load_decoder_layer(text, "layers." + std::to_string(i) + ".", config));
  text.expect_no_layer(config.layers, "mlp.up_proj.weight");
  decoder.norm = text.rms_norm("norm", config.width);
  // A head in the file is used whatever the config says, as transformers 5 does (which never ties this model's); 4.x ties when
  // told to, and then writes no head.
  const Part head(out, "language_model.");
  const bool tied = config.tied_embeddings && !head.contains("lm_head.weight");
  decoder.head = tied ? decoder.embedding : head.matrix("lm_head", config.vocab_size, config.width);
}

}  // namespace

void Matrix::read_row(int index, float* out) const {
  dequantize_row(type, static_cast<const std::byte*>(data) + static_cast<std::size_t>(index) * row_bytes(type, k), k, out);
}

std::unique_ptr<ModelWeights> load_weights(const std::string& model, const ModelConfig& config) {
  auto weights = std::make_unique<ModelWeights>();
  weights->store = StoredTensors::open(find_model_files(model));
  load_encoder(*weights, config);
  load_decoder(*weights, config.text);
  return weights;
}

}  // namespace areason
