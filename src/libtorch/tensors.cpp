#include "libtorch/tensors.h"

#include <optional>

namespace areason::libtorch {
namespace {

using at::Tensor;

// A view of numbers in memory that libtorch only reads.
Tensor view(const void* data, at::IntArrayRef shape, at::ScalarType type) {
  return at::from_blob(const_cast<void*>(data), shape, at::TensorOptions().dtype(type));
}

std::optional<at::ScalarType> plain_type(WeightType type) {
  switch (type) {
    case WeightType::kF32:
      return at::kFloat;
    case WeightType::kF16:
      return at::kHalf;
    case WeightType::kBF16:
      return at::kBFloat16;
    default:
      return std::nullopt;
  }
}

class Loader {
 public:
  explicit Loader(const Place& place) : place_(place) {}

  Tensor vector(const std::vector<float>& values, at::IntArrayRef shape) const {
    return view(values.data(), shape, at::kFloat).clone().to(place_.device, place_.dtype);
  }
  Tensor vector(const std::vector<float>& values) const { return vector(values, {static_cast<std::int64_t>(values.size())}); }
  NormTensors norm(const Norm& from) const { return {vector(from.weight), from.bias.empty() ? Tensor() : vector(from.bias)}; }
  Tensor matrix(const Matrix& from) const {
    if (const auto type = plain_type(from.type))
      return view(from.data, {from.n, from.k}, *type).to(place_.device, place_.dtype);
    Tensor rows = at::empty({from.n, from.k}, at::TensorOptions().dtype(at::kFloat));
    for (int i = 0; i < from.n; ++i) from.read_row(i, rows.data_ptr<float>() + std::int64_t{i} * from.k);
    return rows.to(place_.device, place_.dtype);
  }
  // Side by side: one product in place of several. A missing bias among others is zero.
  LinearTensors linear(std::initializer_list<const Matrix*> parts) const {
    std::vector<Tensor> weights, biases;
    bool biased = false;
    for (const Matrix* part : parts) {
      weights.push_back(matrix(*part));
      biased = biased || !part->bias.empty();
      biases.push_back(part->bias.empty() ? at::zeros({part->n}, place_.options()) : vector(part->bias));
    }
    return {weights.size() == 1 ? weights[0] : at::cat(weights, 0), biased ? at::cat(biases, 0) : Tensor()};
  }
  LinearTensors convolution(const Convolution& from) const {
    const Tensor taps_first = vector(from.weight, {from.out, 3, from.in});
    return {taps_first.permute({0, 2, 1}).contiguous(), vector(from.bias)};
  }

 private:
  Place place_;
};

}  // namespace

Tensor LinearTensors::operator()(const Tensor& x) const {
  return at::linear(x, weight, bias.defined() ? std::optional<Tensor>(bias) : std::nullopt);
}

EncoderTensors encoder_tensors(const EncoderWeights& weights, const Place& place) {
  const Loader load(place);
  EncoderTensors out;
  out.conv1 = load.convolution(weights.conv1);
  out.conv2 = load.convolution(weights.conv2);
  const std::int64_t width = weights.conv2.out;
  out.positions = load.vector(weights.positions, {static_cast<std::int64_t>(weights.positions.size()) / width, width});
  for (const EncoderLayer& layer : weights.layers) {
    out.layers.push_back({load.norm(layer.attention_norm), load.norm(layer.final_norm),
                          load.linear({&layer.q, &layer.k, &layer.v}), load.linear({&layer.out}), load.linear({&layer.fc1}),
                          load.linear({&layer.fc2})});
  }
  out.norm = load.norm(weights.norm);
  out.projector = load.linear({&weights.projector});
  return out;
}

DecoderTensors decoder_tensors(const DecoderWeights& weights, const Place& place) {
  const Loader load(place);
  DecoderTensors out;
  out.embedding = load.matrix(weights.embedding);
  for (const DecoderLayer& layer : weights.layers) {
    out.layers.push_back({load.norm(layer.input_norm), load.norm(layer.post_norm), load.linear({&layer.q, &layer.k, &layer.v}),
                          load.linear({&layer.o}), load.linear({&layer.gate, &layer.up}), load.linear({&layer.down})});
  }
  out.norm = load.norm(weights.norm);
  out.head = weights.head.data == weights.embedding.data ? LinearTensors{out.embedding, {}} : load.linear({&weights.head});
  return out;
}

}  // namespace areason::libtorch
