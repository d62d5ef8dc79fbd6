#include "train/plain/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace areason::train {
namespace {

using Bytes = std::uint64_t;

Bytes whole(int value) { return static_cast<Bytes>(std::max(0, value)); }
Bytes head_width(const DecoderConfig& text) { return whole(text.head_dim > 0 ? text.head_dim : text.width / text.heads); }

struct ParameterBytes {
  Bytes weight, gradient, master, states;  // of a trained parameter
};

ParameterBytes bytes_of(const PlanOptions& o) {
  const bool master = o.precision == PlanPrecision::kBf16Master;
  ParameterBytes out{master ? 2u : 4u, master ? 2u : 4u, master ? 4u : 0u, 0};
  if (o.optimizer == PlanOptimizer::kAdamW) out.states = 8;
  if (o.optimizer == PlanOptimizer::kAdamW8) out.states = 2;
  if (o.optimizer == PlanOptimizer::kMuon) out.states = 4;  // one momentum; embeddings and norms have AdamW's two
  return out;
}

Bytes activation_bytes(const PlanOptions& o) { return o.precision == PlanPrecision::kF32 ? 4 : 2; }

// What one decoder layer keeps for the gradient of `tokens` tokens (train_model.cpp, decoder_layer; fused_ops.cpp): the
// residual stream twice and the norms' statistics in f32; normed inputs, q/k/v before and after the split, the attention's
// output, gate and up, their product.
Bytes decoder_layer_bytes(const ModelConfig& c, const PlanOptions& o, Bytes tokens) {
  const DecoderConfig& t = c.text;
  const Bytes h = whole(t.width), d = head_width(t), q = whole(t.heads) * d, kv = whole(t.kv_heads) * d, f = whole(t.ffn);
  Bytes bytes = tokens * (2 * 4 * h + activation_bytes(o) * (2 * h + 2 * (q + 2 * kv) + q + 3 * f));
  if (o.attention == PlanAttention::kStored) bytes += activation_bytes(o) * whole(t.heads) * tokens * whole(o.sequence);
  // With an adapter the frozen weights' inputs are kept all the same, and each of the seven inner products.
  return bytes + (o.lora_rank > 0 ? tokens * activation_bytes(o) * 7 * whole(o.lora_rank) : 0);
}

Bytes encoder_layer_bytes(const ModelConfig& c, const PlanOptions& o, Bytes positions, Bytes window) {
  const Bytes w = whole(c.audio.width), f = whole(c.audio.ffn);
  Bytes bytes = positions * (2 * 4 * w + activation_bytes(o) * (2 * w + 6 * w + w + 2 * f));
  if (o.attention == PlanAttention::kStored) bytes += activation_bytes(o) * whole(c.audio.heads) * positions * window;
  return bytes;
}

// Layers that keep everything, or one f32 tensor each and a single layer in full while it is computed again.
Bytes stack_bytes(const PlanOptions& o, int layers, Bytes of_layer, Bytes of_input) {
  if (o.activations == PlanActivations::kKeep) return whole(layers) * of_layer;
  return whole(layers) * of_input + of_layer;
}

Bytes activations(const ModelConfig& c, const PlanOptions& o) {
  const Bytes tokens = whole(o.sequence) * whole(o.micro_batch);
  Bytes bytes = stack_bytes(o, c.text.layers, decoder_layer_bytes(c, o, tokens), tokens * 4 * whole(c.text.width));
  // 50 positions a second after the convolutions, in windows of 30 s (facts 3.3).
  const auto positions = static_cast<Bytes>(std::ceil(o.audio_seconds * 50)) * whole(o.micro_batch);
  const Bytes window = std::min<Bytes>(positions, 1500);
  const Bytes layer = encoder_layer_bytes(c, o, positions, window);
  const bool tower = o.train_tower && o.lora_rank == 0;
  return bytes + (tower ? stack_bytes(o, c.audio.layers, layer, positions * 4 * whole(c.audio.width)) : layer);
}

struct LayerSizes {
  Bytes tower, decoder;
};
LayerSizes layer_sizes(const ModelConfig& c) {
  const Bytes w = whole(c.audio.width), f = whole(c.audio.ffn), h = whole(c.text.width);
  const Bytes d = head_width(c.text), q = whole(c.text.heads) * d, kv = whole(c.text.kv_heads) * d;
  return {4 * w * w + 3 * w + 4 * w + 2 * f * w + f + w,  // q, k (no bias), v, out; two norms; fc1, fc2
          2 * h + q * h + q + 2 * (kv * h + kv) + h * q + 3 * whole(c.text.ffn) * h};
}

// Of batch_workers.cpp (stages 0 and 1) and shards.cpp (2 and 3). The scheme with master weights is not this trainer's: it adds
// gradients up in place and computes with the weights as they are.
Bytes passing(const ModelConfig& c, const PlanOptions& o, int stage, Bytes trained) {
  const Bytes unit = largest_unit(c), weight = o.precision == PlanPrecision::kBf16Master ? 2 : 4;
  Bytes out = stage == 3 ? unit * weight : 0;
  const Bytes trained_unit = o.lora_rank > 0 ? 0 : unit;
  if (stage >= 2) out += 2 * trained_unit * weight;  // as they come, and side by side for the exchange
  if (o.precision == PlanPrecision::kBf16Master) return out;
  if (stage < 2) out += whole(o.workers) * trained * weight;  // a worker's sum, or its current micro-batch, besides the total
  const bool kept = o.activations == PlanActivations::kKeep && stage < 3;
  if (o.precision == PlanPrecision::kBf16Compute) out += 2 * (kept ? count_parameters(c).all() : unit);
  return out;
}

// Two pieces of 64 MiB (head_loss) and the head's own gradient while it is summed.
Bytes logits(const ModelConfig& c, const PlanOptions& o) {
  const bool head = o.train_decoder && o.lora_rank == 0;
  return (Bytes{128} << 20) + (head ? activation_bytes(o) * whole(c.text.vocab_size) * whole(c.text.width) : 0);
}

std::string gib(Bytes bytes) { return fmt::format("{:.2f}", static_cast<double>(bytes) / (1 << 30)); }

}  // namespace

ParameterCounts count_parameters(const ModelConfig& c) {
  ParameterCounts out;
  const Bytes w = whole(c.audio.width), h = whole(c.text.width);
  const LayerSizes layer = layer_sizes(c);
  out.tower = whole(c.audio.mel_bins) * w * 3 + w + 3 * w * w + w + whole(c.audio.max_positions) * w +
              whole(c.audio.layers) * layer.tower + 2 * w;
  out.projector = w * h + h;
  out.decoder = whole(c.text.vocab_size) * h * (c.text.tied_embeddings ? 1 : 2) + whole(c.text.layers) * layer.decoder + h;
  return out;
}

std::uint64_t largest_unit(const ModelConfig& c) {
  const LayerSizes layer = layer_sizes(c);
  return std::max({layer.tower, layer.decoder, whole(c.text.vocab_size) * whole(c.text.width)});
}

std::uint64_t count_lora(const ModelConfig& c, int rank) {
  const Bytes h = whole(c.text.width), d = head_width(c.text), q = whole(c.text.heads) * d, kv = whole(c.text.kv_heads) * d;
  const Bytes f = whole(c.text.ffn);
  return whole(rank) * whole(c.text.layers) * (2 * (h + q) + 2 * (h + kv) + 3 * (h + f));
}

Plan plan_memory(const ModelConfig& config, const PlanOptions& o) {
  Plan plan;
  plan.parameters = count_parameters(config);
  plan.trained = o.lora_rank > 0
                     ? count_lora(config, o.lora_rank)
                     : (o.train_tower ? plan.parameters.tower : 0) + (o.train_projector ? plan.parameters.projector : 0) +
                           (o.train_decoder ? plan.parameters.decoder : 0);
  const Bytes all = plan.parameters.all() + (o.lora_rank > 0 ? plan.trained : 0), ranks = whole(std::max(1, o.ranks));
  const ParameterBytes each = bytes_of(o);
  const auto divided = [&](Bytes bytes, bool shared) { return shared ? (bytes + ranks - 1) / ranks : bytes; };
  for (int stage = 0; stage <= 3; ++stage) {
    PlanRow& row = plan.rows[static_cast<std::size_t>(stage)];
    row.stage = stage;
    row.weights = divided(all * each.weight, stage >= 3);
    row.gradients = divided(plan.trained * each.gradient, stage >= 2);
    row.master = divided(plan.trained * each.master, stage >= 1);
    row.states = divided(plan.trained * each.states, stage >= 1);
    row.passing = passing(config, o, stage, plan.trained);
    PlanOptions as_run = o;
    if (stage == 3) as_run.activations = PlanActivations::kRecompute;
    row.activations = activations(config, as_run) * (stage < 2 ? whole(o.workers) : 1);
    row.logits = logits(config, o);
    row.reserve = static_cast<Bytes>(o.reserve * static_cast<double>(row.total())) + o.fixed;
  }
  return plan;
}

std::string plan_table(const Plan& plan, std::uint64_t memory) {
  std::string out =
      fmt::format("{} parameters (audio tower {}, projector {}, decoder {}), {} of them trained\n", plan.parameters.all(),
                  plan.parameters.tower, plan.parameters.projector, plan.parameters.decoder, plan.trained);
  out += fmt::format("{:>6} {:>9} {:>10} {:>8} {:>8} {:>8} {:>12} {:>8} {:>8} {:>8}\n", "ZeRO", "weights", "gradients",
                     "master", "states", "passing", "activations", "logits", "reserve", "GiB/rank");
  for (const PlanRow& r : plan.rows) {
    const char* verdict = memory == 0 ? "" : (r.total() <= memory ? "  fits" : "  does not fit");
    out += fmt::format("{:>6} {:>9} {:>10} {:>8} {:>8} {:>8} {:>12} {:>8} {:>8} {:>8}{}\n", r.stage, gib(r.weights),
                       gib(r.gradients), gib(r.master), gib(r.states), gib(r.passing), gib(r.activations), gib(r.logits),
                       gib(r.reserve), gib(r.total()), verdict);
  }
  return out;
}

}  // namespace areason::train
