#pragma once
// Writes the tokenizer files of a checkpoint the way Qwen2-Audio's release has them, so that transformers loads the directory
// as Qwen2Tokenizer: tokenizer.json, vocab.json, merges.txt, tokenizer_config.json, chat_template.jinja. Called by the BPE
// trainer. Thread rule: free functions.
#include <string>
#include <utility>
#include <vector>

namespace areason {

// The regular expression of Qwen2's pre-tokenizer, as tokenizer.json spells it.
extern const char* const kQwen2Pattern;
// Qwen2-Audio's chat template (chat_template.jinja of Qwen/Qwen2-Audio-7B-Instruct): a protocol, kept byte for byte.
extern const char* const kQwen2AudioChatTemplate;

struct BpeVocabulary {
  std::vector<std::string> tokens;                          // raw bytes by id
  std::vector<std::pair<std::string, std::string>> merges;  // raw bytes, in order of rank
  std::vector<std::string> special_tokens;                  // take the ids right after `tokens`
};

// Throws Error(kFailure) naming the file that cannot be written.
void write_qwen2_files(const BpeVocabulary& vocabulary, const std::string& out_dir);

}  // namespace areason
