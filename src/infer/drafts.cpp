#include "infer/drafts.h"

#include <algorithm>

namespace areason {
namespace {

constexpr int kBreak = -1;  // between texts

std::uint64_t key_of(const int* last, int n) {
  std::uint64_t key = static_cast<std::uint64_t>(n);
  for (int i = n; i > 0; --i)
    key = (key ^ static_cast<std::uint32_t>(last[-i])) * 0x9e3779b97f4a7c15u;  // a collision drafts nonsense
  return key;
}

}  // namespace

void NgramDrafts::append(std::span<const int> ids) {
  for (const int id : ids) {
    // The n-grams that end before `id` have a follower now.
    for (int n = kShortest; n <= kLongest; ++n) {
      if (ids_.size() - begin_ < static_cast<std::size_t>(n)) break;
      follower_[key_of(ids_.data() + ids_.size(), n)] = ids_.size();
    }
    ids_.push_back(id);
  }
}

void NgramDrafts::begin_text() {
  if (ids_.size() == begin_) return;
  ids_.push_back(kBreak);
  begin_ = ids_.size();
}

std::vector<int> NgramDrafts::propose(std::span<const int> text, int count) const {
  for (int n = kLongest; n >= kShortest && count > 0; --n) {
    if (text.size() < static_cast<std::size_t>(n)) continue;
    const auto found = follower_.find(key_of(text.data() + text.size(), n));
    if (found == follower_.end()) continue;
    std::vector<int> out;
    for (std::size_t i = found->second; i < ids_.size() && static_cast<int>(out.size()) < count && ids_[i] != kBreak; ++i)
      out.push_back(ids_[i]);
    return out;
  }
  return {};
}

void NgramDrafts::clear() {
  ids_.clear();
  follower_.clear();
  begin_ = 0;
}

}  // namespace areason
