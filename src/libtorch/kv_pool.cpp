#include "libtorch/kv_pool.h"

#include <algorithm>

namespace areason::libtorch {
namespace {

// Positions that are allocated at first: a prompt with a clip and its answer, and on a device several of them.
constexpr std::int64_t kFirstOnCpu = 1024, kFirstOnDevice = 8192;

}  // namespace

std::size_t KvPool::block_bytes() const {
  const auto elements = 2 * static_cast<std::size_t>(config_.layers) * kBlock * static_cast<std::size_t>(config_.kv_heads) *
                        static_cast<std::size_t>(config_.head_dim);
  return elements * c10::elementSize(place_.dtype);
}

KvMemory KvPool::memory() const {
  return {static_cast<std::size_t>(live_) * block_bytes(), static_cast<std::size_t>(peak_) * block_bytes()};
}

// Layer by layer, so that only one layer is there twice.
void KvPool::grow() {
  const std::int64_t first = (place_.device.is_cpu() ? kFirstOnCpu : kFirstOnDevice) / kBlock;
  const std::int64_t wanted = std::max(first, blocks_ + blocks_ / 2);
  const auto larger = [&](at::Tensor& tensor) {
    // Zeros: positions that a mask hides must hold numbers all the same.
    at::Tensor fresh = at::zeros({wanted, kBlock, config_.kv_heads, config_.head_dim}, place_.options());
    if (tensor.defined()) fresh.narrow(0, 0, tensor.size(0)).copy_(tensor);
    tensor = fresh;
  };
  keys_.resize(static_cast<std::size_t>(config_.layers));
  values_.resize(keys_.size());
  for (std::size_t layer = 0; layer < keys_.size(); ++layer) {
    larger(keys_[layer]);
    larger(values_[layer]);
  }
  blocks_ = wanted;
}

KvPool::Block KvPool::take() {
  std::int64_t index = untouched_;
  if (free_.empty()) {
    if (untouched_ == blocks_) grow();
    ++untouched_;
  } else {
    index = *free_.begin();
    free_.erase(free_.begin());
    // An overflow of the sequence before must not reach this one through what its mask hides.
    for (std::size_t layer = 0; layer < keys_.size(); ++layer) {
      keys_[layer].select(0, index).zero_();
      values_[layer].select(0, index).zero_();
    }
  }
  peak_ = std::max(peak_, ++live_);
  return {new std::int64_t(index), [self = shared_from_this()](const std::int64_t* block) {
            self->free_.insert(*block);
            --self->live_;
            delete block;
          }};
}

KvPool::Block KvPool::copy(const Block& other) {
  Block block = take();
  for (std::size_t layer = 0; layer < keys_.size(); ++layer) {
    keys_[layer].select(0, *block).copy_(keys_[layer].select(0, *other));
    values_[layer].select(0, *block).copy_(values_[layer].select(0, *other));
  }
  return block;
}

void BlockKv::grow(int rows) {
  if (rows > 0 && length % KvPool::kBlock != 0 && blocks.back().use_count() > 1) blocks.back() = pool->copy(blocks.back());
  while (static_cast<int>(blocks.size()) * KvPool::kBlock < length + rows) blocks.push_back(pool->take());
}

void BlockKv::truncate(int new_length) {
  length = std::clamp(new_length, 0, length);
  const auto kept = static_cast<std::size_t>((length + KvPool::kBlock - 1) / KvPool::kBlock);
  blocks.resize(std::min(blocks.size(), kept));
}

}  // namespace areason::libtorch
