#pragma once
// Sequences that have been computed, so that the next prompt computes only what is new: the next turn, the next question on
// the same clip, the same system prompt, another sample of the same question. Pages are shared with whoever uses them. Called
// by the engine and by reason (cache on disk). Thread rule: one thread.
#include <cstdint>
#include <list>
#include <optional>
#include <span>
#include <vector>

#include "model/backend.h"

namespace areason {

// What each position of a sequence holds: a token id, or for audio a number that names the audio's content.
using PositionKeys = std::vector<std::uint64_t>;
constexpr std::uint64_t audio_key(std::uint64_t content) { return content | std::uint64_t{1} << 63; }

struct PrefixLimits {
  std::size_t entries = 16;
  std::size_t bytes = std::size_t{1} << 30;  // of keys and values of the model; the latest entry stays whatever it takes
};

class PrefixStore {
 public:
  explicit PrefixStore(const ModelBackend& model, const PrefixLimits& limits = {}) : model_(&model), limits_(limits) {}

  // The longest common beginning with what is kept, without the last position, whose logits somebody wants.
  KvCache find(std::span<const std::uint64_t> keys);
  int common_length(std::span<const std::uint64_t> keys) const;

  struct Whole {
    KvCache cache;
    std::vector<float> logits;
  };
  // All of `keys` with the logits after the last one, where they were kept.
  std::optional<Whole> find_whole(std::span<const std::uint64_t> keys);

  // `keys` may be longer than the cache; the rest is dropped. `logits` may be empty.
  void keep(PositionKeys keys, const KvCache& cache, std::vector<float> logits = {});
  void clear() { entries_.clear(); }

 private:
  struct Entry {
    PositionKeys keys;
    KvCache cache;
    std::vector<float> logits;
  };
  Entry* best(std::span<const std::uint64_t> keys, std::size_t& common);

  const ModelBackend* model_;
  PrefixLimits limits_;
  std::list<Entry> entries_;  // most recently used first
};

}  // namespace areason
