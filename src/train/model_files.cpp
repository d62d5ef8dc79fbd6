#include "train/model_files.h"

#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace areason::train {
namespace {

namespace fs = std::filesystem;

TokenId special(const Tokenizer& tokenizer, const std::string& content, const std::string& dir) {
  const auto id = tokenizer.special_id(content);
  if (!id)
    throw Error(ErrorCode::kModel, dir + ": the tokenizer has no " + content,
                "train one with `audio-reasoner train tokenizer`");
  return *id;
}

bool is_small_file(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.ends_with(".json") ? name != "trainer_state.json" && name != "model.safetensors.index.json"
                                 : name == "merges.txt" || name.ends_with(".jinja");
}

}  // namespace

void copy_model_files(const std::string& from, const std::string& to) {
  make_directories(to);
  if (!fs::is_directory(from)) throw Error(ErrorCode::kModel, from + " is not a directory", "name a checkpoint's directory");
  for (const auto& entry : fs::directory_iterator(from)) {
    if (entry.is_regular_file() && is_small_file(entry.path())) {
      fs::copy_file(entry.path(), fs::path(to) / entry.path().filename(), fs::copy_options::overwrite_existing);
    }
  }
}

void write_new_model_files(const std::string& config_file, const std::string& tokenizer_dir, const std::string& dir) {
  const Tokenizer tokenizer = Tokenizer::load(tokenizer_dir);
  copy_model_files(tokenizer_dir, dir);
  Json config = read_json_file(config_file);
  const TokenId end = special(tokenizer, "<|im_end|>", tokenizer_dir), pad = special(tokenizer, "<|endoftext|>", tokenizer_dir);
  const TokenId audio = special(tokenizer, "<|AUDIO|>", tokenizer_dir);
  config["audio_token_index"] = audio;
  config["vocab_size"] = tokenizer.size();
  config["text_config"]["vocab_size"] = tokenizer.size();
  config["text_config"]["bos_token_id"] = pad;
  config["text_config"]["eos_token_id"] = end;
  write_file_atomic(dir + "/config.json", dump_json(config, 2) + "\n");
  const Json generation = {
      {"eos_token_id", {end, pad}}, {"pad_token_id", pad}, {"do_sample", false}, {"repetition_penalty", 1.0}};
  write_file_atomic(dir + "/generation_config.json", dump_json(generation, 2) + "\n");
  const int bins = config["audio_config"].value("num_mel_bins", 128);
  const Json preprocessor = {{"chunk_length", 30},
                             {"feature_extractor_type", "WhisperFeatureExtractor"},
                             {"feature_size", bins},
                             {"hop_length", 160},
                             {"n_fft", 400},
                             {"n_samples", 480000},
                             {"nb_max_frames", 3000},
                             {"padding_side", "right"},
                             {"padding_value", 0.0},
                             {"processor_class", "Qwen2AudioProcessor"},
                             {"return_attention_mask", true},
                             {"sampling_rate", 16000}};
  write_file_atomic(dir + "/preprocessor_config.json", dump_json(preprocessor, 2) + "\n");
}

void set_saved_dtype(const std::string& dir, const std::string& dtype) {
  Json config = read_json_file(dir + "/config.json");
  const std::string name = dtype == "f32" ? "float32" : dtype == "f16" ? "float16" : "bfloat16";
  config["torch_dtype"] = name;
  if (config.contains("text_config")) config["text_config"]["torch_dtype"] = name;
  write_file_atomic(dir + "/config.json", dump_json(config, 2) + "\n");
}

}  // namespace areason::train
