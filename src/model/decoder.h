#pragma once
// The text model: embeddings in, hidden states or logits out, with a KV cache. Internal to src/model.
// Thread rule: one caller at a time; holds scratch memory between calls.
#include <span>
#include <vector>

#include "kernels/linear.h"
#include "model/kv_cache.h"
#include "model/weights.h"

namespace areason {

class Decoder {
 public:
  Decoder(const KernelContext& context, const DecoderWeights& weights, const DecoderConfig& config);

  // Appends `rows` positions to the cache; `h` [rows][width] holds their embeddings and becomes their last hidden states.
  void run(std::vector<float>& h, int rows, KvCache::Data& cache);
  // Logits [rows][vocabulary] of hidden states h [rows][width]; h is normalised in place.
  void logits(float* h, int rows, float* out);

 private:
  void run_layer(const DecoderLayer& layer, KvCache::Data::Layer& cache, float* h);
  void attend(const DecoderLayer& layer, KvCache::Data::Layer& cache, float* h);
  void rotate(float* x, int heads);
  void extend_rope(int positions);
  void normalize(const Norm& norm, const float* h, float* out, int rows);

  KernelContext context_;
  const DecoderWeights& weights_;
  const DecoderConfig& config_;
  int rows_ = 0;   // of the current run
  int start_ = 0;  // its first position
  std::vector<float> x_, q_, gate_, up_;
  std::vector<float> inverse_frequency_;  // [head_dim / 2]
  std::vector<float> cosine_, sine_;      // [position][head_dim / 2], as far as needed so far
};

}  // namespace areason
