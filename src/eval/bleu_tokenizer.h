#pragma once
// sacreBLEU's tokenizers "13a" and "zh" (sacrebleu 2.6.0; 1.5.1 and 2.5.1 agree), quirks included; facts/evaluation.md 3.2
// lists them. Called by bleu.h and tests. Thread rule: free functions.
#include <string>
#include <string_view>

namespace areason {

enum class BleuTokenizer { k13a, kZh };

// "13a" or "zh"; throws Error(kUsage) for other names.
BleuTokenizer bleu_tokenizer(std::string_view name);
std::string_view bleu_tokenizer_name(BleuTokenizer tokenizer);

// Tokens joined by single spaces.
std::string bleu_tokenize(std::string_view text, BleuTokenizer tokenizer);

}  // namespace areason
