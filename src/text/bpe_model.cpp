#include "text/bpe_model.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <limits>
#include <queue>

#include "base/error.h"

namespace areason {
namespace {

constexpr std::int32_t kNoRank = std::numeric_limits<std::int32_t>::max();
// Below this many symbols a scan for the best pair beats a heap.
constexpr std::size_t kShortWord = 48;

std::size_t slots_for(std::size_t entries) { return std::bit_ceil(std::max<std::size_t>(64, entries * 2)); }

std::uint64_t mix(std::uint64_t x) {  // the finaliser of splitmix64
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

void BpeModel::reserve(std::size_t tokens, std::size_t merges) {
  spans_.reserve(tokens);
  rehash_tokens(slots_for(tokens));
  rehash_merges(slots_for(merges));
}

std::size_t BpeModel::token_slot(std::string_view raw) const {
  const std::size_t mask = token_slots_.size() - 1;
  std::size_t slot = mix(std::hash<std::string_view>{}(raw)) & mask;
  while (token_slots_[slot] != kNoToken && bytes(token_slots_[slot]) != raw) slot = (slot + 1) & mask;
  return slot;
}

std::size_t BpeModel::merge_slot(std::uint64_t pair) const {
  const std::size_t mask = merge_slots_.size() - 1;
  std::size_t slot = mix(pair) & mask;
  while (merge_slots_[slot].pair != kEmptyPair && merge_slots_[slot].pair != pair) slot = (slot + 1) & mask;
  return slot;
}

void BpeModel::rehash_tokens(std::size_t slots) {
  std::vector<TokenId> old(slots, kNoToken);
  old.swap(token_slots_);
  for (const TokenId id : old)
    if (id != kNoToken) token_slots_[token_slot(bytes(id))] = id;
}

void BpeModel::rehash_merges(std::size_t slots) {
  std::vector<Merge> old(slots);
  old.swap(merge_slots_);
  for (const Merge& merge : old)
    if (merge.pair != kEmptyPair) merge_slots_[merge_slot(merge.pair)] = merge;
}

void BpeModel::add_decode_only(std::string_view raw, TokenId id) {
  if (id < 0 || id > kMaxId)
    throw Error(ErrorCode::kModel, "token id " + std::to_string(id) + " is out of range", "check the tokenizer's files");
  if (has(id))
    throw Error(ErrorCode::kModel, "token id " + std::to_string(id) + " is given twice", "check the tokenizer's files");
  if (static_cast<std::size_t>(id) >= spans_.size()) spans_.resize(static_cast<std::size_t>(id) + 1);
  spans_[id] = {static_cast<std::uint32_t>(arena_.size()), static_cast<std::uint32_t>(raw.size()), true};
  arena_.append(raw);
}

void BpeModel::add_token(std::string_view raw, TokenId id) {
  add_decode_only(raw, id);
  if (token_count_ * 2 >= token_slots_.size()) rehash_tokens(slots_for(token_count_ + 1) * 2);
  const std::size_t slot = token_slot(raw);
  if (token_slots_[slot] == kNoToken) ++token_count_;
  token_slots_[slot] = id;
  if (raw.size() == 1) {
    byte_ids_[static_cast<std::uint8_t>(raw[0])] = id;
    byte_ids_set_[static_cast<std::uint8_t>(raw[0])] = true;
  }
}

bool BpeModel::add_merge(std::string_view left, std::string_view right) {
  const TokenId a = find(left), b = find(right);
  char buffer[256];
  TokenId merged;
  if (left.size() + right.size() <= sizeof buffer) {
    std::memcpy(buffer, left.data(), left.size());
    std::memcpy(buffer + left.size(), right.data(), right.size());
    merged = find({buffer, left.size() + right.size()});
  } else {
    merged = find(std::string(left) + std::string(right));
  }
  if (a == kNoToken || b == kNoToken || merged == kNoToken) return false;
  if (merge_count_ * 2 >= merge_slots_.size()) rehash_merges(slots_for(merge_count_ + 1) * 2);
  Merge& entry = merge_slots_[merge_slot(pair_key(a, b))];
  if (entry.pair == kEmptyPair) ++merge_count_;
  entry = {pair_key(a, b), next_rank_++, merged};
  return true;
}

void BpeModel::set_unknown(TokenId id, FuseUnknown fuse) {
  unknown_ = id;
  fuse_unknown_ = fuse == FuseUnknown::kYes;
}

TokenId BpeModel::find(std::string_view raw) const { return token_slots_.empty() ? kNoToken : token_slots_[token_slot(raw)]; }

std::string_view BpeModel::bytes(TokenId id) const {
  if (!has(id)) return {};
  return std::string_view(arena_).substr(spans_[id].begin, spans_[id].length);
}

const BpeModel::Merge* BpeModel::merge_of(TokenId left, TokenId right) const {
  if (merge_slots_.empty()) return nullptr;
  const Merge& entry = merge_slots_[merge_slot(pair_key(left, right))];
  return entry.pair == kEmptyPair ? nullptr : &entry;
}

std::vector<TokenId> BpeModel::initial_symbols(std::string_view word) const {
  std::vector<TokenId> symbols;
  symbols.reserve(word.size());
  bool after_unknown = false;
  for (const char c : word) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (byte_ids_set_[byte]) {
      symbols.push_back(byte_ids_[byte]);
      after_unknown = false;
    } else if (unknown_ != kNoToken) {  // without an unknown token the reference drops the byte, too
      if (!(fuse_unknown_ && after_unknown)) symbols.push_back(unknown_);
      after_unknown = true;
    }
  }
  return symbols;
}

void BpeModel::merge_short(std::vector<TokenId>& symbols) const {
  const Merge* pairs[kShortWord];
  std::size_t n = symbols.size();
  for (std::size_t i = 0; i + 1 < n; ++i) pairs[i] = merge_of(symbols[i], symbols[i + 1]);
  while (n > 1) {
    std::int32_t best_rank = kNoRank;
    std::size_t best = 0;
    for (std::size_t i = 0; i + 1 < n; ++i)
      if (pairs[i] != nullptr && pairs[i]->rank < best_rank) {
        best_rank = pairs[i]->rank;
        best = i;
      }
    if (best_rank == kNoRank) break;
    symbols[best] = pairs[best]->merged;
    for (std::size_t i = best + 1; i + 1 < n; ++i) {
      symbols[i] = symbols[i + 1];
      pairs[i] = pairs[i + 1];
    }
    --n;
    if (best > 0) pairs[best - 1] = merge_of(symbols[best - 1], symbols[best]);
    if (best + 1 < n) pairs[best] = merge_of(symbols[best], symbols[best + 1]);
  }
  symbols.resize(n);
}

void BpeModel::merge_long(std::vector<TokenId>& symbols) const {
  struct Candidate {
    std::int32_t rank;
    std::int32_t at;
    TokenId left, right;  // an entry whose symbols changed since is dropped
    TokenId merged;
    bool operator>(const Candidate& other) const { return rank != other.rank ? rank > other.rank : at > other.at; }
  };
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> heap;
  const auto n = static_cast<std::int32_t>(symbols.size());
  std::vector<std::int32_t> next(symbols.size()), previous(symbols.size());
  const auto offer = [&](std::int32_t i, std::int32_t j) {
    if (i < 0 || j >= n) return;
    if (const Merge* m = merge_of(symbols[i], symbols[j])) heap.push({m->rank, i, symbols[i], symbols[j], m->merged});
  };
  for (std::int32_t i = 0; i < n; ++i) {
    next[i] = i + 1;
    previous[i] = i - 1;
  }
  for (std::int32_t i = 0; i + 1 < n; ++i) offer(i, i + 1);
  while (!heap.empty()) {
    const Candidate c = heap.top();
    heap.pop();
    if (symbols[c.at] != c.left) continue;
    const std::int32_t j = next[c.at];
    if (j >= n || symbols[j] != c.right) continue;
    symbols[c.at] = c.merged;
    symbols[j] = kNoToken;
    next[c.at] = next[j];
    if (next[j] < n) previous[next[j]] = c.at;
    offer(previous[c.at], c.at);
    offer(c.at, next[c.at]);
  }
  std::erase(symbols, kNoToken);
}

void BpeModel::encode_word(std::string_view word, std::vector<TokenId>& ids) const {
  if (ignore_merges_) {
    const TokenId whole = find(word);
    if (whole != kNoToken) {
      ids.push_back(whole);
      return;
    }
  }
  std::vector<TokenId> symbols = initial_symbols(word);
  if (symbols.size() <= kShortWord)
    merge_short(symbols);
  else
    merge_long(symbols);
  ids.insert(ids.end(), symbols.begin(), symbols.end());
}

}  // namespace areason
