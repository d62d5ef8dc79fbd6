#pragma once
// Which tokens of a vocabulary may follow in a state of the chain automaton: a token is allowed when the automaton takes all
// its bytes, so tokens that straddle the border of a tag are admitted. Masks are computed once per state (about 1 ms for
// 156,032 tokens, nearly all of which are plain text) and kept. Called by the guide and the sampler. Thread rule: one thread;
// the tokenizer must outlive the vocabulary.
#include <bit>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "cot/automaton.h"
#include "text/tokenizer.h"

namespace areason {

class TokenMask {
 public:
  explicit TokenMask(int size = 0) : words_(static_cast<std::size_t>(size + 63) / 64) {}
  void allow(int id) { words_[static_cast<std::size_t>(id) / 64] |= std::uint64_t{1} << (id % 64); }
  bool allows(int id) const {
    const auto word = static_cast<std::size_t>(id) / 64;
    return id >= 0 && word < words_.size() && (words_[word] >> (id % 64) & 1) != 0;
  }
  bool none() const {
    for (const std::uint64_t word : words_) {
      if (word != 0) return false;
    }
    return true;
  }
  template <typename F>
  void for_each(F&& f) const {
    for (std::size_t w = 0; w < words_.size(); ++w) {
      for (std::uint64_t rest = words_[w]; rest != 0; rest &= rest - 1) f(static_cast<int>(w * 64) + std::countr_zero(rest));
    }
  }

 private:
  std::vector<std::uint64_t> words_;
};

// The tokens of a tokenizer, indexed for mask computation. Special tokens and ids without bytes are never allowed.
class MaskVocabulary {
 public:
  explicit MaskVocabulary(const Tokenizer& tokenizer);
  TokenMask compute(const ChainAutomaton& automaton, const ChainState& state) const;
  const Tokenizer& tokenizer() const { return *tokenizer_; }

 private:
  bool accepts(const ChainAutomaton& automaton, ChainState state, TokenId id) const;

  const Tokenizer* tokenizer_;
  std::vector<TokenId> text_ids_;               // all usable tokens
  std::vector<std::int32_t> last_angle_;        // per id: index of the last '<' in its bytes, or -1
  std::vector<std::vector<TokenId>> by_first_;  // usable tokens by their first byte
};

// Masks of one automaton, by state.
class MaskCache {
 public:
  MaskCache(const MaskVocabulary& vocabulary, const ChainAutomaton& automaton)
      : vocabulary_(&vocabulary), automaton_(&automaton) {}
  const TokenMask& at(const ChainState& state);

 private:
  const MaskVocabulary* vocabulary_;
  const ChainAutomaton* automaton_;
  std::unordered_map<std::uint32_t, TokenMask> masks_;
};

}  // namespace areason
