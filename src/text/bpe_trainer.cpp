#include "text/bpe_trainer.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <queue>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "base/interrupt.h"
#include "text/byte_level.h"
#include "text/normalize.h"
#include "text/qwen2_files.h"
#include "text/split_words.h"
#include "text/utf8.h"

namespace areason {
namespace {

using Symbol = std::uint32_t;
using Pair = std::uint64_t;  // left symbol << 32 | right symbol

Pair make_pair_key(Symbol left, Symbol right) { return (Pair{left} << 32) | right; }
Symbol left_of(Pair p) { return static_cast<Symbol>(p >> 32); }
Symbol right_of(Pair p) { return static_cast<Symbol>(p); }

struct Word {
  std::vector<Symbol> symbols;
  std::int64_t count = 0;
};

struct PairStats {
  std::int64_t count = 0;
  std::vector<std::uint32_t> words;  // where the pair was seen; may hold words that lost it since
};

class Trainer {
 public:
  explicit Trainer(const BpeTrainerOptions& options) : options_(options) {
    for (const std::uint8_t byte : byte_level_order()) {
      symbol_of_byte_[byte] = static_cast<Symbol>(tokens_.size());
      add_token(std::string(1, static_cast<char>(byte)));
    }
  }

  void add(std::string_view text) {
    const std::string clean = normalize_utf8(repair_utf8(text), Normalization::kNfc);
    pieces_.clear();
    split_qwen2(clean, 1, pieces_);
    for (const std::string_view piece : pieces_)
      if (piece.size() > 1) ++counts_[std::string(piece)];
  }

  BpeVocabulary run() {
    make_words();
    for (std::uint32_t w = 0; w < words_.size(); ++w) count_pairs(w, +1);
    for (const auto& [pair, stats] : pairs_) heap_.push({stats.count, pair, this});
    changed_.clear();
    const std::size_t target = static_cast<std::size_t>(options_.vocab_size) - options_.special_tokens.size();
    while (tokens_.size() < target) {
      throw_if_interrupted();
      if (!merge_best()) break;
    }
    return {std::move(tokens_), std::move(merges_), options_.special_tokens};
  }

 private:
  void make_words() {
    // Sorted, so that nothing depends on the hash table's order.
    std::vector<std::pair<std::string, std::int64_t>> sorted(counts_.begin(), counts_.end());
    counts_.clear();
    std::sort(sorted.begin(), sorted.end());
    for (const auto& [text, count] : sorted) {
      Word word{.symbols = {}, .count = count};
      for (const char c : text) word.symbols.push_back(symbol_of_byte_[static_cast<std::uint8_t>(c)]);
      words_.push_back(std::move(word));
    }
  }

  struct Candidate {
    std::int64_t count;
    Pair pair;
    const Trainer* trainer;
    // A max-heap: more frequent first, then the smaller pair of byte strings.
    bool operator<(const Candidate& other) const {
      if (count != other.count) return count < other.count;
      const auto& tokens = trainer->tokens_;
      const int left = tokens[left_of(pair)].compare(tokens[left_of(other.pair)]);
      if (left != 0) return left > 0;
      return tokens[right_of(pair)].compare(tokens[right_of(other.pair)]) > 0;
    }
  };

  Symbol add_token(const std::string& bytes) {
    // Two merges can make the same bytes ("ab"+"c", "a"+"bc"): they share one token.
    const auto [at, inserted] = ids_.try_emplace(bytes, static_cast<Symbol>(tokens_.size()));
    if (inserted) tokens_.push_back(bytes);
    return at->second;
  }

  void count_pairs(std::uint32_t w, int sign) {
    const Word& word = words_[w];
    for (std::size_t i = 0; i + 1 < word.symbols.size(); ++i) {
      const Pair pair = make_pair_key(word.symbols[i], word.symbols[i + 1]);
      PairStats& stats = pairs_[pair];
      stats.count += sign * word.count;
      if (sign > 0 && (stats.words.empty() || stats.words.back() != w)) stats.words.push_back(w);
      changed_.insert(pair);
    }
  }

  // False when no pair is frequent enough.
  bool merge_best() {
    while (!heap_.empty()) {
      const Candidate best = heap_.top();
      heap_.pop();
      // Every change of a count pushed a fresh entry, so an outdated one is simply dropped.
      const auto at = pairs_.find(best.pair);
      if (at == pairs_.end() || at->second.count != best.count) continue;
      if (best.count < std::max(1, options_.min_count)) return false;
      apply(best.pair);
      return true;
    }
    return false;
  }

  void apply(Pair pair) {
    const std::string left = tokens_[left_of(pair)], right = tokens_[right_of(pair)];
    // A pair can come back when two merges share a token; a second line for it would change its rank.
    if (merged_pairs_.insert(pair).second) merges_.emplace_back(left, right);
    const Symbol merged = add_token(left + right);
    std::vector<std::uint32_t> affected = std::move(pairs_[pair].words);
    std::sort(affected.begin(), affected.end());
    affected.erase(std::unique(affected.begin(), affected.end()), affected.end());
    changed_.clear();
    for (const std::uint32_t w : affected) {
      count_pairs(w, -1);
      replace_in(words_[w].symbols, pair, merged);
      count_pairs(w, +1);
    }
    pairs_.erase(pair);
    for (const Pair p : changed_) {
      const auto at = pairs_.find(p);
      if (at == pairs_.end()) continue;
      if (at->second.count > 0)
        heap_.push({at->second.count, p, this});
      else
        pairs_.erase(at);
    }
  }

  static void replace_in(std::vector<Symbol>& symbols, Pair pair, Symbol merged) {
    std::size_t out = 0;
    for (std::size_t i = 0; i < symbols.size(); ++i) {
      const bool hit = i + 1 < symbols.size() && symbols[i] == left_of(pair) && symbols[i + 1] == right_of(pair);
      symbols[out++] = hit ? merged : symbols[i];
      if (hit) ++i;
    }
    symbols.resize(out);
  }

  BpeTrainerOptions options_;
  std::unordered_map<std::string, std::int64_t> counts_;
  std::vector<std::string_view> pieces_;
  std::array<Symbol, 256> symbol_of_byte_{};
  std::vector<std::string> tokens_;
  std::unordered_map<std::string, Symbol> ids_;
  std::vector<std::pair<std::string, std::string>> merges_;
  std::vector<Word> words_;
  std::unordered_map<Pair, PairStats> pairs_;
  std::unordered_set<Pair> merged_pairs_;
  std::unordered_set<Pair> changed_;
  std::priority_queue<Candidate> heap_;
};

void check_options(const BpeTrainerOptions& options) {
  const std::size_t least = 256 + options.special_tokens.size();
  if (options.vocab_size < 0 || static_cast<std::size_t>(options.vocab_size) < least || options.vocab_size > 10'000'000)
    throw Error(ErrorCode::kUsage, "a vocabulary of " + std::to_string(options.vocab_size) + " tokens is not possible",
                "take at least " + std::to_string(least) + " (the bytes and the special tokens)");
}

}  // namespace

struct BpeTrainer::Impl {
  explicit Impl(const BpeTrainerOptions& options) : trainer(options) {}
  Trainer trainer;
};

BpeTrainer::BpeTrainer(const BpeTrainerOptions& options) {
  check_options(options);
  impl_ = std::make_unique<Impl>(options);
}
BpeTrainer::~BpeTrainer() = default;

void BpeTrainer::add(std::string_view text) { impl_->trainer.add(text); }

int BpeTrainer::write(const std::string& out_dir) {
  const BpeVocabulary vocabulary = impl_->trainer.run();
  write_qwen2_files(vocabulary, out_dir);
  return static_cast<int>(vocabulary.tokens.size() + vocabulary.special_tokens.size());
}

void train_bpe(const std::vector<std::string>& texts, const BpeTrainerOptions& options, const std::string& out_dir) {
  BpeTrainer trainer(options);
  for (const std::string& text : texts) trainer.add(text);
  trainer.write(out_dir);
}

}  // namespace areason
