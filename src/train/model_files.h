#pragma once
// The small files of a checkpoint in the released layout: config.json, generation_config.json, preprocessor_config.json,
// tokenizer files, chat template. Called by trainer.cpp. Errors: Error(kModel, kInput) naming the file.
#include <string>

#include "text/tokenizer.h"

namespace areason::train {

// A new model: sizes from `config_file`, vocabulary and ids of special tokens from `tokenizer_dir`.
void write_new_model_files(const std::string& config_file, const std::string& tokenizer_dir, const std::string& dir);
// Copies every small file of a checkpoint (not the weights).
void copy_model_files(const std::string& from, const std::string& to);
// Sets torch_dtype of <dir>/config.json.
void set_saved_dtype(const std::string& dir, const std::string& dtype);

}  // namespace areason::train
