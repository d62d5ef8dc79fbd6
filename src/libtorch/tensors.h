#pragma once
// A checkpoint's weights as tensors on a device: read, checked and named by the native model's loader (model/weights.h), so
// that both backends take the same files, GGUF included (block formats become plain numbers). Called by torch_model.cpp. Thread
// rule: constant after load. Shapes as in the released files; q, k and v are one matrix, gate and up as well.
#include <vector>

#include "libtorch/place.h"
#include "model/weights.h"

namespace areason::libtorch {

struct LinearTensors {
  at::Tensor weight, bias;  // bias: undefined where there is none
  at::Tensor operator()(const at::Tensor& x) const;
};

struct NormTensors {
  at::Tensor weight, bias;  // bias: undefined for RMSNorm
};

struct EncoderLayerTensors {
  NormTensors attention_norm, final_norm;
  LinearTensors qkv, out, fc1, fc2;
};

struct EncoderTensors {
  LinearTensors conv1, conv2;  // weights [out][in][3]
  at::Tensor positions;        // [max_positions][width]
  std::vector<EncoderLayerTensors> layers;
  NormTensors norm;
  LinearTensors projector;
};

struct DecoderLayerTensors {
  NormTensors input_norm, post_norm;
  LinearTensors qkv, o, gate_up, down;
};

struct DecoderTensors {
  at::Tensor embedding;  // [vocabulary][width]
  std::vector<DecoderLayerTensors> layers;
  NormTensors norm;
  LinearTensors head;  // shares the embedding where it is tied
};

// Tensors of f32 on the CPU may lie in the memory that `weights` has mapped: it must live as long.
EncoderTensors encoder_tensors(const EncoderWeights& weights, const Place& place);
DecoderTensors decoder_tensors(const DecoderWeights& weights, const Place& place);

}  // namespace areason::libtorch
