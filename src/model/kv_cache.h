#pragma once
// The inside of the native model's KvCache (backend.h): pages of 32 positions, each holding all layers (layout of a layer:
// kernels/paged_attention.h), counted by reference, so that sequences share the pages of a common beginning. Internal to
// src/model. Thread rule: as the model's; pages may be released on any thread.
#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "kernels/paged_attention.h"
#include "model/backend.h"

namespace areason {

// What a page of a model looks like, and how much memory pages take now and took at most.
class KvPages : public std::enable_shared_from_this<KvPages> {
 public:
  KvPages(const PageShape& shape, int layers) : shape_(shape), layers_(layers) {}

  const PageShape& shape() const { return shape_; }
  int layers() const { return layers_; }
  std::size_t layer_bytes() const { return shape_.bytes(); }
  std::size_t page_bytes() const { return static_cast<std::size_t>(layers_) * shape_.bytes(); }
  // A page of zeros. Throws Error(kFailure) when there is no memory.
  std::shared_ptr<std::byte> make();
  // A page whose first `positions` positions are those of `other`.
  std::shared_ptr<std::byte> copy(const std::byte* other, int positions);
  KvMemory memory() const { return {live_.load(), peak_.load()}; }

 private:
  PageShape shape_;
  int layers_;
  std::atomic<std::size_t> live_ = 0, peak_ = 0;
};

struct PagedKv final : KvSequence {
  explicit PagedKv(std::shared_ptr<KvPages> pages_of) : pool(std::move(pages_of)) {}
  std::unique_ptr<KvSequence> clone() const override { return std::make_unique<PagedKv>(*this); }
  void truncate(int new_length) override;
  std::vector<std::string_view> pages() const override;
  // Makes room for `rows` more positions: new pages, and an own copy of the last one where others share it.
  void grow(int rows);

  std::shared_ptr<KvPages> pool;
  std::vector<std::shared_ptr<std::byte>> held;
  std::vector<std::byte*> addresses;  // of the pages held, for the kernels
};

}  // namespace areason
