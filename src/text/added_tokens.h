#pragma once
// Tokens outside of BPE ("<|im_end|>"): found in a text before anything else, as the reference tokenizer finds them
// (leftmost, longest; lstrip, rstrip, single_word). Called by the tokenizer. Thread rule: constant after the last add().
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/tokenizer.h"

namespace areason {

struct AddedToken {
  TokenId id = 0;
  std::string content;
  bool single_word = false;
  bool lstrip = false;
  bool rstrip = false;
  bool normalized = false;  // is looked for in the normalised text instead of the raw one
  bool special = false;

  // Tokens that text of users must never become: the special ones, and all that look like a marker of a chat template even
  // if a careless file does not mark them special.
  bool is_control() const { return special || (content.starts_with("<|") && content.ends_with("|>")); }
};

// One stretch of a text: an added token, or plain text.
struct TextSpan {
  std::string_view text;
  const AddedToken* token = nullptr;  // null for plain text
};

class AddedTokenMatcher {
 public:
  // `content` is what the text is searched for (the normalised content for tokens that want it). The token must outlive this.
  void add(const AddedToken* token, const std::string& content);
  // Splits `text`; with kAsText the control tokens are left alone.
  std::vector<TextSpan> split(std::string_view text, SpecialTokens specials) const;
  bool empty() const { return by_content_.empty(); }

 private:
  struct Match {
    std::size_t begin, end;
    const AddedToken* token;
  };
  std::optional<Match> match_at(std::string_view text, std::size_t i) const;

  std::unordered_map<std::string_view, const AddedToken*> by_content_;
  std::set<std::string> contents_;                 // normalised forms that differ from the content
  std::set<std::size_t, std::greater<>> lengths_;  // longest first
  bool first_bytes_[256] = {};
};

}  // namespace areason
