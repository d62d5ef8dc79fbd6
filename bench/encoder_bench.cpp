// The audio encoder at full size on weights made in memory: seconds a clip for each weight type, and how far its embeddings
// are from those of the f32 weights (smallest cosine over all embeddings). Nothing is read and nothing is downloaded.
//   build/release/bench/encoder_bench [--layers 32] [--seconds 30] [--threads 0] [--repeat 3] [--types F16,BF16,Q8_0]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "kernels/quant_blocks.h"
#include "model/encoder.h"

namespace areason {
namespace {

struct Options {
  AudioEncoderConfig config;
  int text_width = 4096;
  double seconds = 30;
  int threads = 0;
  int repeat = 3;
  std::string types = "F16,BF16,Q8_0";
};

// Noise of unit variance (the sum of two uniform numbers), fast enough for half a billion weights.
class Noise {
 public:
  std::vector<float> vector(std::size_t n, float scale, float mean = 0.0f) {
    std::vector<float> out(n);
    for (float& v : out) v = mean + scale * next();
    return out;
  }

 private:
  float next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    const auto low = static_cast<float>((state_ >> 16) & 0xffffffu), high = static_cast<float>(state_ >> 40);
    return (low + high - 0x1p24f) * 0x1p-24f * 2.4494897f;
  }
  std::uint64_t state_ = 42;
};

// An encoder of one weight type; `store` owns what the matrices point to.
struct Model {
  EncoderWeights encoder;
  std::deque<std::vector<std::byte>> store;
};
struct FullModel {
  EncoderWeights encoder;
  std::deque<std::vector<float>> store;
};

std::size_t area(int rows, int width) { return static_cast<std::size_t>(rows) * static_cast<std::size_t>(width); }

Matrix make_matrix(FullModel& model, Noise& noise, int n, int k) {
  model.store.push_back(noise.vector(area(n, k), 1.0f / std::sqrt(static_cast<float>(k))));
  return {model.store.back().data(), WeightType::kF32, n, k, noise.vector(static_cast<std::size_t>(n), 0.02f)};
}

Norm make_norm(Noise& noise, int width) {
  const auto n = static_cast<std::size_t>(width);
  return {noise.vector(n, 0.1f, 1.0f), noise.vector(n, 0.02f)};
}

Convolution make_convolution(Noise& noise, int in, int out) {
  return {noise.vector(3 * area(out, in), 1.0f / std::sqrt(3.0f * static_cast<float>(in))),
          noise.vector(static_cast<std::size_t>(out), 0.02f), in, out};
}

FullModel make_model(const Options& options) {
  FullModel model;
  Noise noise;
  const AudioEncoderConfig& c = options.config;
  model.encoder.conv1 = make_convolution(noise, c.mel_bins, c.width);
  model.encoder.conv2 = make_convolution(noise, c.width, c.width);
  model.encoder.positions = noise.vector(area(c.max_positions, c.width), 0.5f);
  for (int i = 0; i < c.layers; ++i) {
    EncoderLayer layer;
    layer.attention_norm = make_norm(noise, c.width);
    layer.final_norm = make_norm(noise, c.width);
    for (Matrix* m : {&layer.q, &layer.k, &layer.v, &layer.out}) *m = make_matrix(model, noise, c.width, c.width);
    layer.fc1 = make_matrix(model, noise, c.ffn, c.width);
    layer.fc2 = make_matrix(model, noise, c.width, c.ffn);
    model.encoder.layers.push_back(std::move(layer));
  }
  model.encoder.norm = make_norm(noise, c.width);
  model.encoder.projector = make_matrix(model, noise, options.text_width, c.width);
  return model;
}

Model convert(ThreadPool& pool, const FullModel& full, WeightType type) {
  Model model;
  model.encoder = full.encoder;
  const auto change = [&](Matrix& m) {
    const std::size_t row = row_bytes(type, m.k);
    std::vector<std::byte>& to = model.store.emplace_back(row * static_cast<std::size_t>(m.n));
    pool.parallel_for(static_cast<std::size_t>(m.n), 64, [&](std::size_t begin, std::size_t end) {
      for (; begin < end; ++begin)
        quantize_row(type, static_cast<const float*>(m.data) + begin * static_cast<std::size_t>(m.k), m.k,
                     to.data() + begin * row);
    });
    m.data = to.data();
    m.type = type;
  };
  for (EncoderLayer& layer : model.encoder.layers)
    for (Matrix* m : {&layer.q, &layer.k, &layer.v, &layer.out, &layer.fc1, &layer.fc2}) change(*m);
  change(model.encoder.projector);
  return model;
}

LogMel make_mel(const Options& options) {
  LogMel mel;
  mel.bins = options.config.mel_bins;
  mel.valid_frames = static_cast<int>(options.seconds * 100);
  mel.frames = std::min(mel.valid_frames + 2, 2 * options.config.max_positions);
  Noise noise;
  mel.data = noise.vector(area(mel.bins, mel.frames), 0.4f);
  return mel;
}

double smallest_cosine(const AudioEmbeddings& a, const AudioEmbeddings& b) {
  double smallest = 1;
  const std::size_t width = a.data.size() / static_cast<std::size_t>(a.tokens);
  for (std::size_t at = 0; at < a.data.size(); at += width) {
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t i = at; i < at + width; ++i) {
      ab += static_cast<double>(a.data[i]) * b.data[i];
      aa += static_cast<double>(a.data[i]) * a.data[i];
      bb += static_cast<double>(b.data[i]) * b.data[i];
    }
    smallest = std::min(smallest, ab / std::sqrt(aa * bb));
  }
  return smallest;
}

struct Timed {
  AudioEmbeddings embeddings;
  double seconds = 1e9;
};

Timed run(const KernelContext& context, const EncoderWeights& weights, const Options& options) {
  const LogMel mel = make_mel(options);
  Timed timed;
  for (int i = 0; i < options.repeat; ++i) {
    const auto start = std::chrono::steady_clock::now();
    timed.embeddings = run_encoder(context, weights, options.config, mel);
    timed.seconds = std::min(timed.seconds, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return timed;
}

double operations(const Options& options) {
  const AudioEncoderConfig& c = options.config;
  const double t = options.seconds * 50, w = c.width;
  const double layer = t * (4 * w * w + 2 * w * c.ffn) + 2 * t * t * w;
  return 2 * (c.layers * layer + 2 * t * 3 * w * c.mel_bins + t * 3 * w * w + t / 2 * w * options.text_width);
}

void report(const char* name, const Timed& timed, const Timed& exact, const Options& options) {
  std::printf("%-5s %7.3f s  %7.1f Gop/s  smallest cosine to f32 %.6f\n", name, timed.seconds,
              operations(options) / timed.seconds / 1e9, smallest_cosine(timed.embeddings, exact.embeddings));
  std::fflush(stdout);
}

void main_loop(const Options& options) {
  ThreadPool pool(options.threads);
  const KernelContext context{pool, active_kernels()};
  std::printf("%d layers, %.1f s of audio, %d threads, %s\n", options.config.layers, options.seconds, pool.size(),
              isa_name(context.table.isa));
  const FullModel full = make_model(options);
  const Timed exact = run(context, full.encoder, options);
  report("f32", exact, exact, options);
  for (const WeightType type : {WeightType::kF16, WeightType::kBF16, WeightType::kQ8_0})
    if (options.types.find(weight_type_name(type)) != std::string::npos)
      report(weight_type_name(type), run(context, convert(pool, full, type).encoder, options), exact, options);
}

}  // namespace
}  // namespace areason

int main(int argc, char** argv) {
  areason::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--layers") options.config.layers = std::stoi(argv[i + 1]);
    if (flag == "--seconds") options.seconds = std::stod(argv[i + 1]);
    if (flag == "--threads") options.threads = std::stoi(argv[i + 1]);
    if (flag == "--types") options.types = argv[i + 1];
    if (flag == "--repeat") options.repeat = std::stoi(argv[i + 1]);
  }
  areason::main_loop(options);
  return 0;
}
