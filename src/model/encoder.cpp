#include "model/encoder.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "kernels/rows.h"
#include "model/area.h"
#include "model/encoder_attention.h"

namespace areason {
namespace {

constexpr float kLayerNormEpsilon = 1e-5f;  // torch.nn.LayerNorm's default, which the encoder uses

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

// A checkpoint of f32 or bf16 is held to the reference's numbers (f32 arithmetic). f16 is what converted encoders have
// (mmproj): those are no more exact than activations rounded to bf16 (cosine to f32 0.99999), and twice as fast with them.
Activations activations_of(WeightType type) { return type == WeightType::kF16 ? Activations::kBF16 : Activations::kExact; }

struct Convolve {
  const float* input;  // rows of weights.in values
  int step;            // input rows from one output to the next
  int outputs;
  Activations activations;
};

void convolve(const KernelContext& context, const Convolution& weights, const Convolve& work, float* y) {
  const LinearOutput out{
      weights.weight.data(), WeightType::kF32, weights.out, weights.bias.data(), y, static_cast<std::size_t>(weights.out),
      Store::kReplace};
  // Three neighbouring rows are 3 * in consecutive values: no copy is needed.
  linear(context, {work.input, area(work.step, weights.in), work.outputs, 3 * weights.in, work.activations}, {&out, 1});
  gelu(context, y, area(work.outputs, weights.out));
}

// Where a window's rows lie among those of all windows.
struct Window {
  const LogMel* mel = nullptr;
  int positions = 0;
  int tokens = 0;
  std::size_t first = 0;  // row of its first position
};

std::vector<Window> place_windows(const AudioEncoderConfig& config, std::span<const LogMel* const> mels) {
  std::vector<Window> windows;
  std::size_t first = 0;
  for (const LogMel* mel : mels) {
    check_mel(config, *mel);
    const int positions = mel->valid_frames == 0 ? 0 : (mel->valid_frames - 1) / 2 + 1;
    windows.push_back({mel, positions, positions / 2, first});
    if (positions >= 2) first += static_cast<std::size_t>(positions);
  }
  return windows;
}

class Layers {
 public:
  Layers(const KernelContext& context, const AudioEncoderConfig& config, std::span<const Window> windows)
      : context_(context), config_(config) {
    attention_.heads = config.heads;
    attention_.head_dim = config.width / config.heads;
    for (const Window& window : windows) {
      if (window.tokens == 0) continue;
      attention_.windows.push_back(window.positions);
      positions_ += window.positions;
    }
    x_.resize(area(positions_, config.width));
    q_ = k_ = v_ = x_;
    wide_.resize(area(positions_, config.ffn));
  }

  int positions() const { return positions_; }

  void run(const EncoderLayer& layer, std::vector<float>& h) {
    const int width = config_.width;
    attention_.weights = layer.q.type;
    activations_ = activations_of(layer.q.type);
    normalize(layer.attention_norm, h);
    const LinearOutput qkv[] = {layer.q.to(q_.data()), layer.k.to(k_.data()), layer.v.to(v_.data())};
    linear(context_, input(x_, width), qkv);
    attention_.run(context_, q_.data(), k_.data(), v_.data(), x_.data());
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
  LinearInput input(const std::vector<float>& x, int k) const {
    return {x.data(), static_cast<std::size_t>(k), positions_, k, activations_};
  }
  void normalize(const Norm& norm, const std::vector<float>& h) {
    layer_norm(context_,
               {h.data(), x_.data(), norm.weight.data(), norm.bias.data(), positions_, config_.width, kLayerNormEpsilon});
  }

  const KernelContext& context_;
  const AudioEncoderConfig& config_;
  EncoderAttention attention_;
  Activations activations_ = Activations::kExact;
  int positions_ = 0;  // of all windows
  std::vector<float> x_, q_, k_, v_, wide_;
};

// The convolutions and the position embeddings of one window, into its rows of h.
void embed_window(const KernelContext& context, const EncoderWeights& weights, const AudioEncoderConfig& config,
                  const Window& window, float* h) {
  // Output i of the second convolution sees outputs 2i-1, 2i, 2i+1 of the first; row 0 is the zero padding before them.
  std::vector<float> first(area(2 * window.positions + 1, config.width));
  const Activations activations = activations_of(weights.projector.type);
  const std::vector<float> frames = padded_frames(*window.mel, window.positions, 2 * config.max_positions);
  convolve(context, weights.conv1, {frames.data(), 1, 2 * window.positions, activations}, first.data() + config.width);
  convolve(context, weights.conv2, {first.data(), 2, window.positions, activations}, h);
  for (std::size_t i = 0; i < area(window.positions, config.width); ++i) h[i] += weights.positions[i];
}

// Mean of neighbouring pairs; an odd last position is dropped (it was attended to).
void pool_pairs(const float* h, int pairs, int width, float* out) {
  const auto w = static_cast<std::size_t>(width);
  for (std::size_t t = 0; t < static_cast<std::size_t>(pairs); ++t)
    for (std::size_t i = 0; i < w; ++i) out[t * w + i] = 0.5f * (h[2 * t * w + i] + h[(2 * t + 1) * w + i]);
}

AudioEmbeddings project_window(const KernelContext& context, const EncoderWeights& weights, const AudioEncoderConfig& config,
                               const float* h, int tokens) {
  std::vector<float> pooled(area(tokens, config.width));
  pool_pairs(h, tokens, config.width, pooled.data());
  layer_norm(context, {pooled.data(), pooled.data(), weights.norm.weight.data(), weights.norm.bias.data(), tokens, config.width,
                       kLayerNormEpsilon});
  AudioEmbeddings out;
  out.tokens = tokens;
  out.data.resize(area(tokens, weights.projector.n));
  const LinearOutput project = weights.projector.to(out.data.data());
  linear(context, {pooled.data(), static_cast<std::size_t>(config.width), tokens, config.width}, {&project, 1});
  return out;
}

}  // namespace

std::vector<AudioEmbeddings> run_encoder(const KernelContext& context, const EncoderWeights& weights,
                                         const AudioEncoderConfig& config, std::span<const LogMel* const> mels) {
  const std::vector<Window> windows = place_windows(config, mels);
  Layers layers(context, config, windows);
  std::vector<AudioEmbeddings> out(windows.size());
  if (layers.positions() == 0) return out;
  std::vector<float> h(area(layers.positions(), config.width));
  const auto rows_of = [&](const Window& window) { return h.data() + window.first * static_cast<std::size_t>(config.width); };
  for (const Window& window : windows)
    if (window.tokens > 0) embed_window(context, weights, config, window, rows_of(window));
  for (const auto& layer : weights.layers) layers.run(layer, h);
  for (std::size_t i = 0; i < windows.size(); ++i)
    if (windows[i].tokens > 0) out[i] = project_window(context, weights, config, rows_of(windows[i]), windows[i].tokens);
  return out;
}

}  // namespace areason
