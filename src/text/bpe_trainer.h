#pragma once
// Trains a byte-level BPE vocabulary with the Qwen2 pre-tokenizer pattern and writes the tokenizer files of a checkpoint
// (tokenizer.json, vocab.json, merges.txt, tokenizer_config.json with the chat template) so that transformers loads them as
// Qwen2Tokenizer. Called by `audio-reasoner train tokenizer`.
#include <string>
#include <vector>

namespace areason {

struct BpeTrainerOptions {
  int vocab_size = 4096;  // including the 256 bytes and the special tokens
  int min_count = 2;      // pairs rarer than this are not merged
  std::vector<std::string> special_tokens = {"<|endoftext|>", "<|im_start|>",  "<|im_end|>",
                                             "<|AUDIO|>",     "<|audio_bos|>", "<|audio_eos|>"};
};

// Trains on `texts` and writes the files into `out_dir`. Deterministic: ties go to the smaller pair of token byte strings.
void train_bpe(const std::vector<std::string>& texts, const BpeTrainerOptions& options, const std::string& out_dir);

}  // namespace areason
