#pragma once
// The tables of a byte-level BPE vocabulary and the merging of one word. Called by the tokenizer. Tokens are raw bytes here;
// the byte-level alphabet exists only in files. Thread rule: constant after the last add_*().
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace areason {

inline constexpr TokenId kNoToken = -1;

class BpeModel {
 public:
  // Room for that many tokens and merges; growing later works, slowly.
  void reserve(std::size_t tokens, std::size_t merges);
  // Ids are 0 to kMaxId. Throws Error(kModel) for an id that is taken or out of range.
  void add_token(std::string_view raw, TokenId id);
  // A token that only decodes: its text is not in the byte-level alphabet, so no word can contain it.
  void add_decode_only(std::string_view raw, TokenId id);
  // False when one of the three tokens is not in the vocabulary. Ranks follow the order of the calls.
  bool add_merge(std::string_view left, std::string_view right);
  void set_ignore_merges() { ignore_merges_ = true; }
  // What bytes without a token become; runs of them are one token when `fuse` says so.
  enum class FuseUnknown { kNo, kYes };
  void set_unknown(TokenId id, FuseUnknown fuse);

  TokenId find(std::string_view raw) const;
  std::string_view bytes(TokenId id) const;
  bool has(TokenId id) const { return id >= 0 && static_cast<std::size_t>(id) < spans_.size() && spans_[id].used; }
  int size() const { return static_cast<int>(spans_.size()); }

  // Appends the ids of one pre-token.
  void encode_word(std::string_view word, std::vector<TokenId>& ids) const;

  static constexpr std::int64_t kMaxId = (1 << 22) - 1;  // bounds the tables against a lying file; 27 times Qwen's

 private:
  struct Span {
    std::uint32_t begin = 0;
    std::uint32_t length = 0;
    bool used = false;
  };
  struct Merge {
    std::uint64_t pair = kEmptyPair;
    std::int32_t rank = 0;
    TokenId merged = kNoToken;
  };
  static constexpr std::uint64_t kEmptyPair = ~std::uint64_t{0};

  static std::uint64_t pair_key(TokenId left, TokenId right) {
    return (std::uint64_t{static_cast<std::uint32_t>(left)} << 32) | static_cast<std::uint32_t>(right);
  }
  const Merge* merge_of(TokenId left, TokenId right) const;
  std::size_t token_slot(std::string_view raw) const;
  std::size_t merge_slot(std::uint64_t pair) const;
  void rehash_tokens(std::size_t slots);
  void rehash_merges(std::size_t slots);
  std::vector<TokenId> initial_symbols(std::string_view word) const;
  void merge_short(std::vector<TokenId>& symbols) const;
  void merge_long(std::vector<TokenId>& symbols) const;

  std::string arena_;
  std::vector<Span> spans_;           // by id
  std::vector<TokenId> token_slots_;  // open addressing by bytes, a power of two of slots
  std::size_t token_count_ = 0;
  std::vector<Merge> merge_slots_;  // open addressing by pair
  std::size_t merge_count_ = 0;
  std::int32_t next_rank_ = 0;
  bool ignore_merges_ = false;
  bool fuse_unknown_ = false;
  TokenId unknown_ = kNoToken;
  TokenId byte_ids_[256] = {};
  bool byte_ids_set_[256] = {};
};

}  // namespace areason
