#include "train/train_model.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "chat/prompt.h"

namespace areason::train {
namespace {

using at::Tensor;
const at::TensorOptions kF32 = at::TensorOptions().dtype(at::kFloat);

int head_dim(const DecoderConfig& text) { return text.head_dim > 0 ? text.head_dim : text.width / text.heads; }

// The table of Whisper's encoder (openai/whisper model.py, sinusoids(); max timescale 10000).
Tensor sinusoids(int length, int width) {
  Tensor table = at::empty({length, width}, kF32);
  float* out = table.data_ptr<float>();
  const int half = width / 2;
  for (int t = 0; t < length; ++t) {
    for (int i = 0; i < half; ++i) {
      const double angle = t * std::exp(-std::log(10000.0) / (half - 1) * i);
      out[t * width + i] = static_cast<float>(std::sin(angle));
      out[t * width + half + i] = static_cast<float>(std::cos(angle));
    }
  }
  return table;
}

}  // namespace

const char* part_name(PartOfModel part) {
  switch (part) {
    case PartOfModel::kAudioTower:
      return "audio_tower";
    case PartOfModel::kProjector:
      return "projector";
    default:
      return "decoder";
  }
}

TrainModel::TrainModel(const ModelConfig& config, at::ScalarType compute) : config_(config), compute_(compute) {
  add_tower();
  add("multi_modal_projector.linear.weight", PartOfModel::kProjector, {config.text.width, config.audio.width});
  add("multi_modal_projector.linear.bias", PartOfModel::kProjector, {config.text.width});
  add_decoder();
  const int half = head_dim(config.text) / 2;
  cos_ = at::empty({config.text.max_positions, half}, kF32);
  sin_ = at::empty_like(cos_);
  for (int i = 0; i < half; ++i) {
    // The reference computes inverse frequencies and angles in f32.
    const auto frequency = static_cast<float>(1.0 / std::pow(config.text.rope_theta, 2.0 * i / (2.0 * half)));
    for (int t = 0; t < config.text.max_positions; ++t) {
      const float angle = static_cast<float>(t) * frequency;
      cos_.data_ptr<float>()[t * half + i] = std::cos(angle);
      sin_.data_ptr<float>()[t * half + i] = std::sin(angle);
    }
  }
}

void TrainModel::add(const std::string& name, PartOfModel part, std::vector<std::int64_t> shape) {
  index_[name] = parameters_.size();
  parameters_.push_back({name, part, at::zeros(shape, kF32)});
}

void TrainModel::add_tower() {
  const auto part = PartOfModel::kAudioTower;
  const std::int64_t w = config_.audio.width, f = config_.audio.ffn;
  add("audio_tower.conv1.weight", part, {w, config_.audio.mel_bins, 3});
  add("audio_tower.conv1.bias", part, {w});
  add("audio_tower.conv2.weight", part, {w, w, 3});
  add("audio_tower.conv2.bias", part, {w});
  add("audio_tower.embed_positions.weight", part, {config_.audio.max_positions, w});
  for (int i = 0; i < config_.audio.layers; ++i) {
    const std::string p = fmt::format("audio_tower.layers.{}.", i);
    for (const char* name : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
      add(p + "self_attn." + name + ".weight", part, {w, w});
      if (std::string_view(name) != "k_proj") add(p + "self_attn." + name + ".bias", part, {w});
    }
    add(p + "self_attn_layer_norm.weight", part, {w});
    add(p + "self_attn_layer_norm.bias", part, {w});
    add(p + "fc1.weight", part, {f, w});
    add(p + "fc1.bias", part, {f});
    add(p + "fc2.weight", part, {w, f});
    add(p + "fc2.bias", part, {w});
    add(p + "final_layer_norm.weight", part, {w});
    add(p + "final_layer_norm.bias", part, {w});
  }
  add("audio_tower.layer_norm.weight", part, {w});
  add("audio_tower.layer_norm.bias", part, {w});
}

void TrainModel::add_decoder() {
  const auto part = PartOfModel::kDecoder;
  const DecoderConfig& text = config_.text;
  const std::int64_t h = text.width, d = head_dim(text), q = text.heads * d, kv = text.kv_heads * d;
  add("language_model.model.embed_tokens.weight", part, {text.vocab_size, h});
  for (int i = 0; i < text.layers; ++i) {
    const std::string p = fmt::format("language_model.model.layers.{}.", i);
    add(p + "input_layernorm.weight", part, {h});
    add(p + "self_attn.q_proj.weight", part, {q, h});
    add(p + "self_attn.q_proj.bias", part, {q});
    add(p + "self_attn.k_proj.weight", part, {kv, h});
    add(p + "self_attn.k_proj.bias", part, {kv});
    add(p + "self_attn.v_proj.weight", part, {kv, h});
    add(p + "self_attn.v_proj.bias", part, {kv});
    add(p + "self_attn.o_proj.weight", part, {h, q});
    add(p + "post_attention_layernorm.weight", part, {h});
    add(p + "mlp.gate_proj.weight", part, {text.ffn, h});
    add(p + "mlp.up_proj.weight", part, {text.ffn, h});
    add(p + "mlp.down_proj.weight", part, {h, text.ffn});
  }
  add("language_model.model.norm.weight", part, {h});
  if (!text.tied_embeddings) add("language_model.lm_head.weight", part, {text.vocab_size, h});
}

const Tensor& TrainModel::at(const std::string& name) const {
  const auto it = index_.find(name);
  if (it == index_.end()) throw Error(ErrorCode::kFailure, "the model has no parameter " + name, "this is a bug");
  return parameters_[it->second].value;
}
Tensor& TrainModel::at(const std::string& name) { return const_cast<Tensor&>(std::as_const(*this).at(name)); }

void TrainModel::initialise(std::uint64_t seed) {
  const at::NoGradGuard guard;
  const auto ends = [](const std::string& name, std::string_view tail) { return name.ends_with(tail); };
  for (Parameter& p : parameters_) {
    const bool norm = p.name.find("norm") != std::string::npos;
    if (ends(p.name, "bias")) {
      p.value.zero_();
    } else if (norm) {
      p.value.fill_(1);
    } else if (ends(p.name, "embed_positions.weight")) {
      p.value.copy_(sinusoids(config_.audio.max_positions, config_.audio.width));
    } else {
      const bool residual = ends(p.name, "o_proj.weight") || ends(p.name, "down_proj.weight") ||
                            ends(p.name, "out_proj.weight") || ends(p.name, "fc2.weight");
      const int layers = p.part == PartOfModel::kDecoder ? config_.text.layers : config_.audio.layers;
      const double std = residual ? 0.02 / std::sqrt(2.0 * layers) : 0.02;
      Random random = Random::for_item(seed, p.name);
      float* out = p.value.data_ptr<float>();
      for (std::int64_t i = 0; i < p.value.numel(); ++i) out[i] = static_cast<float>(std * random.normal());
    }
  }
}

void TrainModel::set_trained(PartOfModel part, bool trained) {
  for (Parameter& p : parameters_) {
    if (p.part == part) p.value.set_requires_grad(trained && !p.name.ends_with("embed_positions.weight"));
  }
}

Tensor TrainModel::linear(const Tensor& x, const std::string& name) const {
  const std::string bias = name + ".bias";
  return at::linear(x, cast(name + ".weight"), contains(bias) ? cast(bias) : Tensor());
}

Tensor TrainModel::Dropout::operator()(const Tensor& x) {
  if (p <= 0) return x;
  return x * at::empty_like(x.detach()).bernoulli_(1 - p, generator).div_(1 - p);
}

Tensor TrainModel::encoder_layer(const Tensor& x, int layer, const std::shared_ptr<const AttentionPlan>& plan) const {
  const std::string p = fmt::format("audio_tower.layers.{}.", layer);
  const std::int64_t w = config_.audio.width;
  const auto norm = [&](const Tensor& in, const std::string& name) {
    return at::layer_norm(in, {w}, at(p + name + ".weight"), at(p + name + ".bias"), 1e-5).to(compute_);
  };
  const std::string a = p + "self_attn.";
  const Tensor weight = at::cat({cast(a + "q_proj.weight"), cast(a + "k_proj.weight"), cast(a + "v_proj.weight")}, 0);
  const Tensor bias = at::cat({at(a + "q_proj.bias"), at::zeros({w}, kF32), at(a + "v_proj.bias")}, 0).to(compute_);
  const Tensor qkv = at::linear(norm(x, "self_attn_layer_norm"), weight, bias);
  const Tensor y = x + linear(attention(qkv, plan), a + "out_proj");
  return y + linear(at::gelu(linear(norm(y, "final_layer_norm"), p + "fc1")), p + "fc2");
}

Tensor TrainModel::encode(const std::vector<LogMel>& mels) const {
  const std::int64_t w = config_.audio.width;
  auto plan = std::make_shared<AttentionPlan>();
  plan->heads = plan->kv_heads = config_.audio.heads;
  plan->head_dim = config_.audio.width / config_.audio.heads;
  std::vector<Tensor> rows;
  std::int64_t total = 0;
  const Tensor conv1 = cast("audio_tower.conv1.weight"), bias1 = cast("audio_tower.conv1.bias");
  const Tensor conv2 = cast("audio_tower.conv2.weight"), bias2 = cast("audio_tower.conv2.bias");
  for (const LogMel& mel : mels) {
    const Tensor in = at::from_blob(const_cast<float*>(mel.data.data()), {1, mel.bins, mel.frames}, kF32).to(compute_);
    Tensor h = at::gelu(at::conv1d(in, conv1, bias1, 1, 1));
    h = at::gelu(at::conv1d(h, conv2, bias2, 2, 1));
    const std::int64_t kept = encoder_positions(mel.valid_frames);
    const double scale = config_.audio.scale_embedding ? std::sqrt(static_cast<double>(w)) : 1.0;
    h = h.squeeze(0).transpose(0, 1).narrow(0, 0, kept).to(at::kFloat).mul(scale);
    rows.push_back(h + at("audio_tower.embed_positions.weight").narrow(0, 0, kept));
    plan->blocks.push_back({total, kept, 0, 0, false});
    total += kept;
  }
  Tensor x = at::cat(rows, 0);
  for (int i = 0; i < config_.audio.layers; ++i) x = encoder_layer(x, i, plan);
  std::vector<Tensor> pooled;
  for (const AttentionBlock& block : plan->blocks) {
    const std::int64_t n = block.count / 2;
    pooled.push_back(x.narrow(0, block.begin, 2 * n).view({n, 2, w}).mean(1));
  }
  return at::layer_norm(at::cat(pooled, 0), {w}, at("audio_tower.layer_norm.weight"), at("audio_tower.layer_norm.bias"), 1e-5);
}

Tensor TrainModel::decoder_layer(const Tensor& x, int layer, const std::shared_ptr<const AttentionPlan>& plan,
                                 Dropout& dropout) const {
  const std::string p = fmt::format("language_model.model.layers.{}.", layer);
  const std::string a = p + "self_attn.", m = p + "mlp.";
  const double eps = config_.text.rms_eps;
  const Tensor weight = at::cat({cast(a + "q_proj.weight"), cast(a + "k_proj.weight"), cast(a + "v_proj.weight")}, 0);
  const Tensor bias = at::cat({at(a + "q_proj.bias"), at(a + "k_proj.bias"), at(a + "v_proj.bias")}, 0).to(compute_);
  const Tensor qkv = at::linear(rms_norm(x, at(p + "input_layernorm.weight"), eps, compute_), weight, bias);
  const Tensor y = x + dropout(linear(attention(qkv, plan), a + "o_proj"));
  const Tensor normed = rms_norm(y, at(p + "post_attention_layernorm.weight"), eps, compute_);
  const Tensor gate_up = at::cat({cast(m + "gate_proj.weight"), cast(m + "up_proj.weight")}, 0);
  return y + dropout(linear(swiglu(at::linear(normed, gate_up)), m + "down_proj"));
}

Tensor TrainModel::embed(const MicroBatch& batch) const {
  const Tensor x = at::embedding(at("language_model.model.embed_tokens.weight"), batch.ids);
  if (batch.audio_positions.numel() == 0) return x;
  const Tensor features = batch.features.defined() ? batch.features : encode(batch.mels);
  const Tensor projected = linear(features.to(compute_), "multi_modal_projector.linear").to(at::kFloat);
  return at::index_copy(x, 0, batch.audio_positions, projected);
}

Tensor TrainModel::logits(const MicroBatch& batch, bool training) const {
  auto plan = std::make_shared<AttentionPlan>();
  plan->heads = config_.text.heads;
  plan->kv_heads = config_.text.kv_heads;
  plan->head_dim = head_dim(config_.text);
  plan->blocks = batch.blocks;
  plan->positions = batch.positions;
  plan->cos = cos_;
  plan->sin = sin_;
  Dropout dropout{training ? dropout_ : 0.0, at::make_generator<at::CPUGeneratorImpl>(batch.dropout_seed)};
  Tensor x = dropout(embed(batch));
  for (int i = 0; i < config_.text.layers; ++i) x = decoder_layer(x, i, plan, dropout);
  x = at::index_select(x, 0, batch.label_positions);
  x = rms_norm(x, at("language_model.model.norm.weight"), config_.text.rms_eps, compute_);
  return at::linear(
      x, cast(config_.text.tied_embeddings ? "language_model.model.embed_tokens.weight" : "language_model.lm_head.weight"));
}

TokenLoss TrainModel::loss(const MicroBatch& batch, bool training) const {
  return cross_entropy_sum(logits(batch, training), batch.labels, batch.label_weights);
}

}  // namespace areason::train
