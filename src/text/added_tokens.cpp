#include "text/added_tokens.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <functional>

namespace areason {
namespace {

UChar32 char_at(std::string_view text, std::size_t i) {
  UChar32 c;
  U8_GET_UNSAFE(text.data(), i, c);
  return c;
}
std::size_t previous_start(std::string_view text, std::size_t i) {
  do --i;
  while (i > 0 && U8_IS_TRAIL(static_cast<std::uint8_t>(text[i])));
  return i;
}
std::size_t next_start(std::string_view text, std::size_t i) {
  do ++i;
  while (i < text.size() && U8_IS_TRAIL(static_cast<std::uint8_t>(text[i])));
  return i;
}

// Rust regex's \w (the reference): alphabetic, marks, decimal digits, connector punctuation, join controls.
bool is_word_char(UChar32 c) {
  return u_isUAlphabetic(c) || (U_GET_GC_MASK(c) & (U_GC_M_MASK | U_GC_ND_MASK | U_GC_PC_MASK)) != 0 ||
         u_hasBinaryProperty(c, UCHAR_JOIN_CONTROL);
}

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  if (begin > 0 && is_word_char(char_at(text, previous_start(text, begin)))) return false;
  return end >= text.size() || !is_word_char(char_at(text, end));
}

std::size_t strip_left(std::string_view text, std::size_t begin, std::size_t limit) {
  while (begin > limit) {
    const std::size_t before = previous_start(text, begin);
    if (!u_isUWhiteSpace(char_at(text, before))) break;
    begin = before;
  }
  return std::max(begin, limit);
}

std::size_t strip_right(std::string_view text, std::size_t end) {
  while (end < text.size() && u_isUWhiteSpace(char_at(text, end))) end = next_start(text, end);
  return end;
}

}  // namespace

void AddedTokenMatcher::add(const AddedToken* token, const std::string& content) {
  if (content.empty()) return;
  // Keys view the token's own content where they can; a normalised form that differs is kept here.
  std::string_view key = token->content;
  if (content != token->content) key = *contents_.insert(content).first;
  by_content_[key] = token;
  lengths_.insert(content.size());
  first_bytes_[static_cast<std::uint8_t>(content[0])] = true;
}

std::optional<AddedTokenMatcher::Match> AddedTokenMatcher::match_at(std::string_view text, std::size_t i) const {
  if (!first_bytes_[static_cast<std::uint8_t>(text[i])]) return std::nullopt;
  for (const std::size_t length : lengths_) {
    if (i + length > text.size()) continue;
    const auto at = by_content_.find(text.substr(i, length));
    if (at != by_content_.end()) return Match{i, i + length, at->second};
  }
  return std::nullopt;
}

std::vector<TextSpan> AddedTokenMatcher::split(std::string_view text, SpecialTokens specials) const {
  std::vector<TextSpan> spans;
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size();) {
    const auto match = match_at(text, i);
    if (!match) {
      ++i;
      continue;
    }
    i = match->end;
    const AddedToken& token = *match->token;
    if (specials == SpecialTokens::kAsText && token.is_control()) continue;
    if (token.single_word && !stands_alone(text, match->begin, match->end)) continue;
    if (match->begin < done) continue;  // eaten by the white space an earlier token took
    const std::size_t begin = token.lstrip ? strip_left(text, match->begin, done) : match->begin;
    const std::size_t end = token.rstrip ? strip_right(text, match->end) : match->end;
    if (begin > done) spans.push_back({text.substr(done, begin - done), nullptr});
    spans.push_back({text.substr(begin, end - begin), &token});
    done = end;
  }
  if (done < text.size()) spans.push_back({text.substr(done), nullptr});
  return spans;
}

}  // namespace areason
