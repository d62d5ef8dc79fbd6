#pragma once
// Drafts for speculative decoding: what followed the last time the text ended in the same tokens. Nothing is believed: the
// engine checks every drafted token with the model, so drafts change the speed and never the answer. Called by the engine.
// Thread rule: one thread.
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

namespace areason {

class NgramDrafts {
 public:
  // The text goes on with `ids`.
  void append(std::span<const int> ids);
  // The next ids will not be taken for a continuation of the ones before.
  void begin_text();
  // Up to `count` ids that followed where the text last ended like `text` (its last 4 or 3 ids); empty when it never did.
  std::vector<int> propose(std::span<const int> text, int count) const;
  void clear();
  std::size_t size() const { return ids_.size(); }

 private:
  static constexpr int kLongest = 4, kShortest = 3;
  std::vector<int> ids_;
  std::size_t begin_ = 0;                                    // of the current text
  std::unordered_map<std::uint64_t, std::size_t> follower_;  // n-gram -> index of the id after its latest occurrence
};

}  // namespace areason
