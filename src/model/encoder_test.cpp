// The encoder on valid frames only equals the reference's way (30 s of zero-padded audio, keys of the padding masked) for every
// number of valid frames: design decision 3. A small random encoder; the padded way is written out here.

#include <cstdlib>

#include "audio/log_mel.h"
#include "base/files.h"
#include "base/random.h"
#include "base/testing.h"
#include "kernels/attention.h"
#include "kernels/rows.h"
#include "model/testing.h"

namespace areason {
namespace {

constexpr int kBins = 8, kWidth = 16, kHeads = 2, kFfn = 24, kLayers = 2, kText = 8, kWindow = 3000;

using Values = std::vector<float>;

// out[rows][n] = x[rows][k] w[n][k]^T + b
Values project(const Values& x, int k, const Values& w, const Values& b) {
  const std::size_t depth = static_cast<std::size_t>(k), n = w.size() / depth, rows = x.size() / depth;
  Values out(rows * n);
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t j = 0; j < n; ++j) {
      float sum = b.empty() ? 0.0f : b[j];
      for (std::size_t i = 0; i < depth; ++i) sum += x[r * depth + i] * w[j * depth + i];
      out[r * n + j] = sum;
    }
  }
  return out;
}

void exact_gelu(Values& x) {
  for (float& v : x) v = 0.5f * v * (1.0f + std::erf(v / std::sqrt(2.0f)));
}

// The padded way, straight from modeling_qwen2_audio.py.
class PaddedEncoder {
 public:
  explicit PaddedEncoder(const TensorStore& store) : store_(store) {}

  Values run(const LogMel& full, int valid_frames) {
    Values time_first(static_cast<std::size_t>(kWindow * kBins));
    for (std::size_t b = 0; b < kBins; ++b)
      for (std::size_t t = 0; t < kWindow; ++t) time_first[t * kBins + b] = full.data[b * kWindow + t];
    Values h = convolve(convolve(time_first, kBins, "conv1", 1), kWidth, "conv2", 2);
    const Values positions = get("embed_positions.weight");
    for (std::size_t i = 0; i < h.size(); ++i) h[i] += positions[i];
    for (int layer = 0; layer < kLayers; ++layer)
      run_layer("layers." + std::to_string(layer) + ".", (valid_frames - 1) / 2 + 1, h);
    const std::size_t tokens = static_cast<std::size_t>(((valid_frames - 1) / 2 + 1) / 2), w = kWidth;
    Values pooled(tokens * w);
    for (std::size_t t = 0; t < tokens; ++t)
      for (std::size_t i = 0; i < w; ++i) pooled[t * w + i] = (h[2 * t * w + i] + h[(2 * t + 1) * w + i]) / 2;
    return project(normalize(pooled, "layer_norm"), kWidth, store_.at("multi_modal_projector.linear.weight").to_f32(),
                   store_.at("multi_modal_projector.linear.bias").to_f32());
  }

 private:
  Values get(const std::string& name) const { return store_.at("audio_tower." + name).to_f32(); }

  Values convolve(const Values& x, int in, const std::string& name, int stride) const {
    const Values weight = get(name + ".weight"), bias = get(name + ".bias");
    const int rows = static_cast<int>(x.size()) / in, outputs = rows / stride;
    Values out(static_cast<std::size_t>(outputs * kWidth));
    for (int t = 0; t < outputs; ++t) {
      for (int o = 0; o < kWidth; ++o) {
        float sum = bias[static_cast<std::size_t>(o)];
        for (int tap = 0; tap < 3; ++tap) {
          const int at = t * stride + tap - 1;
          if (at < 0 || at >= rows) continue;  // zero padding
          for (int i = 0; i < in; ++i)
            sum += x[static_cast<std::size_t>(at * in + i)] * weight[static_cast<std::size_t>((o * in + i) * 3 + tap)];
        }
        out[static_cast<std::size_t>(t * kWidth + o)] = sum;
      }
    }
    exact_gelu(out);
    return out;
  }

  Values normalize(const Values& x, const std::string& name) {
    const Values weight = get(name + ".weight"), bias = get(name + ".bias");
    Values out(x.size());
    layer_norm(context_,
               {x.data(), out.data(), weight.data(), bias.data(), static_cast<int>(x.size()) / kWidth, kWidth, 1e-5f});
    return out;
  }

  // Every position asks, only valid ones answer: keys at positions >= valid get -inf in the reference.
  void run_layer(const std::string& at, int valid, Values& h) {
    const Values x = normalize(h, at + "self_attn_layer_norm");
    const auto linear_of = [&](const std::string& name, const Values& in, int k, bool bias) {
      return project(in, k, get(at + name + ".weight"), bias ? get(at + name + ".bias") : Values());
    };
    const Values q = linear_of("self_attn.q_proj", x, kWidth, true), k = linear_of("self_attn.k_proj", x, kWidth, false),
                 v = linear_of("self_attn.v_proj", x, kWidth, true);
    Values mixed(x.size());
    attention(context_,
              {q.data(), k.data(), v.data(), mixed.data(), kWindow / 2, valid, kHeads, kHeads, kWidth / kHeads, Mask::kNone});
    const Values out = linear_of("self_attn.out_proj", mixed, kWidth, true);
    for (std::size_t i = 0; i < h.size(); ++i) h[i] += out[i];
    Values wide = linear_of("fc1", normalize(h, at + "final_layer_norm"), kWidth, true);
    exact_gelu(wide);
    const Values down = linear_of("fc2", wide, kFfn, true);
    for (std::size_t i = 0; i < h.size(); ++i) h[i] += down[i];
  }

  const TensorStore& store_;
  ThreadPool pool_{1};
  KernelContext context_{pool_, active_kernels()};
};

class EncoderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    write_file_atomic(dir_.file("config.json"), R"({"model_type":"qwen2_audio","tie_word_embeddings":true,
      "audio_config":{"num_mel_bins":8,"d_model":16,"encoder_layers":2,"encoder_attention_heads":2,"encoder_ffn_dim":24},
      "text_config":{"hidden_size":8,"num_hidden_layers":0,"num_attention_heads":1,"num_key_value_heads":1,"vocab_size":2}})");
    write_weights();
    store_ = TensorStore::open(dir_.path());
  }

  void add(const std::string& name, std::vector<std::int64_t> shape, float scale, float offset = 0.0f) {
    std::size_t n = 1;
    for (const auto dim : shape) n *= static_cast<std::size_t>(dim);
    Values values(n);
    for (float& v : values) v = offset + scale * static_cast<float>(random_.normal());
    weights_.push_back(make_f32(name, std::move(shape), values));
  }
  void add_linear(const std::string& name, int n, int k) {
    add(name + ".weight", {n, k}, 1.0f / std::sqrt(static_cast<float>(k)));
    if (name.find("k_proj") == std::string::npos) add(name + ".bias", {n}, 0.1f);
  }
  void write_weights() {
    const std::string tower = "audio_tower.";
    add(tower + "conv1.weight", {kWidth, kBins, 3}, 0.3f);
    add(tower + "conv1.bias", {kWidth}, 0.1f);
    add(tower + "conv2.weight", {kWidth, kWidth, 3}, 0.3f);
    add(tower + "conv2.bias", {kWidth}, 0.1f);
    add(tower + "embed_positions.weight", {kWindow / 2, kWidth}, 0.5f);
    for (int layer = 0; layer < kLayers; ++layer) {
      const std::string at = tower + "layers." + std::to_string(layer) + ".";
      for (const char* name : {"q_proj", "k_proj", "v_proj", "out_proj"}) add_linear(at + "self_attn." + name, kWidth, kWidth);
      add_linear(at + "fc1", kFfn, kWidth);
      add_linear(at + "fc2", kWidth, kFfn);
      for (const char* name : {"self_attn_layer_norm", "final_layer_norm"}) add_norm(at + name);
    }
    add_norm(tower + "layer_norm");
    add_linear("multi_modal_projector.linear", kText, kWidth);
    add("language_model.model.embed_tokens.weight", {2, kText}, 1.0f);
    add("language_model.model.norm.weight", {kText}, 0.1f, 1.0f);
    write_safetensors(dir_.file("model.safetensors"), weights_);
  }
  void add_norm(const std::string& name) {
    add(name + ".weight", {kWidth}, 0.1f, 1.0f);
    add(name + ".bias", {kWidth}, 0.1f);
  }

  // A clip of `frames` valid frames: noise, or quiet noise with a click on its very last sample (which only the two frames
  // after the valid ones hear in full, and which then sets the floor of the whole log-mel), or a tone that stops hard.
  Values clip(int frames) {
    const std::size_t n = static_cast<std::size_t>(160 * frames - frames * 7 % 160);
    Values samples(n);
    const float loudness = frames % 3 == 1 ? 1e-4f : 0.1f;
    for (std::size_t i = 0; i < n; ++i)
      samples[i] =
          frames % 3 == 2 ? 0.5f * std::sin(0.05f * static_cast<float>(i)) : loudness * static_cast<float>(random_.normal());
    if (frames % 3 == 1) samples.back() = 1.0f;
    return samples;
  }

  const ScratchDir dir_;
  Random random_{3};
  std::vector<TensorOut> weights_;
  TensorStore store_;
};

std::vector<int> frame_counts() {
  std::vector<int> counts;
  const bool all = std::getenv("AREASON_EXHAUSTIVE") != nullptr;  // every count takes a minute; the default is a dense sample
  for (int f = 3; f <= kWindow; ++f)
    if (all || f < 40 || f > kWindow - 12 || f % 97 == 0) counts.push_back(f);
  return counts;
}

TEST_F(EncoderTest, UnpaddedEqualsPaddedForEveryNumberOfFrames) {
  LogMelConfig config;
  config.bins = kBins;
  const LogMelExtractor extractor(config);
  Qwen2Audio model = Qwen2Audio::load(dir_.path(), 1);
  PaddedEncoder padded(store_);
  float worst = 0.0f;
  for (const int frames : frame_counts()) {
    Values samples = clip(frames);
    const LogMel mel = extractor.compute(samples);
    ASSERT_EQ(mel.valid_frames, frames);
    const Values got = model.encode_audio(mel).data;
    samples.resize(static_cast<std::size_t>(kWindow) * 160);
    const Values want = padded.run(extractor.compute(samples), frames);
    ASSERT_EQ(got.size(), want.size()) << frames << " frames";
    for (std::size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::fabs(got[i] - want[i]));
    // The issue's tolerance; values are of size 1, both sides sum in f32.
    ASSERT_LT(worst, 1e-4f) << frames << " frames";
  }
  std::printf("  %zu numbers of frames, largest difference %.1e\n", frame_counts().size(), static_cast<double>(worst));
}

// Up to 320 samples no token, up to 960 one, then by the formula (design decision 3).
TEST_F(EncoderTest, TokensOfVeryShortClips) {
  LogMelConfig config;
  config.bins = kBins;
  const LogMelExtractor extractor(config);
  Qwen2Audio model = Qwen2Audio::load(dir_.path(), 1);
  for (int samples = 0; samples <= 1280; samples += 40) {
    const LogMel mel = extractor.compute(Values(static_cast<std::size_t>(samples), 0.1f));
    const AudioEmbeddings got = model.encode_audio(mel);
    const int want = samples <= 320 ? 0 : samples <= 960 ? 1 : 2;
    EXPECT_EQ(got.tokens, want) << samples << " samples";
    EXPECT_EQ(got.data.size(), static_cast<std::size_t>(want * kText));
    for (const float v : got.data) EXPECT_TRUE(std::isfinite(v));
  }
}

}  // namespace
}  // namespace areason
