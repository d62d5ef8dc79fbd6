#include "model/encoder.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "kernels/attention.h"
#include "kernels/rows.h"

namespace areason {
namespace {

constexpr float kLayerNormEpsilon = 1e-5f;  // torch.nn.LayerNorm's default, which the encoder uses

std::size_t area(int rows, int width) { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(width); }

void check_mel(const AudioEncoderConfig& config, const LogMel& mel) {
  if (mel.bins != config.mel_bins)
    throw Error(ErrorCode::kModel,
                "the log-mel has " + std::to_string(mel.bins) + " bins, the encoder wants " + std::to_string(config.mel_bins),
                "feature_size in preprocessor_config.json and num_mel_bins in config.json must agree");
  const int most = 2 * config.max_positions;
  if (mel.valid_frames < 0 || mel.valid_frames > most)
    throw Error(ErrorCode::kInput,
                "the audio has " + std::to_string(mel.valid_frames) + " frames, the encoder takes " + std::to_string(most),
                "cut the clip into windows");
  const bool enough = mel.valid_frames == 0 || mel.frames >= std::min(mel.valid_frames + 2, most);
  if (!enough || mel.frames < 0 || mel.data.size() != area(mel.bins, mel.frames))
    throw Error(ErrorCode::kFailure, "a log-mel lacks the two frames after its valid ones", "this is a bug: please report it");
}

// Rows -1 … 2 * positions of the mel, time first: row r is frame r - 1. Frames beyond the window are the zeros that the
// convolution pads with; frames between the valid ones and the window's end hold the padding's real values.
std::vector<float> padded_frames(const LogMel& mel, int positions, int window) {
  const int rows = 2 * positions + 2;
  std::vector<float> out(area(rows, mel.bins));
  for (int r = 1; r < rows; ++r) {
    const int frame = r - 1;
    if (frame >= window) continue;
    float* row = out.data() + area(r, mel.bins);
    for (int b = 0; b < mel.bins; ++b) row[b] = mel.data[area(b, mel.frames) + static_cast<std::size_t>(frame)];
  }
  return out;
}

struct Convolve {
  const float* input;  // rows of weights.in values
  int step;            // input rows from one output to the next
  int outputs;
};

void convolve(const KernelContext& context, const Convolution& weights, const Convolve& work, float* y) {
  const LinearOutput out{
      weights.weight.data(), WeightType::kF32, weights.out, weights.bias.data(), y, static_cast<std::size_t>(weights.out),
      Store::kReplace};
  // Three neighbouring rows are 3 * in consecutive values: no copy is needed.
  linear(context, {work.input, area(work.step, weights.in), work.outputs, 3 * weights.in}, {&out, 1});
  gelu(context, y, area(work.outputs, weights.out));
}

void add_into(std::vector<float>& h, const float* values) {
  for (std::size_t i = 0; i < h.size(); ++i) h[i] += values[i];
}

class Layers {
 public:
  Layers(const KernelContext& context, const AudioEncoderConfig& config, int positions)
      : context_(context),
        config_(config),
        positions_(positions),
        x_(area(positions, config.width)),
        q_(x_),
        k_(x_),
        v_(x_),
        wide_(area(positions, config.ffn)) {}

  void run(const EncoderLayer& layer, std::vector<float>& h) {
    const int width = config_.width;
    normalize(layer.attention_norm, h);
    const LinearOutput qkv[] = {layer.q.to(q_.data()), layer.k.to(k_.data()), layer.v.to(v_.data())};
    linear(context_, input(x_, width), qkv);
    attention(context_, {q_.data(), k_.data(), v_.data(), x_.data(), positions_, positions_, config_.heads, config_.heads,
                         width / config_.heads, Mask::kNone});
    const LinearOutput out = layer.out.to(h.data(), Store::kAdd);
    linear(context_, input(x_, width), {&out, 1});
    normalize(layer.final_norm, h);
    const LinearOutput fc1 = layer.fc1.to(wide_.data());
    linear(context_, input(x_, width), {&fc1, 1});
    gelu(context_, wide_.data(), wide_.size());
    const LinearOutput fc2 = layer.fc2.to(h.data(), Store::kAdd);
    linear(context_, input(wide_, config_.ffn), {&fc2, 1});
  }

 private:
  LinearInput input(const std::vector<float>& x, int k) const { return {x.data(), static_cast<std::size_t>(k), positions_, k}; }
  void normalize(const Norm& norm, const std::vector<float>& h) {
    layer_norm(context_,
               {h.data(), x_.data(), norm.weight.data(), norm.bias.data(), positions_, config_.width, kLayerNormEpsilon});
  }

  const KernelContext& context_;
  const AudioEncoderConfig& config_;
  int positions_;
  std::vector<float> x_, q_, k_, v_, wide_;
};

// Mean of neighbouring pairs; an odd last position is dropped (it was attended to).
std::vector<float> pool_pairs(const std::vector<float>& h, int pairs, int width) {
  std::vector<float> out(area(pairs, width));
  const auto w = static_cast<std::size_t>(width);
  for (std::size_t t = 0; t < static_cast<std::size_t>(pairs); ++t)
    for (std::size_t i = 0; i < w; ++i) out[t * w + i] = 0.5f * (h[2 * t * w + i] + h[(2 * t + 1) * w + i]);
  return out;
}

}  // namespace

AudioEmbeddings run_encoder(const KernelContext& context, const EncoderWeights& weights, const AudioEncoderConfig& config,
                            const LogMel& mel) {
  check_mel(config, mel);
  const int positions = mel.valid_frames == 0 ? 0 : (mel.valid_frames - 1) / 2 + 1;
  AudioEmbeddings out;
  out.tokens = positions / 2;
  if (out.tokens == 0) return out;
  // Output i of the second convolution sees outputs 2i-1, 2i, 2i+1 of the first; row 0 is the zero padding before them.
  std::vector<float> first(area(2 * positions + 1, config.width));
  const std::vector<float> frames = padded_frames(mel, positions, 2 * config.max_positions);
  convolve(context, weights.conv1, {frames.data(), 1, 2 * positions}, first.data() + config.width);
  std::vector<float> h(area(positions, config.width));
  convolve(context, weights.conv2, {first.data(), 2, positions}, h.data());
  add_into(h, weights.positions.data());
  Layers layers(context, config, positions);
  for (const auto& layer : weights.layers) layers.run(layer, h);
  std::vector<float> pooled = pool_pairs(h, out.tokens, config.width);
  layer_norm(context, {pooled.data(), pooled.data(), weights.norm.weight.data(), weights.norm.bias.data(), out.tokens,
                       config.width, kLayerNormEpsilon});
  out.data.resize(area(out.tokens, weights.projector.n));
  const LinearOutput project = weights.projector.to(out.data.data());
  linear(context, {pooled.data(), static_cast<std::size_t>(config.width), out.tokens, config.width}, {&project, 1});
  return out;
}

}  // namespace areason
