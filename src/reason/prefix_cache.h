#pragma once
// The keys and values of one sequence together with what each position holds, so that the next prompt computes only what is
// new: the next turn, the next question on the same clip, the same system prompt. Called by the session. Thread rule: one
// thread.
#include <cstdint>
#include <span>
#include <vector>

#include "chat/prompt.h"
#include "model/qwen2_audio.h"

namespace areason {

class PrefixCache {
 public:
  // Forgets everything behind the common prefix with `prompt`; at least its last token is left to compute. Returns the length.
  // `uids[i]` names the content of prompt.audio[i].
  int reuse(const Prompt& prompt, std::span<const std::uint64_t> uids);
  // Feeds the prompt from length() on, then `more`, and returns the logits after the last token.
  std::vector<float> feed(Qwen2Audio& model, const Prompt& prompt, std::span<const AudioEmbeddings* const> audio,
                          std::span<const int> more);
  std::vector<float> feed(Qwen2Audio& model, std::span<const int> ids);
  int length() const { return cache_.length(); }
  void clear();

 private:
  KvCache cache_;
  std::vector<std::uint64_t> keys_;         // of the positions in the cache
  std::vector<std::uint64_t> prompt_keys_;  // of the prompt given to reuse()
};

}  // namespace areason
