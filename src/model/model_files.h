#pragma once
// What a name of a model stands for: a checkpoint directory (safetensors as released, or GGUF files beside the same JSON
// files), a text model in GGUF (its mmproj is looked for beside it), or both files as "TEXT.gguf,MMPROJ.gguf". And the parts
// around the network, from whichever files there are. Called by everything that opens a model. Errors: Error(kModel).
// Thread rule: free functions.
#include <optional>
#include <string>

#include "audio/log_mel.h"
#include "text/tokenizer.h"

namespace areason {

struct ModelFiles {
  std::string dir;          // of config.json and the others; empty where GGUF files were named: they hold all that is needed
  std::string text_gguf;    // empty: the weights are safetensors in `dir`
  std::string mmproj_gguf;  // set with text_gguf
  bool is_gguf() const { return !text_gguf.empty(); }
};

ModelFiles find_model_files(const std::string& model);
// Bytes of the files with weights; 0 where there are none.
std::uint64_t model_weight_bytes(const std::string& model);

Tokenizer load_model_tokenizer(const std::string& model);
LogMelConfig load_model_log_mel_config(const std::string& model);

}  // namespace areason
