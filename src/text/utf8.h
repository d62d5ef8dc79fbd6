#pragma once
// UTF-8 repair for text that enters or leaves the tokenizer: what Python's bytes.decode("utf-8", errors="replace") does, one
// U+FFFD per maximal invalid subpart (Unicode 15, section 3.9, table 3-8). Called by the tokenizer and the detokenizer.
// Thread rule: free functions without state.
#include <cstddef>
#include <string>
#include <string_view>

namespace areason {

bool is_ascii(std::string_view text);
// True when `text` is well-formed UTF-8 (no surrogates, no overlong forms, nothing above U+10FFFF).
bool is_valid_utf8(std::string_view text);
// `text` with every maximal invalid subpart replaced by U+FFFD.
std::string repair_utf8(std::string_view text);
// Length of the prefix that can be shown now: everything but an unfinished, so far valid character at the end (0 to 3 bytes).
std::size_t complete_utf8_prefix(std::string_view text);

}  // namespace areason
