#include "model/config.h"

#include <cmath>
#include <filesystem>
#include <limits>

#include "base/error.h"
#include "base/json.h"
#include "model/gguf_config.h"
#include "model/model_files.h"

namespace areason {
namespace {

constexpr int kMaxWidth = 1 << 17;  // far above any released model; keeps products of two sizes in range
constexpr int kMaxVocabulary = 1 << 24;
constexpr int kMaxLayers = 4096;
constexpr int kMaxPositions = 1 << 24;

const Json& empty_object() {
  static const Json empty = Json::object();
  return empty;
}

// Reads fields of one object of a file; a wrong type or value is an Error(kModel) naming file and field.
class Fields {
 public:
  Fields(const Json& object, std::string file, std::string prefix)
      : object_(object), file_(std::move(file)), prefix_(std::move(prefix)) {}

  bool has(const char* key) const { return object_.contains(key) && !object_[key].is_null(); }

  int whole(const char* key, int fallback, int low, int high) const {
    if (!has(key)) return fallback;
    const Json& value = object_[key];
    if (!value.is_number_integer()) fail(key, "is not a whole number");
    const bool huge = value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(high);
    if (huge || value.get<std::int64_t>() < low || value.get<std::int64_t>() > high)
      fail(key, "is outside " + std::to_string(low) + " to " + std::to_string(high));
    return value.get<int>();
  }
  double number(const char* key, double fallback, double low, double high) const {
    if (!has(key)) return fallback;
    const Json& value = object_[key];
    if (!value.is_number() || !std::isfinite(value.get<double>())) fail(key, "is not a number");
    if (value.get<double>() < low || value.get<double>() > high) fail(key, "is out of range");
    return value.get<double>();
  }
  bool flag(const char* key, bool fallback) const {
    if (!has(key)) return fallback;
    if (!object_[key].is_boolean()) fail(key, "is not true or false");
    return object_[key].get<bool>();
  }
  std::string text(const char* key, const std::string& fallback) const {
    if (!has(key)) return fallback;
    if (!object_[key].is_string()) fail(key, "is not a string");
    return object_[key].get<std::string>();
  }
  Fields child(const char* key) const {
    if (!has(key)) return {empty_object(), file_, prefix_ + key + "."};
    if (!object_[key].is_object()) fail(key, "is not an object");
    return {object_[key], file_, prefix_ + key + "."};
  }
  const Json& raw(const char* key) const { return object_[key]; }
  bool raw_is_null(const char* key) const { return object_.contains(key) && object_[key].is_null(); }

  [[noreturn]] void fail(const std::string& key, const std::string& why) const {
    throw Error(ErrorCode::kModel, file_ + ": " + prefix_ + key + " " + why,
                "take a checkpoint of Qwen2AudioForConditionalGeneration");
  }

 private:
  const Json& object_;
  std::string file_;
  std::string prefix_;
};

Json read_model_json(const std::string& path) {
  try {
    Json value = read_json_file(path);
    if (value.is_object()) return value;
  } catch (const Error& e) {
    throw Error(ErrorCode::kModel, e.what(), "name the directory of a downloaded checkpoint (--model or AREASON_MODEL)");
  }
  throw Error(ErrorCode::kModel, path + " is not a JSON object", "download the checkpoint again");
}

AudioEncoderConfig read_audio(const Fields& fields) {
  const std::string type = fields.text("model_type", "qwen2_audio_encoder");
  if (type != "qwen2_audio_encoder") fields.fail("model_type", "is " + type + "; only qwen2_audio_encoder is known");
  const std::string activation = fields.text("activation_function", "gelu");
  if (activation != "gelu") fields.fail("activation_function", "is " + activation + "; only gelu is known");
  AudioEncoderConfig out;
  out.mel_bins = fields.whole("num_mel_bins", out.mel_bins, 1, 1024);
  out.layers = fields.whole("encoder_layers", out.layers, 0, kMaxLayers);
  out.heads = fields.whole("encoder_attention_heads", out.heads, 1, kMaxWidth);
  out.ffn = fields.whole("encoder_ffn_dim", out.ffn, 1, kMaxWidth);
  out.width = fields.whole("d_model", out.width, 1, kMaxWidth);
  out.max_positions = fields.whole("max_source_positions", out.max_positions, 1, kMaxPositions);
  out.scale_embedding = fields.flag("scale_embedding", out.scale_embedding);
  if (out.width % out.heads != 0) fields.fail("d_model", "is not a multiple of encoder_attention_heads");
  return out;
}

// Version 5 of transformers writes rope_parameters in place of rope_theta and rope_scaling.
double read_rope_theta(const Fields& fields) {
  constexpr double kLow = 1.0, kHigh = 1e12;
  double theta = fields.number("rope_theta", DecoderConfig{}.rope_theta, kLow, kHigh);
  for (const char* key : {"rope_parameters", "rope_scaling"}) {
    if (!fields.has(key)) continue;
    const Fields rope = fields.child(key);
    const std::string type = rope.text("rope_type", rope.text("type", "default"));
    if (type != "default") fields.fail(key, "asks for the rotary type " + type + "; only default is known");
    theta = rope.number("rope_theta", theta, kLow, kHigh);
  }
  return theta;
}

DecoderConfig read_text(const Fields& fields) {
  const std::string type = fields.text("model_type", "qwen2");
  if (type != "qwen2") fields.fail("model_type", "is " + type + "; only qwen2 is known");
  const std::string activation = fields.text("hidden_act", "silu");
  if (activation != "silu") fields.fail("hidden_act", "is " + activation + "; only silu is known");
  if (fields.flag("use_sliding_window", false)) fields.fail("use_sliding_window", "is true; sliding windows are not known");
  DecoderConfig out;
  out.vocab_size = fields.whole("vocab_size", out.vocab_size, 1, kMaxVocabulary);
  out.width = fields.whole("hidden_size", out.width, 1, kMaxWidth);
  out.ffn = fields.whole("intermediate_size", out.ffn, 1, kMaxWidth);
  out.layers = fields.whole("num_hidden_layers", out.layers, 0, kMaxLayers);
  out.heads = fields.whole("num_attention_heads", out.heads, 1, kMaxWidth);
  // Qwen2Config's own default is 32 whatever the number of heads; a null means as many as heads.
  const bool null_kv = fields.raw_is_null("num_key_value_heads");
  out.kv_heads = fields.whole("num_key_value_heads", null_kv ? out.heads : out.kv_heads, 1, kMaxWidth);
  out.head_dim = fields.whole("head_dim", 0, 1, kMaxWidth);
  if (out.head_dim == 0) {
    if (out.width % out.heads != 0) fields.fail("hidden_size", "is not a multiple of num_attention_heads");
    out.head_dim = out.width / out.heads;
  }
  if (out.heads % out.kv_heads != 0) fields.fail("num_key_value_heads", "does not divide num_attention_heads");
  if (out.head_dim % 2 != 0) fields.fail("head_dim", "is odd");
  if (static_cast<std::int64_t>(out.heads) * out.head_dim > kMaxWidth) fields.fail("head_dim", "is too large");
  out.max_positions = fields.whole("max_position_embeddings", out.max_positions, 1, kMaxPositions);
  out.rms_eps = static_cast<float>(fields.number("rms_norm_eps", 1e-6, 0.0, 1.0));
  out.rope_theta = read_rope_theta(fields);
  return out;
}

GenerationConfig read_generation(const Fields& fields) {
  GenerationConfig out;
  constexpr int kMaxId = std::numeric_limits<int>::max();
  if (fields.has("eos_token_id") && fields.raw("eos_token_id").is_array()) {
    for (const auto& id : fields.raw("eos_token_id")) {
      if (!id.is_number_unsigned() || id.get<std::uint64_t>() > static_cast<std::uint64_t>(kMaxId))
        fields.fail("eos_token_id", "holds something that is not a token id");
      out.eos_ids.push_back(id.get<int>());
    }
  } else if (fields.has("eos_token_id")) {
    out.eos_ids.push_back(fields.whole("eos_token_id", 0, 0, kMaxId));
  }
  out.pad_id = fields.whole("pad_token_id", out.pad_id, -1, kMaxId);
  out.repetition_penalty = static_cast<float>(fields.number("repetition_penalty", 1.0, 1e-3, 1e3));
  out.do_sample = fields.flag("do_sample", out.do_sample);
  out.temperature = static_cast<float>(fields.number("temperature", 1.0, 0.0, 1e3));
  out.top_p = static_cast<float>(fields.number("top_p", 1.0, 0.0, 1.0));
  out.top_k = fields.whole("top_k", out.top_k, 0, kMaxId);
  return out;
}

struct NamedJson {
  std::string file;
  Json json;
};

ModelConfig parse_config(const NamedJson& config, const NamedJson& generation) {
  const Fields fields(config.json, config.file, "");
  const std::string type = fields.text("model_type", "");
  if (type != "qwen2_audio")
    fields.fail("model_type", type.empty() ? "is missing" : "is " + type + "; only qwen2_audio can be used");
  ModelConfig out;
  out.audio = read_audio(fields.child("audio_config"));
  const Fields text = fields.child("text_config");
  out.text = read_text(text);
  // The released file repeats vocab_size at the top level; transformers takes the text part's.
  out.text.tied_embeddings = text.flag("tie_word_embeddings", fields.flag("tie_word_embeddings", false));
  out.audio_token =
      fields.whole("audio_token_index", fields.whole("audio_token_id", out.audio_token, 0, kMaxVocabulary), 0, kMaxVocabulary);
  out.generation = read_generation(Fields(generation.json, generation.file, ""));
  if (out.generation.eos_ids.empty() && text.has("eos_token_id"))
    out.generation.eos_ids.push_back(text.whole("eos_token_id", 0, 0, kMaxVocabulary));
  return out;
}

}  // namespace

ModelConfig read_model_config(const std::string& path) {
  return parse_config({path, read_model_json(path)}, {path, Json::object()});
}

ModelConfig load_model_config(const std::string& model) {
  const ModelFiles files = find_model_files(model);
  const std::filesystem::path dir(files.dir);
  std::error_code ignored;
  const bool has_config = !files.dir.empty() && std::filesystem::exists(dir / "config.json", ignored);
  if (files.is_gguf() && !has_config) {
    const GgufFile text = GgufFile::open(files.text_gguf), mmproj = GgufFile::open(files.mmproj_gguf);
    return parse_config({text.path(), gguf_config_json(text, mmproj)}, {text.path(), gguf_generation_json(text)});
  }
  const std::string path = (dir / "config.json").string(), generation = (dir / "generation_config.json").string();
  NamedJson config{path, read_model_json(path)}, values{generation, Json::object()};
  if (std::filesystem::exists(generation, ignored)) values.json = read_model_json(generation);
  return parse_config(config, values);
}

}  // namespace areason
