#include "cot/tags.h"

#include <cctype>

#include "cot/sections.h"

namespace areason {
namespace {

constexpr std::string_view kThinkName = "THINK";
constexpr std::size_t kLongestTag = 24;  // longer than any tag with its tolerated extras

bool starts_with_upper(std::string_view text, std::string_view upper_prefix) {
  if (text.size() < upper_prefix.size()) return false;
  for (std::size_t i = 0; i < upper_prefix.size(); ++i) {
    if (std::toupper(static_cast<unsigned char>(text[i])) != upper_prefix[i]) return false;
  }
  return true;
}

bool is_prefix_of_upper(std::string_view prefix, std::string_view upper) {
  return prefix.size() <= upper.size() && starts_with_upper(prefix, upper.substr(0, prefix.size()));
}

bool is_name_char(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

std::string_view tag_name(int index) { return index == kThinkTag ? kThinkName : section_tag(static_cast<Section>(index)); }

TagMatch match_tag(std::string_view text) {
  TagMatch match;
  std::size_t at = 1;
  if (at < text.size() && text[at] == '/') {
    match.closing = true;
    ++at;
  }
  const std::size_t name_begin = at;
  while (at < text.size() && is_name_char(text[at])) ++at;
  const std::string_view name = text.substr(name_begin, at - name_begin);
  while (at < text.size() && is_blank(text[at])) ++at;
  const bool cut_off = at == text.size();
  if (at > kLongestTag || (!cut_off && text[at] != '>')) return match;
  for (int index = 0; index <= kThinkTag; ++index) {
    const std::string_view wanted = tag_name(index);
    // A closing tag may carry extra letters: the paper's figure 3 prints </CAPTIONs>.
    const bool whole = name.size() == wanted.size() || (match.closing && name.size() > wanted.size());
    if (whole && starts_with_upper(name, wanted)) {
      match.kind = cut_off ? TagMatch::Kind::kPartial : TagMatch::Kind::kTag;
      match.length = at + 1;
      match.index = index;
      return match;
    }
    if (cut_off && is_prefix_of_upper(name, wanted)) match.kind = TagMatch::Kind::kPartial;
  }
  return match;
}

}  // namespace areason
