#include "libtorch/audio_encoder.h"

#include <cstring>

namespace areason::libtorch {

using at::Tensor;

namespace {

constexpr double kLayerNormEpsilon = 1e-5;  // torch.nn.LayerNorm's default, which the encoder uses
constexpr double kHalfMost = 65504 - 1000;  // the reference keeps f16 states within this

}  // namespace

Tensor AudioEncoder::normalized(const Tensor& h, const NormTensors& norm) const {
  return at::layer_norm(h, {config_.width}, norm.weight, norm.bias, kLayerNormEpsilon);
}

// Both convolutions and the position embeddings: [positions][width]. The frames behind the last that an output sees are the
// zeros that the convolutions pad with.
Tensor AudioEncoder::convolved(const LogMel& mel, int positions) const {
  const Tensor frames =
      at::from_blob(const_cast<float*>(mel.data.data()), {1, mel.bins, mel.frames}, at::kFloat).to(place_.device, place_.dtype);
  const Tensor first = at::gelu(at::conv1d(frames, weights_.conv1.weight, weights_.conv1.bias, 1, 1));
  const Tensor second = at::gelu(at::conv1d(first, weights_.conv2.weight, weights_.conv2.bias, 2, 1));
  return second.squeeze(0).transpose(0, 1).narrow(0, 0, positions) + weights_.positions.narrow(0, 0, positions);
}

Tensor AudioEncoder::layer(const Tensor& h, const EncoderLayerTensors& weights) const {
  const std::int64_t positions = h.size(0), dim = config_.width / config_.heads;
  const Tensor qkv =
      weights.qkv(normalized(h, weights.attention_norm)).view({1, positions, 3, config_.heads, dim}).transpose(1, 3);
  const Tensor heard = at::scaled_dot_product_attention(qkv.select(2, 0), qkv.select(2, 1), qkv.select(2, 2));
  const Tensor x = h + weights.out(heard.transpose(1, 2).reshape({positions, config_.width}));
  const Tensor y = x + weights.fc2(at::gelu(weights.fc1(normalized(x, weights.final_norm))));
  return place_.dtype == at::kHalf ? at::clamp(y, -kHalfMost, kHalfMost) : y;
}

AudioEmbeddings AudioEncoder::run(const LogMel& mel) const {
  check_mel(config_, mel);
  const int positions = mel.valid_frames == 0 ? 0 : (mel.valid_frames - 1) / 2 + 1;
  AudioEmbeddings out;
  out.tokens = positions / 2;
  if (out.tokens == 0) return out;
  Tensor h = convolved(mel, positions);
  for (const EncoderLayerTensors& weights : weights_.layers) h = layer(h, weights);
  // Mean of neighbouring pairs; an odd last position is dropped (it was attended to).
  h = h.narrow(0, 0, 2 * out.tokens).reshape({out.tokens, 2, config_.width}).mean(1);
  const Tensor rows = weights_.projector(normalized(h, weights_.norm)).to(at::kCPU, at::kFloat).contiguous();
  out.data.resize(static_cast<std::size_t>(rows.numel()));
  std::memcpy(out.data.data(), rows.data_ptr<float>(), out.data.size() * sizeof(float));
  return out;
}

}  // namespace areason::libtorch
