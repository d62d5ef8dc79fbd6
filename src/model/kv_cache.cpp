#include "model/kv_cache.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/error.h"

namespace areason {
namespace {

constexpr std::size_t kAlignment = 64;  // of a page: a cache line, and the widest vector

int pages_for(int positions) { return (positions + kPagePositions - 1) / kPagePositions; }

}  // namespace

std::shared_ptr<std::byte> KvPages::make() {
  const std::size_t bytes = page_bytes();
  // calloc: large blocks come from the system as zeros, so a page costs memory only as far as it is written.
  void* block = std::calloc(1, bytes + kAlignment);
  if (block == nullptr)
    throw Error(ErrorCode::kFailure, "there is no memory for " + std::to_string(bytes >> 20) + " MiB of keys and values",
                "ask fewer questions at once, or use a shorter clip");
  const std::size_t live = live_ += bytes;
  std::size_t peak = peak_;
  while (peak < live && !peak_.compare_exchange_weak(peak, live)) {
  }
  void* start = block;
  std::size_t room = bytes + kAlignment;
  std::align(kAlignment, bytes, start, room);
  return {static_cast<std::byte*>(start), [self = shared_from_this(), block, bytes](std::byte*) {
            std::free(block);
            self->live_ -= bytes;
          }};
}

std::shared_ptr<std::byte> KvPages::copy(const std::byte* other, int positions) {
  auto page = make();
  const std::size_t element = kv_element_size(shape_.type), used = static_cast<std::size_t>(positions) * element;
  const std::size_t value_bytes = used * static_cast<std::size_t>(shape_.padded());
  std::size_t at = 0;
  for (int layer = 0; layer < layers_; ++layer) {
    for (int i = 0; i < shape_.kv_heads * shape_.head_dim; ++i, at += kPagePositions * element)
      std::memcpy(page.get() + at, other + at, used);
    for (int head = 0; head < shape_.kv_heads; ++head, at += shape_.value_bytes())
      std::memcpy(page.get() + at, other + at, value_bytes);
  }
  return page;
}

void PagedKv::grow(int rows) {
  const int slot = length % kPagePositions;
  if (rows > 0 && slot != 0 && held.back().use_count() > 1) {
    held.back() = pool->copy(held.back().get(), slot);
    addresses.back() = held.back().get();
  }
  for (const int wanted = pages_for(length + rows); static_cast<int>(held.size()) < wanted;) {
    held.push_back(pool->make());
    addresses.push_back(held.back().get());
  }
}

void PagedKv::truncate(int new_length) {
  length = std::clamp(new_length, 0, length);
  const auto kept = static_cast<std::size_t>(pages_for(length));
  held.resize(std::min(held.size(), kept));
  addresses.resize(held.size());
}

std::vector<std::string_view> PagedKv::pages() const {
  std::vector<std::string_view> out;
  for (const auto& page : held) out.emplace_back(reinterpret_cast<const char*>(page.get()), pool->page_bytes());
  return out;
}

}  // namespace areason
