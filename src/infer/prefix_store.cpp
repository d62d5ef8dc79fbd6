#include "infer/prefix_store.h"

#include <algorithm>

namespace areason {
namespace {

std::size_t common_prefix(std::span<const std::uint64_t> a, std::span<const std::uint64_t> b) {
  const auto [end, ignored] =
      std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(std::min(a.size(), b.size())), b.begin());
  return static_cast<std::size_t>(end - a.begin());
}

}  // namespace

PrefixStore::Entry* PrefixStore::best(std::span<const std::uint64_t> keys, std::size_t& common) {
  common = 0;
  auto found = entries_.end();
  for (auto it = entries_.begin(); it != entries_.end(); ++it) {
    const std::size_t length = common_prefix(keys, it->keys);
    if (length > common) common = length, found = it;
  }
  if (found == entries_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found);
  return &entries_.front();
}

int PrefixStore::common_length(std::span<const std::uint64_t> keys) const {
  std::size_t longest = 0;
  for (const Entry& entry : entries_) longest = std::max(longest, common_prefix(keys, entry.keys));
  return static_cast<int>(longest);
}

KvCache PrefixStore::find(std::span<const std::uint64_t> keys) {
  std::size_t common = 0;
  const Entry* entry = keys.empty() ? nullptr : best(keys.first(keys.size() - 1), common);
  if (entry == nullptr) return {};
  KvCache out = entry->cache.clone();
  out.truncate(static_cast<int>(common));
  return out;
}

std::optional<PrefixStore::Whole> PrefixStore::find_whole(std::span<const std::uint64_t> keys) {
  for (auto it = entries_.begin(); it != entries_.end(); ++it) {
    if (it->logits.empty() || !std::ranges::equal(it->keys, keys)) continue;
    entries_.splice(entries_.begin(), entries_, it);
    return Whole{it->cache.clone(), it->logits};
  }
  return std::nullopt;
}

void PrefixStore::keep(PositionKeys keys, const KvCache& cache, std::vector<float> logits) {
  keys.resize(std::min(keys.size(), static_cast<std::size_t>(cache.length())));
  if (keys.empty()) return;
  // What the new entry holds as well is not needed twice; logits are kept for the next sample of a question.
  std::erase_if(entries_, [&](const Entry& entry) {
    const bool contained = common_prefix(entry.keys, keys) == entry.keys.size();
    return contained && (entry.logits.empty() || (entry.keys.size() == keys.size() && !logits.empty()));
  });
  entries_.push_front({std::move(keys), cache.clone(), std::move(logits)});
  while (entries_.size() > limits_.entries) entries_.pop_back();
  while (entries_.size() > 1 && model_->kv_memory().bytes > limits_.bytes) entries_.pop_back();
}

}  // namespace areason
