#include "model/gguf_config.h"

#include "base/error.h"
#include "base/json.h"
#include "model/bad_file.h"

namespace areason {
namespace {

// Which metadata key stands for which field of a config object; absent keys leave the field to its default.
struct Field {
  const char* key;
  const char* field;
};
constexpr Field kTextWhole[] = {{"qwen2.embedding_length", "hidden_size"},
                                {"qwen2.feed_forward_length", "intermediate_size"},
                                {"qwen2.block_count", "num_hidden_layers"},
                                {"qwen2.attention.head_count", "num_attention_heads"},
                                {"qwen2.attention.head_count_kv", "num_key_value_heads"},
                                {"qwen2.attention.key_length", "head_dim"},
                                {"qwen2.context_length", "max_position_embeddings"}};
constexpr Field kTextNumbers[] = {{"qwen2.attention.layer_norm_rms_epsilon", "rms_norm_eps"},
                                  {"qwen2.rope.freq_base", "rope_theta"}};
constexpr Field kAudioWhole[] = {{"clip.audio.embedding_length", "d_model"},
                                 {"clip.audio.feed_forward_length", "encoder_ffn_dim"},
                                 {"clip.audio.block_count", "encoder_layers"},
                                 {"clip.audio.attention.head_count", "encoder_attention_heads"},
                                 {"clip.audio.num_mel_bins", "num_mel_bins"}};

template <std::size_t N>
void copy_whole(const GgufFile& file, const Field (&fields)[N], Json& out) {
  for (const auto& field : fields)
    if (const auto value = file.whole(field.key)) out[field.field] = *value;
}

void require(const GgufFile& file, const char* key, std::string_view wanted) {
  const auto have = file.text(key);
  if (have != wanted)
    throw Error(ErrorCode::kModel,
                file.path() + ": " + key + " is " + (have ? std::string(have->substr(0, 40)) : "missing") + ", not " +
                    std::string(wanted),
                "take a GGUF pair of Qwen2-Audio: a text model (qwen2) and its mmproj (qwen2a)");
}

std::int64_t rows_of(const GgufFile& file, const char* name) {
  const GgufTensor* tensor = file.find_tensor(name);
  if (tensor == nullptr || tensor->shape.empty()) bad_model_file(file.path(), std::string("tensor ") + name + " is missing");
  return tensor->shape.front();
}

// A token by its text.
std::optional<std::size_t> token_id(const std::vector<std::string_view>& tokens, std::string_view token) {
  for (std::size_t i = tokens.size(); i-- > 0;)  // the added tokens come last
    if (tokens[i] == token) return i;
  return std::nullopt;
}

Json embedded_json(const GgufFile& file, const char* key) {
  const auto text = file.text(key);
  if (!text) return Json();
  try {
    return parse_json(*text, file.path() + " (" + key + ")");
  } catch (const Error& e) {
    throw Error(ErrorCode::kModel, e.what(), e.hint());
  }
}

}  // namespace

Json gguf_config_json(const GgufFile& text, const GgufFile& mmproj) {
  require(text, "general.architecture", "qwen2");
  require(mmproj, "general.architecture", "clip");
  require(mmproj, mmproj.find("clip.projector_type") != nullptr ? "clip.projector_type" : "clip.audio.projector_type",
          "qwen2a");
  if (const auto scaling = text.text("qwen2.rope.scaling.type"); scaling && *scaling != "none")
    bad_model_file(text.path(), "qwen2.rope.scaling.type is " + std::string(*scaling) + "; only none is known");
  Json decoder = {{"model_type", "qwen2"}, {"vocab_size", rows_of(text, "token_embd.weight")}};
  copy_whole(text, kTextWhole, decoder);
  for (const auto& field : kTextNumbers)
    if (const auto value = text.number(field.key)) decoder[field.field] = *value;
  if (!decoder.contains("num_key_value_heads") && decoder.contains("num_attention_heads"))
    decoder["num_key_value_heads"] = decoder["num_attention_heads"];
  decoder["tie_word_embeddings"] = text.find_tensor("output.weight") == nullptr;
  Json audio = {{"model_type", "qwen2_audio_encoder"}, {"max_source_positions", rows_of(mmproj, "a.position_embd.weight")}};
  copy_whole(mmproj, kAudioWhole, audio);
  Json config = {{"model_type", "qwen2_audio"}, {"audio_config", audio}, {"text_config", decoder}};
  if (const auto id = token_id(text.texts("tokenizer.ggml.tokens"), "<|AUDIO|>")) config["audio_token_index"] = *id;
  return config;
}

Json gguf_generation_json(const GgufFile& text) {
  Json own = embedded_json(text, kGgufGenerationKey);
  if (own.is_object()) return own;
  // As llama.cpp does for others' files: the named end tokens, and those that end a turn or a text by their name.
  Json ends = Json::array();
  const auto add = [&](std::int64_t id) {
    for (const auto& have : ends)
      if (have == id) return;
    if (id >= 0) ends.push_back(static_cast<std::uint64_t>(id));
  };
  for (const char* key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"})
    if (const auto id = text.whole(key)) add(*id);
  const auto tokens = text.texts("tokenizer.ggml.tokens");
  for (const char* name : {"<|im_end|>", "<|endoftext|>"})
    if (const auto id = token_id(tokens, name)) add(static_cast<std::int64_t>(*id));
  return {{"eos_token_id", ends}};
}

Tokenizer gguf_tokenizer(const GgufFile& text) {
  require(text, "tokenizer.ggml.model", "gpt2");
  TokenLists lists;
  lists.where = text.path();
  lists.pre = text.text("tokenizer.ggml.pre").value_or("");
  lists.tokens = text.texts("tokenizer.ggml.tokens");
  lists.types = text.wholes("tokenizer.ggml.token_type");
  lists.merges = text.texts("tokenizer.ggml.merges");
  return Tokenizer::from_lists(lists);
}

LogMelConfig gguf_log_mel_config(const GgufFile& mmproj) {
  const Json own = embedded_json(mmproj, kGgufPreprocessorKey);
  if (own.is_object()) return parse_log_mel_config(own, mmproj.path());
  Json whisper = Json::object();
  if (const auto bins = mmproj.whole("clip.audio.num_mel_bins")) whisper["feature_size"] = *bins;
  return parse_log_mel_config(whisper, mmproj.path());
}

}  // namespace areason
