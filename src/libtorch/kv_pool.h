#pragma once
// Keys and values of all sequences on the device: for each layer one tensor of keys and one of values, in blocks of 32
// positions that sequences share by reference counts; allocated ahead and grown by half when they are full. Called by the
// decoder and torch_model.cpp. Thread rule: as the model's.
#include <cstdint>
#include <memory>
#include <set>
#include <vector>

#include "libtorch/load.h"
#include "libtorch/place.h"

namespace areason::libtorch {

class KvPool : public std::enable_shared_from_this<KvPool> {
 public:
  static constexpr int kBlock = kBlockPositions;
  // The index of a block; the block is free again when nobody holds it.
  using Block = std::shared_ptr<const std::int64_t>;

  KvPool(const DecoderConfig& config, const Place& place) : config_(config), place_(place) {}

  // A block of zeros.
  Block take();
  // A block whose first positions are those of `other`.
  Block copy(const Block& other);
  // [blocks][32][kv_heads][head_dim]
  const at::Tensor& keys(std::size_t layer) const { return keys_[layer]; }
  const at::Tensor& values(std::size_t layer) const { return values_[layer]; }
  std::size_t block_bytes() const;
  KvMemory memory() const;

 private:
  void grow();

  DecoderConfig config_;
  Place place_;
  std::vector<at::Tensor> keys_, values_;
  std::int64_t blocks_ = 0, untouched_ = 0;  // all; from here on never used
  std::set<std::int64_t> free_;              // used before; the lowest go first, so that sequences lie together
  std::int64_t live_ = 0, peak_ = 0;
};

// A sequence's blocks.
struct BlockKv final : KvSequence {
  explicit BlockKv(std::shared_ptr<KvPool> of) : pool(std::move(of)) {}
  std::unique_ptr<KvSequence> clone() const override { return std::make_unique<BlockKv>(*this); }
  void truncate(int new_length) override;
  std::vector<std::string_view> pages() const override { return {}; }  // they are on the device
  // Makes room for `rows` more positions: new blocks, and an own copy of the last one where others share it.
  void grow(int rows);

  std::shared_ptr<KvPool> pool;
  std::vector<KvPool::Block> blocks;
};

}  // namespace areason::libtorch
