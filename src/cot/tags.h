#pragma once
// Recognises one section tag at the start of a text, whole or cut off. Shared by the parser and the stream of sections.h;
// nobody else needs it. Thread rule: free function.
#include <cstddef>
#include <string_view>

namespace areason {

inline constexpr int kThinkTag = 5;  // index of THINK, after the five sections
// "THINK", "PLANNING", …: `index` is a section's index or kThinkTag.
std::string_view tag_name(int index);

struct TagMatch {
  enum class Kind { kNone, kPartial, kTag } kind = Kind::kNone;
  std::size_t length = 0;  // bytes of the tag
  int index = -1;          // a section's index or kThinkTag
  bool closing = false;
};
// `text` starts with '<'. kPartial: more bytes could make it a tag.
TagMatch match_tag(std::string_view text);

}  // namespace areason
