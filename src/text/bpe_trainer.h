#pragma once
// Trains a byte-level BPE vocabulary with the Qwen2 pre-tokenizer pattern and writes the tokenizer files of a checkpoint
// (tokenizer.json, vocab.json, merges.txt, tokenizer_config.json with the chat template) so that transformers loads them as
// Qwen2Tokenizer. Called by `audio-reasoner train tokenizer`.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace areason {

struct BpeTrainerOptions {
  int vocab_size = 4096;  // including the 256 bytes and the special tokens
  int min_count = 2;      // pairs rarer than this are not merged
  std::vector<std::string> special_tokens = {"<|endoftext|>", "<|im_start|>",  "<|im_end|>",
                                             "<|AUDIO|>",     "<|audio_bos|>", "<|audio_eos|>"};
};

// Collects texts one by one (only the counts of their words are kept), then trains. Deterministic: ties go to the smaller pair
// of token byte strings, and the order of the texts does not matter. Thread rule: one thread uses one trainer.
class BpeTrainer {
 public:
  // Throws Error(kUsage) when the vocabulary has no room for the bytes and the special tokens.
  explicit BpeTrainer(const BpeTrainerOptions& options);
  ~BpeTrainer();
  void add(std::string_view text);
  // Trains and writes the files into `out_dir`. Returns the size of the vocabulary, special tokens included. Call it once.
  int write(const std::string& out_dir);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The same in one call.
void train_bpe(const std::vector<std::string>& texts, const BpeTrainerOptions& options, const std::string& out_dir);

}  // namespace areason
