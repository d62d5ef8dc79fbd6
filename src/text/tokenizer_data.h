#pragma once
// The tables behind Tokenizer and the parsers that fill them; private to this folder (and the fuzz target).
// Thread rule: constant after loading, but for the word cache, which locks itself.
#include <array>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/added_tokens.h"
#include "text/bpe_model.h"
#include "text/pre_tokenizer.h"
#include "text/tokenizer.h"

namespace areason {

// Remembers the ids of short words. Bounded: a full shard is emptied.
class WordCache {
 public:
  // Appends the ids of `word`, from the cache or from `model`.
  void encode(const BpeModel& model, std::string_view word, std::vector<TokenId>& ids);

 private:
  static constexpr std::size_t kShards = 16;
  static constexpr std::size_t kShardWords = 4096;
  static constexpr std::size_t kLongestWord = 32;  // longer ones hardly come back
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, std::vector<TokenId>> words;
  };
  std::array<Shard, kShards> shards_;
};

struct Tokenizer::Data {
  BpeModel model;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::deque<AddedToken> added;  // a deque: the matchers point into it
  AddedTokenMatcher raw_matcher;
  AddedTokenMatcher normalized_matcher;
  std::unordered_map<std::string_view, const AddedToken*> added_by_content;
  std::unordered_map<TokenId, const AddedToken*> added_by_id;
  mutable WordCache cache;

  // Ignores a token whose id or content is already an added token.
  void add_added_token(AddedToken token);
  void encode_plain(std::string_view text, SpecialTokens specials, std::vector<TokenId>& ids) const;
};

// Fills `data` from the bytes of a tokenizer.json. Throws Error(kModel) naming `file`.
void parse_tokenizer_json(std::string_view text, const std::string& file, Tokenizer::Data& data);
// Reads whichever files the directory has. Throws Error(kModel).
std::unique_ptr<Tokenizer::Data> load_tokenizer_files(const std::string& model_dir);
std::unique_ptr<Tokenizer::Data> read_token_lists(const TokenLists& lists);

}  // namespace areason
