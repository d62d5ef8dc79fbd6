#pragma once
// The pre-tokenizer patterns of Qwen2 (and Llama 3) and of GPT-2, written out by hand on ICU's character properties: the
// regular expressions cost more than the whole rest of the tokenizer. Called by the tokenizer and the BPE trainer.
// Text must be valid UTF-8. Thread rule: free functions without state.
#include <string_view>
#include <vector>

namespace areason {

// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,max_digits}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
// Qwen2 has max_digits = 1, Llama 3 has 3. Appends the words; together they are the text.
void split_qwen2(std::string_view text, int max_digits, std::vector<std::string_view>& words);
// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
void split_gpt2(std::string_view text, std::vector<std::string_view>& words);
// Every number character (general category N*) by itself, or in runs; the text between them stays whole.
enum class DigitGroups { kSingle, kRuns };
void split_digits(std::string_view text, DigitGroups groups, std::vector<std::string_view>& words);

}  // namespace areason
