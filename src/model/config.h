#pragma once
// config.json and generation_config.json of a Qwen2AudioForConditionalGeneration checkpoint. Missing fields take the
// reference's defaults (transformers configuration_qwen2{,_audio}.py, facts/model_and_training.md 3.1); v4 and v5 spellings.
// Errors: Error(kModel) naming the file and the field. Thread rule: values.
#include <cstdint>
#include <string>
#include <vector>

namespace areason {

struct AudioEncoderConfig {
  int mel_bins = 128;
  int layers = 32;
  int heads = 20;
  int ffn = 5120;
  int width = 1280;          // d_model
  int max_positions = 1500;  // max_source_positions
  bool scale_embedding = false;
};

struct DecoderConfig {
  int vocab_size = 151936;
  int width = 4096;  // hidden_size
  int ffn = 22016;   // intermediate_size
  int layers = 32;
  int heads = 32;
  int kv_heads = 32;
  int head_dim = 0;  // 0: width / heads
  int max_positions = 32768;
  float rms_eps = 1e-6f;
  double rope_theta = 10000.0;
  bool tied_embeddings = false;
};

struct GenerationConfig {
  std::vector<int> eos_ids;
  int pad_id = -1;
  float repetition_penalty = 1.0f;
  // Sampling values of the file; `ask` is greedy unless told.
  bool do_sample = false;
  float temperature = 1.0f;
  float top_p = 1.0f;
  int top_k = 50;
};

struct ModelConfig {
  AudioEncoderConfig audio;
  DecoderConfig text;
  int audio_token = 151646;  // audio_token_index
  GenerationConfig generation;
};

// Reads and checks config.json and, when present, generation_config.json of the model's directory; for GGUF files without
// them, the files' own metadata. `model` is what model_files.h takes.
ModelConfig load_model_config(const std::string& model);
// The sizes in a lone config.json, whatever its name.
ModelConfig read_model_config(const std::string& path);

}  // namespace areason
