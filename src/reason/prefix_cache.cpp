#include "reason/prefix_cache.h"

#include <algorithm>

namespace areason {
namespace {
// Keys of audio positions lie above all token ids.
constexpr std::uint64_t kAudioKey = std::uint64_t{1} << 40;
}  // namespace

int PrefixCache::reuse(const Prompt& prompt, std::span<const std::uint64_t> uids) {
  prompt_keys_.assign(prompt.ids.begin(), prompt.ids.end());
  for (std::size_t i = 0; i < prompt.audio.size(); ++i) {
    const TokenSpan span = prompt.audio[i];
    std::fill_n(prompt_keys_.begin() + span.begin, span.count, kAudioKey + uids[i]);
  }
  const auto kept = std::min(keys_.size(), static_cast<std::size_t>(cache_.length()));
  const auto limit = std::min(kept, prompt_keys_.size() - 1);
  std::size_t common = 0;
  while (common < limit && keys_[common] == prompt_keys_[common]) ++common;
  keys_.resize(common);
  cache_.truncate(static_cast<int>(common));
  return static_cast<int>(common);
}

std::vector<float> PrefixCache::feed(Qwen2Audio& model, const Prompt& prompt, std::span<const AudioEmbeddings* const> audio,
                                     std::span<const int> more) {
  const int done = length();
  std::vector<int> ids(prompt.ids.begin() + done, prompt.ids.end());
  ids.insert(ids.end(), more.begin(), more.end());
  std::vector<AudioInsert> inserts;
  for (std::size_t i = 0; i < audio.size(); ++i) {
    if (prompt.audio[i].begin >= done) inserts.push_back({prompt.audio[i].begin - done, audio[i]});
  }
  std::vector<float> logits = model.forward(ids, inserts, cache_, Logits::kLast);
  keys_ = prompt_keys_;
  keys_.insert(keys_.end(), more.begin(), more.end());
  return logits;
}

std::vector<float> PrefixCache::feed(Qwen2Audio& model, std::span<const int> ids) {
  std::vector<float> logits = model.forward(ids, {}, cache_, Logits::kLast);
  keys_.insert(keys_.end(), ids.begin(), ids.end());
  return logits;
}

void PrefixCache::clear() {
  cache_.truncate(0);
  keys_.clear();
}

}  // namespace areason
