#include "model/decoder.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "kernels/rows.h"
#include "model/area.h"

namespace areason {
namespace {

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
  rope(context_, {x, row_cosine_.data(), row_sine_.data(), rows_, heads, config_.head_dim});
}

void Decoder::attend(const DecoderLayer& layer, float* h) {
  const LinearOutput qkv[] = {layer.q.to(q_.data()), layer.k.to(k_.data()), layer.v.to(v_.data())};
  linear(context_, input(x_.data(), rows_, config_.width), qkv);
  rotate(q_.data(), config_.heads);
  rotate(k_.data(), config_.kv_heads);
  store_pages(context_, shape_, sequences_, {k_.data(), v_.data()});
  // gate_ is free until the MLP; heads * head_dim may differ from width, so x_ would not do.
  paged_attention(context_, shape_, sequences_, {q_.data(), gate_.data()});
  const LinearOutput out = layer.o.to(h, Store::kAdd);
  linear(context_, input(gate_.data(), rows_, config_.heads * config_.head_dim), {&out, 1});
}

void Decoder::run_layer(const DecoderLayer& layer, float* h) {
  normalize(layer.input_norm, h, x_.data(), rows_);
  attend(layer, h);
  normalize(layer.post_norm, h, x_.data(), rows_);
  const LinearOutput gate_up[] = {layer.gate.to(gate_.data()), layer.up.to(up_.data())};
  linear(context_, input(x_.data(), rows_, config_.width), gate_up);
  silu_multiply(context_, gate_.data(), up_.data(), area(rows_, config_.ffn));
  const LinearOutput down = layer.down.to(h, Store::kAdd);
  linear(context_, input(gate_.data(), rows_, config_.ffn), {&down, 1});
}

// Pages, positions and scratch memory of a run.
void Decoder::prepare(std::span<const Segment> segments) {
  rows_ = 0;
  sequences_.clear();
  row_cosine_.clear();
  row_sine_.clear();
  shape_ = segments[0].cache->pool->shape();
  for (const Segment& segment : segments) {
    PagedKv& cache = *segment.cache;
    if (cache.pool != segments[0].cache->pool)
      throw Error(ErrorCode::kFailure, "a cache of another model was given", "this is a bug: please report it");
    cache.grow(segment.rows);
    sequences_.push_back({cache.addresses.data(), 0, cache.length, segment.rows});
    extend_rope(cache.length + segment.rows);
    const auto from = static_cast<std::ptrdiff_t>(area(cache.length, config_.head_dim / 2));
    const auto to = static_cast<std::ptrdiff_t>(area(cache.length + segment.rows, config_.head_dim / 2));
    row_cosine_.insert(row_cosine_.end(), cosine_.begin() + from, cosine_.begin() + to);
    row_sine_.insert(row_sine_.end(), sine_.begin() + from, sine_.begin() + to);
    rows_ += segment.rows;
  }
  x_.resize(area(rows_, config_.width));
  q_.resize(area(rows_, config_.heads * config_.head_dim));
  k_.resize(area(rows_, config_.kv_heads * config_.head_dim));
  v_.resize(k_.size());
  gate_.resize(area(rows_, std::max(config_.ffn, config_.heads * config_.head_dim)));
  up_.resize(area(rows_, config_.ffn));
}

void Decoder::run(std::vector<float>& h, std::span<const Segment> segments) {
  if (segments.empty()) return;
  prepare(segments);
  for (const DecoderLayer& layer : weights_.layers) {
    run_layer(layer, h.data());
    for (PagedSequence& sequence : sequences_) sequence.offset += shape_.bytes();
  }
  for (const Segment& segment : segments) segment.cache->length += segment.rows;
}

void Decoder::logits(float* h, int rows, float* out) {
  normalize(weights_.norm, h, h, rows);
  const LinearOutput head = weights_.head.to(out);
  linear(context_, input(h, rows, config_.width), {&head, 1});
}

}  // namespace areason
