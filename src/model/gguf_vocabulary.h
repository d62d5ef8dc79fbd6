#pragma once
// A checkpoint's tokenizer as GGUF metadata (tokenizer.ggml.*, tokenizer.chat_template), in the form that llama.cpp reads.
// Called by the converter. Errors: Error(kModel) naming the file. Thread rule: free function.
#include <string>

#include "model/config.h"
#include "model/gguf_writer.h"

namespace areason {

void add_vocabulary(const std::string& model_dir, const ModelConfig& config, GgufHead& head);

}  // namespace areason
