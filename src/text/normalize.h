#pragma once
// Unicode normalisation by ICU for valid UTF-8 text, with the characters that the reference tokenizer knows (Unicode 9). Called
// by the tokenizer and the BPE trainer. Thread rule: free functions.
#include <string>
#include <string_view>

namespace areason {

enum class Normalization { kNfc, kNfd, kNfkc, kNfkd };

std::string normalize_utf8(std::string_view text, Normalization form);

}  // namespace areason
