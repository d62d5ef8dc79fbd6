#include "train/train_model.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "chat/prompt.h"
#include "train/device.h"

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

TrainModel::TrainModel(const ModelConfig& config, at::ScalarType compute, at::Device device)
    : config_(config), compute_(compute), device_(device), floats_(kF32.device(device)) {
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
  cos_ = to_device(cos_, device);
  sin_ = to_device(sin_, device);
}

void TrainModel::allocate() {
  for (Parameter& p : parameters_) {
    if (!p.value.is_meta()) continue;
    const bool trained = p.value.requires_grad();
    p.value = at::empty(p.value.sizes(), floats_).set_requires_grad(trained);
  }
}

void TrainModel::add(const std::string& name, PartOfModel part, std::vector<std::int64_t> shape) {
  index_[name] = parameters_.size();
  // Not filled: large tensors of the processor take no memory before they are written.
  parameters_.push_back({name, part, at::empty(shape, device_.is_cpu() ? kF32 : kF32.device(at::kMeta))});
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

void TrainModel::add_adapters(const AdapterOptions& adapters) {
  adapters_ = adapters;
  std::vector<Parameter> added;
  for (Parameter& p : parameters_) {
    p.value.set_requires_grad(false);
    const std::string module = p.name.ends_with(".weight") ? p.name.substr(0, p.name.size() - 7) : "";
    if (module.empty() || !adapters.targets_module(module)) continue;
    added.push_back({module + ".lora_A.weight", p.part, at::zeros({adapters.rank, p.value.size(1)}, floats_), true});
    added.push_back({module + ".lora_B.weight", p.part, at::zeros({p.value.size(0), adapters.rank}, floats_), true});
  }
  if (added.empty()) throw Error(ErrorCode::kUsage, "no module of the model is a target of the adapter", "see --lora-targets");
  for (Parameter& p : added) {
    p.value.set_requires_grad(true);
    index_[p.name] = parameters_.size();
    parameters_.push_back(std::move(p));
  }
}

void TrainModel::initialise(std::uint64_t seed) {
  for (Parameter& p : parameters_) initialise(p, seed);
}

void TrainModel::initialise(Parameter& p, std::uint64_t seed) const {
  const at::NoGradGuard guard;
  const auto ends = [&p](std::string_view tail) { return p.name.ends_with(tail); };
  // Random numbers are ours and made on the processor: a seed means the same weights everywhere.
  const Tensor host = p.value.is_cpu() ? p.value : at::empty(p.value.sizes(), kF32);
  float* out = host.data_ptr<float>();
  if (ends("bias") || ends(".lora_B.weight")) {
    host.zero_();
  } else if (p.adapter) {
    // PEFT's kaiming_uniform_(a = sqrt(5)): uniform within 1 / sqrt(inputs).
    Random random = Random::for_item(seed, p.name);
    const double bound = 1 / std::sqrt(static_cast<double>(p.value.size(1)));
    for (std::int64_t i = 0; i < p.value.numel(); ++i) out[i] = static_cast<float>(random.uniform(-bound, bound));
  } else if (p.name.find("norm") != std::string::npos) {
    host.fill_(1);
  } else if (ends("embed_positions.weight")) {
    host.copy_(sinusoids(config_.audio.max_positions, config_.audio.width));
  } else {
    const bool residual = ends("o_proj.weight") || ends("down_proj.weight") || ends("out_proj.weight") || ends("fc2.weight");
    const int layers = p.part == PartOfModel::kDecoder ? config_.text.layers : config_.audio.layers;
    const double std = residual ? 0.02 / std::sqrt(2.0 * layers) : 0.02;
    Random random = Random::for_item(seed, p.name);
    for (std::int64_t i = 0; i < p.value.numel(); ++i) out[i] = static_cast<float>(std * random.normal());
  }
  if (!p.value.is_cpu()) p.value.copy_(host);
}

std::string unit_name(const std::string& parameter) {
  const std::size_t layers = parameter.find(".layers.");
  if (layers != std::string::npos) return parameter.substr(0, parameter.find('.', layers + 8) + 1);
  if (parameter.rfind("audio_tower.", 0) == 0) return "audio_tower.";
  return parameter.substr(0, parameter.rfind('.') + 1);
}

void TrainModel::set_units(UnitStore* units) {
  units_ = units;
  LogMel mel;
  mel.bins = config_.audio.mel_bins;
  mel.frames = mel.valid_frames = 4;  // one audio token
  mel.data.assign(static_cast<std::size_t>(mel.bins * mel.frames), 0.0f);
  silence_ = {mel};
}

Tensor TrainModel::part(const Tensor& x, const std::string& unit, const LayerBody& body) const {
  return units_ != nullptr ? units_->run(unit, x, body) : body(x, Pass::kFirst);
}

void TrainModel::set_trained(PartOfModel part, bool trained) {
  for (Parameter& p : parameters_) {
    if (p.part == part && !p.adapter) p.value.set_requires_grad(trained && !p.name.ends_with("embed_positions.weight"));
  }
}

Tensor TrainModel::linear(const Tensor& x, const std::string& name) const {
  const std::string bias = name + ".bias";
  return at::linear(x, cast(name + ".weight"), contains(bias) ? cast(bias) : Tensor());
}

Tensor TrainModel::linears(const Tensor& x, const std::vector<std::string>& names, Noise& noise) const {
  std::vector<Tensor> weights, biases, deltas;
  bool adapted = false;
  for (const std::string& name : names) {
    weights.push_back(cast(name + ".weight"));
    if (contains(name + ".bias")) biases.push_back(at(name + ".bias"));
    if (!contains(name + ".lora_A.weight")) {
      deltas.push_back(at::zeros({x.size(0), weights.back().size(0)}, x.options()));
      continue;
    }
    const Tensor inner = at::linear(noise.drop(x, noise.adapter), cast(name + ".lora_A.weight"));
    deltas.push_back(at::linear(inner, cast(name + ".lora_B.weight")) * adapters_.scale());
    adapted = true;
  }
  const Tensor weight = weights.size() == 1 ? weights[0] : at::cat(weights, 0);
  const Tensor bias = biases.empty() ? Tensor() : at::cat(biases, 0).to(compute_);
  const Tensor y = at::linear(x, weight, bias);
  return adapted ? y + (deltas.size() == 1 ? deltas[0] : at::cat(deltas, 1)) : y;
}

Tensor TrainModel::Noise::drop(const Tensor& x, double p) {
  if (p <= 0) return x;
  return x * at::empty_like(x.detach()).bernoulli_(1 - p, generator).div_(1 - p);
}

Tensor TrainModel::layer(const Tensor& x, const std::string& prefix, const LayerBody& body) const {
  if (units_ != nullptr) return units_->run(prefix, x, body);
  if (options_.activations == Activations::kKeep || !at::GradMode::is_enabled()) return body(x, Pass::kFirst);
  std::vector<Tensor> own;
  for (const Parameter& p : parameters_) {
    if (p.value.requires_grad() && p.name.rfind(prefix, 0) == 0) own.push_back(p.value);
  }
  return recomputed(x, own, body);
}

Tensor TrainModel::encoder_layer(const Tensor& x, const std::string& p,
                                 const std::shared_ptr<const AttentionPlan>& plan) const {
  const std::int64_t w = config_.audio.width;
  const auto norm = [&](const Tensor& in, const std::string& name) {
    return at::layer_norm(in, {w}, at(p + name + ".weight"), at(p + name + ".bias"), 1e-5).to(compute_);
  };
  const std::string a = p + "self_attn.";
  const Tensor weight = at::cat({cast(a + "q_proj.weight"), cast(a + "k_proj.weight"), cast(a + "v_proj.weight")}, 0);
  const Tensor bias = at::cat({at(a + "q_proj.bias"), at::zeros({w}, floats_), at(a + "v_proj.bias")}, 0).to(compute_);
  const Tensor qkv = at::linear(norm(x, "self_attn_layer_norm"), weight, bias);
  const Tensor y = x + linear(attention(qkv, plan), a + "out_proj");
  return y + linear(at::gelu(linear(norm(y, "final_layer_norm"), p + "fc1")), p + "fc2");
}

// What the convolutions make of the windows [1, bins, frames], one after the other: [positions, W] f32. `kept`: the positions
// of each that are not padding.
Tensor TrainModel::conv_frames(const std::vector<Tensor>& mels, const std::vector<AttentionBlock>& kept) const {
  const Tensor conv1 = cast("audio_tower.conv1.weight"), bias1 = cast("audio_tower.conv1.bias");
  const Tensor conv2 = cast("audio_tower.conv2.weight"), bias2 = cast("audio_tower.conv2.bias");
  const double scale = config_.audio.scale_embedding ? std::sqrt(static_cast<double>(config_.audio.width)) : 1.0;
  std::vector<Tensor> rows;
  for (std::size_t i = 0; i < mels.size(); ++i) {
    const std::int64_t count = kept[i].count;
    Tensor h = at::gelu(at::conv1d(mels[i].to(compute_), conv1, bias1, 1, 1));
    h = at::gelu(at::conv1d(h, conv2, bias2, 2, 1));
    h = h.squeeze(0).transpose(0, 1).narrow(0, 0, count).to(at::kFloat).mul(scale);
    rows.push_back(h + at("audio_tower.embed_positions.weight").narrow(0, 0, count));
  }
  return at::cat(rows, 0);
}

Tensor TrainModel::encode(const std::vector<LogMel>& mels) const {
  const std::int64_t w = config_.audio.width;
  auto plan = std::make_shared<AttentionPlan>();
  plan->heads = plan->kv_heads = config_.audio.heads;
  plan->head_dim = config_.audio.width / config_.audio.heads;
  std::int64_t total = 0;
  // On the processor the mels are read where they are, which outlives the backward pass: they are the caller's micro-batch.
  std::vector<Tensor> frames;
  for (const LogMel& mel : mels) {
    const std::int64_t kept = encoder_positions(mel.valid_frames);
    plan->blocks.push_back({total, kept, 0, 0, false});
    total += kept;
    frames.push_back(to_device(at::from_blob(const_cast<float*>(mel.data.data()), {1, mel.bins, mel.frames}, kF32), device_));
  }
  Tensor x = part(at::empty({0}, floats_), "audio_tower.",
                  [this, frames, plan](const Tensor&, Pass) { return conv_frames(frames, plan->blocks); });
  for (int i = 0; i < config_.audio.layers; ++i) {
    const std::string p = fmt::format("audio_tower.layers.{}.", i);
    x = layer(x, p, [this, p, plan](const Tensor& in, Pass) { return encoder_layer(in, p, plan); });
  }
  std::vector<Tensor> pooled;
  for (const AttentionBlock& block : plan->blocks) {
    const std::int64_t n = block.count / 2;
    pooled.push_back(x.narrow(0, block.begin, 2 * n).view({n, 2, w}).mean(1));
  }
  return part(at::cat(pooled, 0), "audio_tower.", [this, w](const Tensor& in, Pass) {
    return at::layer_norm(in, {w}, at("audio_tower.layer_norm.weight"), at("audio_tower.layer_norm.bias"), 1e-5);
  });
}

Tensor TrainModel::decoder_layer(const Tensor& x, const std::string& p, const std::shared_ptr<const AttentionPlan>& plan,
                                 Noise& noise) const {
  const std::string a = p + "self_attn.", m = p + "mlp.";
  const double eps = config_.text.rms_eps;
  const Tensor in = rms_norm(x, at(p + "input_layernorm.weight"), eps, compute_);
  const Tensor qkv = linears(in, {a + "q_proj", a + "k_proj", a + "v_proj"}, noise);
  const Tensor y = x + noise.drop(linears(attention(qkv, plan), {a + "o_proj"}, noise), noise.residual);
  const Tensor normed = rms_norm(y, at(p + "post_attention_layernorm.weight"), eps, compute_);
  const Tensor gate_up = linears(normed, {m + "gate_proj", m + "up_proj"}, noise);
  return y + noise.drop(linears(swiglu(gate_up), {m + "down_proj"}, noise), noise.residual);
}

Tensor TrainModel::embed(const MicroBatch& batch, Noise& noise, double neftune) const {
  Tensor x = part(at::empty({0}, floats_), "language_model.model.embed_tokens.", [this, ids = batch.ids](const Tensor&, Pass) {
    return at::embedding(at("language_model.model.embed_tokens.weight"), ids);
  });
  if (neftune > 0) {
    Tensor shift = at::empty(x.sizes(), floats_).uniform_(-1, 1, noise.generator);
    for (const AttentionBlock& block : batch.blocks) {  // by the length of the sequence that a run belongs to
      const double size = static_cast<double>((block.prefix + block.count) * config_.text.width);
      shift.narrow(0, block.begin, block.count).mul_(neftune / std::sqrt(size));
    }
    x = x + shift;
  }
  if (batch.audio_positions.numel() == 0 && units_ == nullptr) return x;
  const Tensor projected =
      part(audio_states(batch), "multi_modal_projector.linear.", [this](const Tensor& in, Pass) { return project(in); });
  return at::index_copy(x, 0, batch.audio_positions, projected);
}

Tensor TrainModel::project(const Tensor& states) const {
  return linear(to_device(states, device_).to(compute_), "multi_modal_projector.linear").to(at::kFloat);
}

// The tower's output for a batch's audio: [A, W]. Without audio no rows, but where the parameters are divided the tower's units
// are exchanged all the same: other ranks wait for that.
Tensor TrainModel::audio_states(const MicroBatch& batch) const {
  if (batch.features.defined()) return batch.features;
  if (!batch.mels.empty()) return encode(batch.mels);
  if (units_->encodes()) return encode(silence_).narrow(0, 0, 0);
  return at::empty({0, config_.audio.width}, floats_);
}

// The batch on the model's device. The mels stay where they are; encode() copies them.
MicroBatch TrainModel::placed(const MicroBatch& batch) const {
  MicroBatch out = batch;
  for (Tensor* t :
       {&out.ids, &out.positions, &out.audio_positions, &out.features, &out.label_positions, &out.labels, &out.label_weights})
    *t = to_device(*t, device_);
  return out;
}

// After the last layer and the final norm, at the labelled positions.
Tensor TrainModel::final_states(const MicroBatch& batch, bool training) const {
  auto plan = std::make_shared<AttentionPlan>();
  plan->heads = config_.text.heads;
  plan->kv_heads = config_.text.kv_heads;
  plan->head_dim = head_dim(config_.text);
  plan->blocks = batch.blocks;
  plan->positions = batch.positions;
  plan->cos = cos_;
  plan->sin = sin_;
  Noise noise{training ? options_.dropout : 0.0, training ? adapters_.dropout : 0.0,
              seeded_generator(device_, batch.dropout_seed)};
  Tensor x = embed(batch, noise, training ? options_.neftune : 0.0);
  x = noise.drop(x, noise.residual);
  for (int i = 0; i < config_.text.layers; ++i) {
    const std::string p = fmt::format("language_model.model.layers.{}.", i);
    Noise again{noise.residual, noise.adapter, noise.generator.clone()};
    x = layer(x, p, [this, p, plan, &noise, again](const Tensor& in, Pass pass) {
      if (pass == Pass::kFirst) return decoder_layer(in, p, plan, noise);
      Noise copy{again.residual, again.adapter, again.generator.clone()};
      return decoder_layer(in, p, plan, copy);
    });
  }
  x = at::index_select(x, 0, batch.label_positions);
  return part(x, "language_model.model.norm.", [this](const Tensor& in, Pass) {
    return rms_norm(in, at("language_model.model.norm.weight"), config_.text.rms_eps, compute_);
  });
}

const std::string& TrainModel::head_name() const {
  static const std::string tied = "language_model.model.embed_tokens.weight", own = "language_model.lm_head.weight";
  return config_.text.tied_embeddings ? tied : own;
}

Tensor TrainModel::logits(const MicroBatch& batch, bool training) const {
  if (batch.ids.device() != device_) return logits(placed(batch), training);
  return part(final_states(batch, training), unit_name(head_name()),
              [this](const Tensor& in, Pass) { return at::linear(in, cast(head_name())); });
}

TokenLoss TrainModel::loss_of_head(const MicroBatch& batch, const HeadLossOptions& options) const {
  if (batch.ids.device() != device_) {
    HeadLossOptions moved = options;
    moved.weights = to_device(options.weights, device_);
    moved.shifts = to_device(options.shifts, device_);
    moved.shift_rows = to_device(options.shift_rows, device_);
    return loss_of_head(placed(batch), moved);
  }
  return head_loss(final_states(batch, false).to(at::kFloat), at(head_name()), batch.labels, options);
}

TokenLoss TrainModel::loss(const MicroBatch& batch, bool training) const {
  if (batch.ids.device() != device_) return loss(placed(batch), training);
  HeadLossOptions options;
  options.weights = batch.label_weights;
  if (training) {
    options.smoothing = options_.label_smoothing;
    options.z = options_.z_loss;
  }
  TokenLoss out;
  // When it runs again for the gradient, `out` is gone and not touched.
  out.sum = part(final_states(batch, training), unit_name(head_name()),
                 [this, options, labels = batch.labels, first = &out](const Tensor& in, Pass pass) {
                   TokenLoss found = head_loss(in, cast(head_name()), labels, options);
                   const Tensor sum = found.sum;
                   if (pass == Pass::kFirst) *first = std::move(found);
                   return sum;
                 });
  return out;
}

}  // namespace areason::train
