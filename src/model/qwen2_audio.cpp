#include "model/qwen2_audio.h"

#include <algorithm>
#include <iterator>
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
constexpr int kChunk = 512;
// A position whose keys and values take no more than this in f32 is kept in f32.
constexpr std::size_t kSmallPosition = 64 << 10;

// Rows for which a pass gives each of them the same bits (linear.h): integer products are exact for any number; f32 sums have
// another order where weights are packed.
int find_invariant_rows(const DecoderWeights& weights) {
  const auto exact = [](const Matrix& matrix) { return is_quantized(matrix.type); };
  bool all = exact(weights.head);
  for (const DecoderLayer& layer : weights.layers)
    for (const Matrix* matrix : {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down})
      all = all && exact(*matrix);
  return all ? kChunk : kStreamedRows;
}

// A part of an item that goes through the decoder in one pass.
struct BatchPart {
  const BatchItem* item;
  int from;
  int rows;
};

// Passes of at most kChunk rows. An item's parts do not depend on the other items but where a pass is full.
std::vector<std::vector<BatchPart>> split_passes(std::span<const BatchItem> items) {
  std::vector<std::vector<BatchPart>> passes;
  int room = 0;
  for (const BatchItem& item : items) {
    const int total = static_cast<int>(item.ids.size());
    for (int from = 0; from < total;) {
      if (room == 0) {
        passes.emplace_back();
        room = kChunk;
      }
      const int rows = std::min(room, total - from);
      passes.back().push_back({&item, from, rows});
      from += rows;
      room -= rows;
    }
  }
  return passes;
}

}  // namespace

struct Qwen2Audio::Impl {
  Impl(const std::string& model_dir, int threads)
      : config(load_model_config(model_dir)),
        weights(load_weights(model_dir, config)),
        pool(threads),
        context{pool, active_kernels()},
        decoder(context, weights->decoder, config.text),
        invariant_rows(find_invariant_rows(weights->decoder)) {
    set_kv_type(KvType::kF32);
    if (kv->page_bytes() > kSmallPosition * kPagePositions) set_kv_type(KvType::kF16);
  }

  void set_kv_type(KvType type) {
    const DecoderConfig& text = config.text;
    kv = std::make_shared<KvPages>(PageShape{type, text.heads, text.kv_heads, text.head_dim}, text.layers);
  }
  void adopt(KvCache& cache) const;
  void embed(std::span<const int> ids, std::span<const AudioInsert> audio, int from, std::span<float> h) const;

  void run_pass(std::span<const BatchPart> parts, std::vector<float>& out);

  ModelConfig config;
  std::unique_ptr<ModelWeights> weights;
  ThreadPool pool;
  KernelContext context;
  Decoder decoder;
  int invariant_rows;
  std::shared_ptr<KvPages> kv;
  std::vector<float> hidden;  // [rows of a pass][width]
};

// Embeddings of ids [from, from + rows of h), audio in place of its tokens.
void Qwen2Audio::Impl::embed(std::span<const int> ids, std::span<const AudioInsert> audio, int from, std::span<float> h) const {
  const auto width = static_cast<std::size_t>(config.text.width);
  const int rows = static_cast<int>(h.size() / width);
  for (int r = 0; r < rows; ++r)
    weights->decoder.embedding.read_row(ids[static_cast<std::size_t>(from + r)],
                                        h.data() + static_cast<std::size_t>(r) * width);
  for (const auto& insert : audio) {
    const int begin = std::max(from, insert.begin), end = std::min(from + rows, insert.begin + insert.rows());
    if (begin >= end) continue;
    const float* source = insert.audio->data.data() + static_cast<std::size_t>(begin - insert.begin + insert.from) * width;
    std::copy(source, source + static_cast<std::size_t>(end - begin) * width,
              h.data() + static_cast<std::size_t>(begin - from) * width);
  }
}

// An empty cache becomes one of this model; the type of the pages may have changed since it was filled last.
void Qwen2Audio::Impl::adopt(KvCache& cache) const {
  if (cache.length() == 0) {
    cache = KvCache(std::make_unique<PagedKv>(kv));
  } else if (dynamic_cast<PagedKv*>(cache.sequence()) == nullptr) {
    throw Error(ErrorCode::kFailure, "a cache of another model was given", "this is a bug: please report it");
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

// A whole window alone keeps the cores busy; more of them in a pass would only take more memory.
std::vector<AudioEmbeddings> Qwen2Audio::encode_windows(std::span<const LogMel* const> mels) {
  const int most = 2 * impl_->config.audio.max_positions;
  std::vector<AudioEmbeddings> out;
  for (std::size_t from = 0; from < mels.size();) {
    std::size_t to = from;
    int frames = 0;
    do {
      frames += mels[to++]->valid_frames;
    } while (to < mels.size() && frames + mels[to]->valid_frames <= most);
    auto pass = run_encoder(impl_->context, impl_->weights->encoder, impl_->config.audio, mels.subspan(from, to - from));
    std::move(pass.begin(), pass.end(), std::back_inserter(out));
    from = to;
  }
  return out;
}

// Runs one pass; appends to `out` the logits that are wanted of its rows.
void Qwen2Audio::Impl::run_pass(std::span<const BatchPart> parts, std::vector<float>& out) {
  const auto width = static_cast<std::size_t>(config.text.width);
  std::vector<Decoder::Segment> segments;
  std::size_t rows = 0;
  for (const BatchPart& part : parts) rows += static_cast<std::size_t>(part.rows);
  hidden.resize(rows * width);
  std::size_t at = 0;
  for (const BatchPart& part : parts) {
    const std::size_t count = static_cast<std::size_t>(part.rows) * width;
    embed(part.item->ids, part.item->audio, part.from, std::span(hidden).subspan(at, count));
    segments.push_back({static_cast<PagedKv*>(part.item->cache->sequence()), part.rows});
    at += count;
  }
  decoder.run(hidden, segments);
  // The rows whose logits are wanted move to the front.
  std::size_t wanted = 0, row = 0;
  for (const BatchPart& part : parts) {
    const int first = std::max(part.from, static_cast<int>(part.item->ids.size()) - part.item->logits);
    for (int r = 0; r < part.rows; ++r, ++row) {
      if (part.from + r < first) continue;
      std::copy_n(hidden.data() + row * width, width, hidden.data() + wanted++ * width);
    }
  }
  if (wanted == 0) return;
  const std::size_t before = out.size();
  out.resize(before + wanted * static_cast<std::size_t>(config.text.vocab_size));
  decoder.logits(hidden.data(), static_cast<int>(wanted), out.data() + before);
}

std::vector<float> Qwen2Audio::forward_batch(std::span<const BatchItem> items) {
  check_items(impl_->config, items);
  for (const BatchItem& item : items) impl_->adopt(*item.cache);
  std::vector<int> lengths;
  for (const BatchItem& item : items) lengths.push_back(item.cache->length());
  std::vector<float> out;
  try {
    for (const auto& pass : split_passes(items)) impl_->run_pass(pass, out);
  } catch (...) {
    for (std::size_t i = 0; i < items.size(); ++i) items[i].cache->truncate(lengths[i]);
    throw;
  }
  return out;
}

int Qwen2Audio::invariant_rows() const { return impl_->invariant_rows; }

void Qwen2Audio::set_kv_type(KvType type) { impl_->set_kv_type(type); }
KvType Qwen2Audio::kv_type() const { return impl_->kv->shape().type; }
std::size_t Qwen2Audio::kv_page_bytes() const { return impl_->kv->page_bytes(); }
KvMemory Qwen2Audio::kv_memory() const { return impl_->kv->memory(); }

KvCache Qwen2Audio::restore_cache(std::span<const std::byte> pages, int length) const {
  const std::size_t page_bytes = impl_->kv->page_bytes();
  if (length < 0 || length > impl_->config.text.max_positions ||
      pages.size() != static_cast<std::size_t>((length + kPagePositions - 1) / kPagePositions) * page_bytes)
    throw Error(ErrorCode::kInput, "the stored keys and values do not fit the model", "delete them");
  auto out = std::make_unique<PagedKv>(impl_->kv);
  out->grow(length);
  for (std::size_t i = 0; i < out->held.size(); ++i) std::copy_n(pages.data() + i * page_bytes, page_bytes, out->addresses[i]);
  out->length = length;
  return KvCache(std::move(out));
}

}  // namespace areason
