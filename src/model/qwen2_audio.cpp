#include "model/qwen2_audio.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "kernels/kernel_table.h"
#include "model/decoder.h"
#include "model/encoder.h"
#include "model/kv_cache.h"
#include "model/weights.h"

namespace areason {
namespace {

// Positions computed at once: bounds the scratch memory of a long prompt and is far more than a core needs to be busy.
constexpr int kChunk = 1024;

}  // namespace

KvCache::KvCache() : data_(std::make_unique<Data>()) {}
KvCache::~KvCache() = default;
KvCache::KvCache(KvCache&&) noexcept = default;
KvCache& KvCache::operator=(KvCache&&) noexcept = default;

KvCache KvCache::clone() const {
  KvCache copy;
  *copy.data_ = *data_;
  copy.truncate(length());
  return copy;
}

int KvCache::length() const { return data_->length; }

void KvCache::truncate(int length) {
  data_->length = std::clamp(length, 0, data_->length);
  for (auto& layer : data_->layers) {
    layer.k.resize(std::min(layer.k.size(), static_cast<std::size_t>(data_->length) * data_->width));
    layer.v.resize(layer.k.size());
  }
}

struct Qwen2Audio::Impl {
  Impl(const std::string& model_dir, int threads)
      : config(load_model_config(model_dir)),
        weights(load_weights(model_dir, config)),
        pool(threads),
        context{pool, active_kernels()},
        decoder(context, weights->decoder, config.text) {}

  void check(std::span<const int> ids, std::span<const AudioInsert> audio, int cached) const;
  void embed(std::span<const int> ids, std::span<const AudioInsert> audio, int from, std::vector<float>& h) const;

  ModelConfig config;
  std::unique_ptr<ModelWeights> weights;
  ThreadPool pool;
  KernelContext context;
  Decoder decoder;
};

void Qwen2Audio::Impl::check(std::span<const int> ids, std::span<const AudioInsert> audio, int cached) const {
  const auto limit = static_cast<std::size_t>(config.text.max_positions);
  if (ids.size() > limit - std::min(limit, static_cast<std::size_t>(cached)))
    throw Error(ErrorCode::kInput,
                "the prompt needs " + std::to_string(static_cast<std::size_t>(cached) + ids.size()) +
                    " positions, the model's context has " + std::to_string(config.text.max_positions),
                "use fewer or shorter clips, or a shorter text");
  for (const int id : ids)
    if (id < 0 || id >= config.text.vocab_size)
      throw Error(
          ErrorCode::kModel,
          "token id " + std::to_string(id) + " is outside the model's vocabulary of " + std::to_string(config.text.vocab_size),
          "the tokenizer files belong to another checkpoint");
  for (const auto& insert : audio) {
    const bool fits = insert.audio != nullptr && insert.begin >= 0 && insert.audio->tokens >= 0 &&
                      static_cast<std::size_t>(insert.begin) + static_cast<std::size_t>(insert.audio->tokens) <= ids.size() &&
                      insert.audio->data.size() ==
                          static_cast<std::size_t>(insert.audio->tokens) * static_cast<std::size_t>(config.text.width);
    if (!fits) throw Error(ErrorCode::kFailure, "audio embeddings do not fit the prompt", "this is a bug: please report it");
  }
}

// Embeddings of ids [from, from + rows of h), audio in place of its tokens.
void Qwen2Audio::Impl::embed(std::span<const int> ids, std::span<const AudioInsert> audio, int from,
                             std::vector<float>& h) const {
  const auto width = static_cast<std::size_t>(config.text.width);
  const int rows = static_cast<int>(h.size() / width);
  for (int r = 0; r < rows; ++r)
    weights->decoder.embedding.read_row(ids[static_cast<std::size_t>(from + r)],
                                        h.data() + static_cast<std::size_t>(r) * width);
  for (const auto& insert : audio) {
    const int begin = std::max(from, insert.begin), end = std::min(from + rows, insert.begin + insert.audio->tokens);
    if (begin >= end) continue;
    const float* source = insert.audio->data.data() + static_cast<std::size_t>(begin - insert.begin) * width;
    std::copy(source, source + static_cast<std::size_t>(end - begin) * width,
              h.data() + static_cast<std::size_t>(begin - from) * width);
  }
}

Qwen2Audio::Qwen2Audio(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Qwen2Audio::~Qwen2Audio() = default;
Qwen2Audio::Qwen2Audio(Qwen2Audio&&) noexcept = default;
Qwen2Audio& Qwen2Audio::operator=(Qwen2Audio&&) noexcept = default;

Qwen2Audio Qwen2Audio::load(const std::string& model_dir, int threads) {
  return Qwen2Audio(std::make_unique<Impl>(model_dir, threads));
}

const ModelConfig& Qwen2Audio::config() const { return impl_->config; }

AudioEmbeddings Qwen2Audio::encode_audio(const LogMel& mel) {
  return run_encoder(impl_->context, impl_->weights->encoder, impl_->config.audio, mel);
}

std::vector<float> Qwen2Audio::forward(std::span<const int> ids, std::span<const AudioInsert> audio, KvCache& cache,
                                       Logits logits) {
  impl_->check(ids, audio, cache.length());
  const auto width = static_cast<std::size_t>(impl_->config.text.width),
             vocabulary = static_cast<std::size_t>(impl_->config.text.vocab_size);
  std::vector<float> out;
  if (ids.empty()) return out;
  out.resize(logits == Logits::kAll ? ids.size() * vocabulary : vocabulary);
  const int total = static_cast<int>(ids.size());
  std::vector<float> h;
  for (int from = 0; from < total; from += kChunk) {
    const int rows = std::min(kChunk, total - from);
    h.resize(static_cast<std::size_t>(rows) * width);
    impl_->embed(ids, audio, from, h);
    impl_->decoder.run(h, rows, cache.data());
    if (logits == Logits::kAll)
      impl_->decoder.logits(h.data(), rows, out.data() + static_cast<std::size_t>(from) * vocabulary);
    else if (from + rows == total)
      impl_->decoder.logits(h.data() + static_cast<std::size_t>(rows - 1) * width, 1, out.data());
  }
  return out;
}

}  // namespace areason
