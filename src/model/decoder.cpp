#include "model/decoder.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "kernels/attention.h"
#include "kernels/rows.h"

namespace areason {
namespace {

std::size_t area(int rows, int width) { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(width); }

LinearInput input(const float* x, int rows, int k) { return {x, static_cast<std::size_t>(k), rows, k}; }

}  // namespace

Decoder::Decoder(const KernelContext& context, const DecoderWeights& weights, const DecoderConfig& config)
    : context_(context), weights_(weights), config_(config) {
  // In f32, step by step, as transformers computes it: at large positions a more exact frequency would be another angle.
  const auto dim = static_cast<float>(config.head_dim);
  for (int i = 0; i < config.head_dim; i += 2)
    inverse_frequency_.push_back(
        1.0f / static_cast<float>(std::pow(config.rope_theta, static_cast<double>(static_cast<float>(i) / dim))));
}

void Decoder::extend_rope(int positions) {
  const std::size_t half = inverse_frequency_.size();
  for (std::size_t p = cosine_.size() / half; p < static_cast<std::size_t>(positions); ++p) {
    for (const float frequency : inverse_frequency_) {
      const float angle = static_cast<float>(p) * frequency;
      cosine_.push_back(std::cos(angle));
      sine_.push_back(std::sin(angle));
    }
  }
}

void Decoder::normalize(const Norm& norm, const float* h, float* out, int rows) {
  rms_norm(context_, {h, out, norm.weight.data(), nullptr, rows, config_.width, config_.rms_eps});
}

void Decoder::rotate(float* x, int heads) {
  const std::size_t at = area(start_, config_.head_dim / 2);
  rope(context_, {x, cosine_.data() + at, sine_.data() + at, rows_, heads, config_.head_dim});
}

void Decoder::attend(const DecoderLayer& layer, KvCache::Data::Layer& cache, float* h) {
  const int kv_width = config_.kv_heads * config_.head_dim, length = start_ + rows_;
  float* k = cache.k.data() + area(start_, kv_width);
  float* v = cache.v.data() + area(start_, kv_width);
  const LinearOutput qkv[] = {layer.q.to(q_.data()), layer.k.to(k), layer.v.to(v)};
  linear(context_, input(x_.data(), rows_, config_.width), qkv);
  rotate(q_.data(), config_.heads);
  rotate(k, config_.kv_heads);
  // gate_ is free until the MLP; heads * head_dim may differ from width, so x_ would not do.
  attention(context_, {q_.data(), cache.k.data(), cache.v.data(), gate_.data(), rows_, length, config_.heads, config_.kv_heads,
                       config_.head_dim, Mask::kCausal});
  const LinearOutput out = layer.o.to(h, Store::kAdd);
  linear(context_, input(gate_.data(), rows_, config_.heads * config_.head_dim), {&out, 1});
}

void Decoder::run_layer(const DecoderLayer& layer, KvCache::Data::Layer& cache, float* h) {
  normalize(layer.input_norm, h, x_.data(), rows_);
  attend(layer, cache, h);
  normalize(layer.post_norm, h, x_.data(), rows_);
  const LinearOutput gate_up[] = {layer.gate.to(gate_.data()), layer.up.to(up_.data())};
  linear(context_, input(x_.data(), rows_, config_.width), gate_up);
  silu_multiply(context_, gate_.data(), up_.data(), area(rows_, config_.ffn));
  const LinearOutput down = layer.down.to(h, Store::kAdd);
  linear(context_, input(gate_.data(), rows_, config_.ffn), {&down, 1});
}

void Decoder::run(std::vector<float>& h, int rows, KvCache::Data& cache) {
  const auto width = static_cast<std::size_t>(config_.kv_heads) * static_cast<std::size_t>(config_.head_dim);
  if (cache.layers.empty() && cache.length == 0) {
    cache.width = width;
    cache.layers.resize(weights_.layers.size());
  }
  if (cache.width != width || cache.layers.size() != weights_.layers.size())
    throw Error(ErrorCode::kFailure, "a cache of another model was given", "this is a bug: please report it");
  rows_ = rows;
  start_ = cache.length;
  extend_rope(start_ + rows);
  x_.resize(area(rows, config_.width));
  q_.resize(area(rows, config_.heads * config_.head_dim));
  gate_.resize(area(rows, std::max(config_.ffn, config_.heads * config_.head_dim)));
  up_.resize(area(rows, config_.ffn));
  for (std::size_t i = 0; i < weights_.layers.size(); ++i) {
    auto& layer = cache.layers[i];
    layer.k.resize(static_cast<std::size_t>(start_ + rows) * width);
    layer.v.resize(static_cast<std::size_t>(start_ + rows) * width);
    run_layer(weights_.layers[i], layer, h.data());
  }
  cache.length = start_ + rows;
}

void Decoder::logits(float* h, int rows, float* out) {
  normalize(weights_.norm, h, h, rows);
  const LinearOutput head = weights_.head.to(out);
  linear(context_, input(h, rows, config_.width), {&head, 1});
}

}  // namespace areason
