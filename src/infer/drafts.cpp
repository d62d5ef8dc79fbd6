#include "infer/drafts.h"

#include <algorithm>

namespace areason {
namespace {

// Of the last n ids before `end`. Two n-grams with one key would draft nonsense, which the model refuses.
std::uint64_t key_of(const int* end, int n) {
  auto key = static_cast<std::uint64_t>(n);
  for (int i = n; i > 0; --i) {
    key = (key ^ static_cast<std::uint32_t>(end[-i])) * 0x9e3779b97f4a7c15u;
    key ^= key >> 32;
  }
  return key;
}

// A long ending is believed after one sight, a short one when it went on in the same way several times.
bool is_likely(int n, int streak) { return n + 2 * streak >= 6; }

}  // namespace

void NgramDrafts::append(std::span<const int> ids) {
  for (const int id : ids) {
    for (int n = kShortest; n <= std::min(kLongest, static_cast<int>(tail_.size())); ++n) {
      Follower& follower = followers_[key_of(tail_.data() + tail_.size(), n)];
      follower = {id, follower.id == id ? follower.streak + 1 : 1};
    }
    if (tail_.size() == kLongest) tail_.erase(tail_.begin());
    tail_.push_back(id);
  }
}

const NgramDrafts::Follower* NgramDrafts::find(std::span<const int> text) const {
  for (int n = std::min(kLongest, static_cast<int>(text.size())); n >= kShortest; --n) {
    const auto found = followers_.find(key_of(text.data() + text.size(), n));
    if (found != followers_.end()) return is_likely(n, found->second.streak) ? &found->second : nullptr;
  }
  return nullptr;
}

std::vector<int> NgramDrafts::propose(std::span<const int> text, int count) const {
  std::vector<int> ids(text.begin() + static_cast<std::ptrdiff_t>(text.size() - std::min<std::size_t>(text.size(), kLongest)),
                       text.end());
  const std::size_t given = ids.size();
  while (static_cast<int>(ids.size() - given) < count) {
    const Follower* follower = find(ids);
    if (follower == nullptr) break;
    ids.push_back(follower->id);
  }
  ids.erase(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(given));
  return ids;
}

void NgramDrafts::clear() {
  tail_.clear();
  followers_.clear();
}

}  // namespace areason
