#pragma once
// Drafts for speculative decoding: what followed when the text last ended in the same tokens. Nothing is believed: the engine
// checks every drafted token with the model, so drafts change the speed and never the answer. A draft goes on while the
// longest known ending had the same follower every time but once at most. Called by the engine. Thread rule: one thread.
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
  void begin_text() { tail_.clear(); }
  // Up to `count` ids that followed where a text ended like `text` before.
  std::vector<int> propose(std::span<const int> text, int count) const;
  void clear();
  std::size_t size() const { return followers_.size(); }

 private:
  static constexpr int kLongest = 6, kShortest = 2;
  struct Follower {
    int id = -1;
    int streak = 0;  // how often in a row
  };
  const Follower* find(std::span<const int> text) const;

  std::vector<int> tail_;                                  // the last kLongest ids of the current text
  std::unordered_map<std::uint64_t, Follower> followers_;  // of n-grams
};

}  // namespace areason
