#pragma once
// The text model on libtorch: token ids and audio in, logits out, keys and values in a KvPool. Attention is
// at::scaled_dot_product_attention: sequences that add one position each share one call, others have one of their own.
// Reference: transformers modeling_qwen2.py. Called by torch_model.cpp. Thread rule: one caller at a time.
// Shapes: R = rows of a pass, over its items one after the other.
#include <span>
#include <vector>

#include "libtorch/kv_pool.h"
#include "libtorch/tensors.h"

namespace areason::libtorch {

class TextDecoder {
 public:
  TextDecoder(const DecoderConfig& config, DecoderTensors weights, const Place& place);
  // Writes keys and values of every item's ids behind its cache's length, for which there is room, and returns the logits that
  // are wanted, [sum][vocabulary] f32 on the CPU. The caches are BlockKv of `pool`; their lengths stay.
  at::Tensor run(std::span<const BatchItem> items, const KvPool& pool) const;

 private:
  // Positions that one item adds, in an attention call of their own.
  struct Run {
    std::int64_t first = 0, rows = 0, past = 0;  // `first` among R
    std::int64_t first_block = -1;               // where its blocks follow each other; else:
    at::Tensor blocks;
    at::Tensor mask;  // [rows][past + rows] where some rows see more than others; not for a first pass
  };
  // Items of one row each, padded to the longest.
  struct Singles {
    at::Tensor rows;    // [B], among R
    at::Tensor blocks;  // [B * blocks of the longest]
    at::Tensor mask;    // [B][1][1][positions of the longest]
  };
  struct Plan {
    at::Tensor cosine, sine;  // [R][1][head_dim / 2]
    at::Tensor slots;         // [R]: where keys and values go, block * 32 + position in it
    std::vector<Run> runs;
    Singles singles;
    std::int64_t rows = 0;
  };
  Plan plan(std::span<const BatchItem> items) const;
  Run plan_run(const BatchItem& item, std::int64_t first) const;
  Singles plan_singles(std::span<const BatchItem> items, const std::vector<std::int64_t>& rows) const;
  at::Tensor embed(std::span<const BatchItem> items) const;
  at::Tensor layer(const at::Tensor& h, std::size_t index, const KvPool& pool, const Plan& plan) const;
  at::Tensor attend(const at::Tensor& qkv, std::size_t index, const KvPool& pool, const Plan& plan) const;
  at::Tensor attend_run(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values, const Run& run) const;
  at::Tensor attend_singles(const at::Tensor& q, const at::Tensor& keys, const at::Tensor& values, const Singles& s) const;
  at::Tensor normalized(const at::Tensor& h, const NormTensors& norm) const;

  DecoderConfig config_;
  DecoderTensors weights_;
  Place place_;
  at::Tensor inverse_frequency_;  // [head_dim / 2] f32
};

}  // namespace areason::libtorch
