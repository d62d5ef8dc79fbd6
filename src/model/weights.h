#pragma once
// The tensors of a model, in safetensors or GGUF, under the names and shapes that the model wants: matrices stay memory-mapped
// in whatever format the file has them, vectors (biases, norms) and the convolutions' reordered weights are copied to f32.
// Internal to src/model.
// Errors: Error(kModel) naming the tensor, what it has and what it should have. Thread rule: constant after load.
#include <memory>
#include <string>
#include <vector>

#include "kernels/linear.h"
#include "model/config.h"
#include "model/stored_tensors.h"

namespace areason {

// [n][k] with its bias ([n], or empty).
struct Matrix {
  const void* data = nullptr;
  WeightType type = WeightType::kF32;
  int n = 0;
  int k = 0;
  std::vector<float> bias;

  LinearOutput to(float* y, Store store = Store::kReplace) const {
    return {data, type, n, bias.empty() ? nullptr : bias.data(), y, static_cast<std::size_t>(n), store};
  }
  // Row `index` as f32.
  void read_row(int index, float* out) const;
};

struct Norm {
  std::vector<float> weight;
  std::vector<float> bias;  // empty for RMSNorm
};

// A convolution of width 3 as a matrix over three neighbouring rows of its input: [out][3][in].
struct Convolution {
  std::vector<float> weight;
  std::vector<float> bias;
  int in = 0;
  int out = 0;
};

struct EncoderLayer {
  Norm attention_norm, final_norm;
  Matrix q, k, v, out, fc1, fc2;
};

struct EncoderWeights {
  Convolution conv1, conv2;
  std::vector<float> positions;  // [max_positions][width]
  std::vector<EncoderLayer> layers;
  Norm norm;
  Matrix projector;
};

struct DecoderLayer {
  Norm input_norm, post_norm;
  Matrix q, k, v, o, gate, up, down;
};

struct DecoderWeights {
  Matrix embedding;  // [vocabulary][width]
  std::vector<DecoderLayer> layers;
  Norm norm;
  Matrix head;  // the embedding itself where it is tied
};

struct ModelWeights {
  StoredTensors store;
  std::vector<std::vector<std::byte>> aligned_copies;  // of tensors at odd addresses
  EncoderWeights encoder;
  DecoderWeights decoder;
};

std::unique_ptr<ModelWeights> load_weights(const std::string& model, const ModelConfig& config);

}  // namespace areason
