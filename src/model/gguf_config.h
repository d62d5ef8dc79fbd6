#pragma once
// What GGUF files say about a model besides its weights: configuration, tokenizer, spectrogram. The configuration comes as the
// JSON that a checkpoint's config.json would be, so that one parser checks both. Files that `quantize` wrote carry the
// checkpoint's own generation_config.json; for others' files the usual defaults stand. Keys: llama.cpp
// gguf-py/gguf/constants.py. Called by the loader. Errors: Error(kModel) naming the file and the key. Thread rule: free
// functions.
#include "audio/log_mel.h"
#include "base/json_fwd.h"
#include "model/gguf_reader.h"
#include "text/tokenizer.h"

namespace areason {

// Keys of our own (strings of JSON), in the text model's file and in mmproj.
inline constexpr const char* kGgufGenerationKey = "areason.generation_config";
inline constexpr const char* kGgufPreprocessorKey = "areason.preprocessor_config";

// The content of config.json and of generation_config.json.
Json gguf_config_json(const GgufFile& text, const GgufFile& mmproj);
Json gguf_generation_json(const GgufFile& text);

Tokenizer gguf_tokenizer(const GgufFile& text);
LogMelConfig gguf_log_mel_config(const GgufFile& mmproj);

}  // namespace areason
