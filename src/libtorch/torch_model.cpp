#include "libtorch/torch_model.h"

#include "base/error.h"
#include "base/thread_pool.h"

namespace areason::libtorch {

TorchModel::TorchModel(const std::string& model, const Place& place)
    : config_(load_model_config(model)),
      place_(place),
      weights_(load_weights(model, config_)),
      encoder_(config_.audio, encoder_tensors(weights_->encoder, place), place),
      decoder_(config_.text, decoder_tensors(weights_->decoder, place), place),
      pool_(std::make_shared<KvPool>(config_.text, place)) {}

std::vector<AudioEmbeddings> TorchModel::encode_windows(std::span<const LogMel* const> mels) {
  return guarded([&] {
    std::vector<AudioEmbeddings> out;
    for (const LogMel* mel : mels) out.push_back(encoder_.run(*mel));
    return out;
  });
}

void TorchModel::adopt(KvCache& cache) const {
  const auto* own = dynamic_cast<const BlockKv*>(cache.sequence());
  if (cache.length() == 0) {
    cache = KvCache(std::make_unique<BlockKv>(pool_));
  } else if (own == nullptr || own->pool != pool_) {
    throw Error(ErrorCode::kFailure, "a cache of another model was given", "this is a bug: please report it");
  }
}

std::vector<float> TorchModel::forward_batch(std::span<const BatchItem> items) {
  check_items(config_, items);
  std::size_t rows = 0;
  for (const BatchItem& item : items) {
    adopt(*item.cache);
    rows += item.ids.size();
  }
  if (rows == 0) return {};
  const auto set_back = [&] {
    for (const BatchItem& item : items) item.cache->truncate(item.cache->length());
  };
  return guarded([&] {
    try {
      for (const BatchItem& item : items)
        static_cast<BlockKv*>(item.cache->sequence())->grow(static_cast<int>(item.ids.size()));
      const at::Tensor logits = decoder_.run(items, *pool_);
      for (const BatchItem& item : items) item.cache->sequence()->length += static_cast<int>(item.ids.size());
      const float* first = logits.data_ptr<float>();
      return std::vector<float>(first, first + logits.numel());
    } catch (...) {
      set_back();  // gives back the blocks that nothing was written to
      throw;
    }
  });
}

KvType TorchModel::kv_type() const {
  return place_.dtype == at::kFloat ? KvType::kF32 : place_.dtype == at::kHalf ? KvType::kF16 : KvType::kBF16;
}

KvCache TorchModel::restore_cache(std::span<const std::byte>, int) const {
  throw Error(ErrorCode::kUsage, "the torch backend keeps no keys and values in files", "use --backend native");
}

std::unique_ptr<ModelBackend> load_torch_model(const std::string& model, const TorchOptions& options) {
  return guarded([&]() -> std::unique_ptr<ModelBackend> {
    const Place place = open_place(options.device, options.dtype);
    at::set_num_threads(options.threads > 0 ? options.threads : available_cores());
    return std::make_unique<TorchModel>(model, place);
  });
}

}  // namespace areason::libtorch
