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

  // New positions of one sequence.
  struct Segment {
    PagedKv* cache;
    int rows;
  };
  // Appends every segment's rows to its cache; `h` [all rows][width] holds their embeddings and becomes their last hidden
  // states. Caches are distinct.
  void run(std::vector<float>& h, std::span<const Segment> segments);
  // Logits [rows][vocabulary] of hidden states h [rows][width]; h is normalised in place.
  void logits(float* h, int rows, float* out);

 private:
  void prepare(std::span<const Segment> segments);
  void run_layer(const DecoderLayer& layer, float* h);
  void attend(const DecoderLayer& layer, float* h);
  void rotate(float* x, int heads);
  void extend_rope(int positions);
  void normalize(const Norm& norm, const float* h, float* out, int rows);

  KernelContext context_;
  const DecoderWeights& weights_;
  const DecoderConfig& config_;
  // Of the current run:
  int rows_ = 0;
  PageShape shape_;
  std::vector<PagedSequence> sequences_;
  std::vector<float> x_, q_, k_, v_, gate_, up_;
  std::vector<float> row_cosine_, row_sine_;  // [row][head_dim / 2]

  std::vector<float> inverse_frequency_;  // [head_dim / 2]
  std::vector<float> cosine_, sine_;      // [position][head_dim / 2], as far as needed so far
};

}  // namespace areason
