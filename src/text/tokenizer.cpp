#include "text/tokenizer.h"

#include <functional>
#include <utility>

#include "base/error.h"
#include "text/tokenizer_data.h"
#include "text/utf8.h"

namespace areason {

void WordCache::encode(const BpeModel& model, std::string_view word, std::vector<TokenId>& ids) {
  if (word.size() > kLongestWord) return model.encode_word(word, ids);
  const std::string key(word);
  Shard& shard = shards_[std::hash<std::string>{}(key) % kShards];
  const std::lock_guard lock(shard.mutex);
  auto at = shard.words.find(key);
  if (at == shard.words.end()) {
    if (shard.words.size() >= kShardWords) shard.words.clear();
    at = shard.words.emplace(key, std::vector<TokenId>()).first;
    model.encode_word(word, at->second);
  }
  ids.insert(ids.end(), at->second.begin(), at->second.end());
}

void Tokenizer::Data::encode_plain(std::string_view text, SpecialTokens specials, std::vector<TokenId>& ids) const {
  for (const TextSpan& outer : raw_matcher.split(text, specials)) {
    if (outer.token != nullptr) {
      ids.push_back(outer.token->id);
      continue;
    }
    const std::string normalized = normalizer.apply(outer.text);
    for (const TextSpan& inner : normalized_matcher.split(normalized, specials)) {
      if (inner.token != nullptr) {
        ids.push_back(inner.token->id);
        continue;
      }
      std::deque<std::string> storage;
      for (const std::string_view word : pre_tokenizer.split(inner.text, storage)) cache.encode(model, word, ids);
    }
  }
}

Tokenizer::Tokenizer(std::unique_ptr<Data> data) : data_(std::move(data)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

Tokenizer Tokenizer::load(const std::string& model_dir) { return Tokenizer(load_tokenizer_files(model_dir)); }
Tokenizer Tokenizer::from_lists(const TokenLists& lists) { return Tokenizer(read_token_lists(lists)); }

std::vector<TokenId> Tokenizer::encode(std::string_view text, SpecialTokens specials) const {
  std::vector<TokenId> ids;
  if (is_valid_utf8(text))
    data_->encode_plain(text, specials, ids);
  else
    data_->encode_plain(repair_utf8(text), specials, ids);
  return ids;
}

std::vector<TokenId> Tokenizer::encode_pieces(std::span<const Piece> pieces) const {
  std::vector<TokenId> ids;
  std::string run;
  const auto flush = [&] {
    const auto run_ids = encode(run, SpecialTokens::kAsText);
    ids.insert(ids.end(), run_ids.begin(), run_ids.end());
    run.clear();
  };
  for (const Piece& piece : pieces) {
    if (!piece.special) {
      run += piece.text;
      continue;
    }
    flush();
    const auto id = special_id(piece.text);
    if (!id)
      throw Error(ErrorCode::kModel, "the tokenizer has no token " + piece.text,
                  "use the tokenizer files that belong to this checkpoint");
    ids.push_back(*id);
  }
  flush();
  return ids;
}

std::string Tokenizer::decode(std::span<const TokenId> ids, bool skip_special) const {
  std::string raw;
  for (const TokenId id : ids)
    if (!skip_special || !is_special(id)) raw += bytes(id);
  return is_valid_utf8(raw) ? raw : repair_utf8(raw);
}

int Tokenizer::size() const { return data_->model.size(); }
std::string_view Tokenizer::bytes(TokenId id) const { return data_->model.bytes(id); }

bool Tokenizer::is_special(TokenId id) const {
  const auto at = data_->added_by_id.find(id);
  return at != data_->added_by_id.end() && at->second->special;
}

std::optional<TokenId> Tokenizer::special_id(std::string_view content) const {
  const auto at = data_->added_by_content.find(content);
  if (at == data_->added_by_content.end()) return std::nullopt;
  return at->second->id;
}

std::string StreamDetokenizer::push(TokenId id) {
  pending_ += tokenizer_->bytes(id);
  const std::size_t ready = complete_utf8_prefix(pending_);
  const std::string text = repair_utf8(std::string_view(pending_).substr(0, ready));
  pending_.erase(0, ready);
  return text;
}

std::string StreamDetokenizer::flush() { return repair_utf8(std::exchange(pending_, {})); }

}  // namespace areason
