#include "text/qwen2_files.h"

#include "base/files.h"
#include "base/json.h"
#include "text/byte_level.h"

namespace areason {

const char* const kQwen2Pattern =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

const char* const kQwen2AudioChatTemplate =
    "{% set audio_count = namespace(value=0) %}{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ message['role'] }}\n{% if message['content'] is string %}{{ message['content'] }}<|im_end|>\n{% else %}"
    "{% for content in message['content'] %}"
    "{% if 'audio' in content or 'audio_url' in content or message['type'] == 'audio' or content['type'] == 'audio' %}"
    "{% set audio_count.value = audio_count.value + 1 %}"
    "Audio {{ audio_count.value }}: <|audio_bos|><|AUDIO|><|audio_eos|>\n"
    "{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

namespace {

Json added_token(const std::string& content) {
  return {{"content", content}, {"lstrip", false},      {"normalized", false},
          {"rstrip", false},    {"single_word", false}, {"special", true}};
}

Json tokenizer_json(const BpeVocabulary& v, const Json& vocab) {
  Json added = Json::array();
  for (std::size_t i = 0; i < v.special_tokens.size(); ++i) {
    Json entry = {{"id", v.tokens.size() + i}};
    entry.update(added_token(v.special_tokens[i]));
    added.push_back(entry);
  }
  Json merges = Json::array();
  for (const auto& [left, right] : v.merges) merges.push_back({to_byte_level(left), to_byte_level(right)});
  const Json split = {{"type", "Split"}, {"pattern", {{"Regex", kQwen2Pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
  const auto byte_level = [](bool prefix_space, bool use_regex) {
    return Json{{"type", "ByteLevel"}, {"add_prefix_space", prefix_space}, {"trim_offsets", true}, {"use_regex", use_regex}};
  };
  Json result;
  result["version"] = "1.0";
  result["truncation"] = nullptr;
  result["padding"] = nullptr;
  result["added_tokens"] = added;
  result["normalizer"] = {{"type", "NFC"}};
  result["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", Json::array({split, byte_level(false, false)})}};
  result["post_processor"] = nullptr;
  result["decoder"] = byte_level(true, true);
  result["model"] = {{"type", "BPE"},
                     {"dropout", nullptr},
                     {"unk_token", nullptr},
                     {"continuing_subword_prefix", ""},
                     {"end_of_word_suffix", ""},
                     {"fuse_unk", false},
                     {"byte_fallback", false},
                     {"ignore_merges", false},
                     {"vocab", vocab},
                     {"merges", merges}};
  return result;
}

Json tokenizer_config(const BpeVocabulary& v) {
  Json decoder = Json::object();
  Json additional = Json::array();
  for (std::size_t i = 0; i < v.special_tokens.size(); ++i) {
    decoder[std::to_string(v.tokens.size() + i)] = added_token(v.special_tokens[i]);
    if (i > 0) additional.push_back(v.special_tokens[i]);  // the first one is the padding token
  }
  Json result;
  result["add_prefix_space"] = false;
  result["added_tokens_decoder"] = decoder;
  result["additional_special_tokens"] = additional;
  result["bos_token"] = nullptr;
  result["clean_up_tokenization_spaces"] = false;
  result["eos_token"] = v.special_tokens.empty() ? Json(nullptr) : Json(v.special_tokens.front());
  result["errors"] = "replace";
  result["model_max_length"] = 32768;
  result["pad_token"] = result["eos_token"];
  result["processor_class"] = "Qwen2AudioProcessor";
  result["split_special_tokens"] = false;
  result["tokenizer_class"] = "Qwen2Tokenizer";
  result["unk_token"] = nullptr;
  result["chat_template"] = kQwen2AudioChatTemplate;
  return result;
}

}  // namespace

void write_qwen2_files(const BpeVocabulary& v, const std::string& out_dir) {
  make_directories(out_dir);
  // Built as text: ordered_json looks every key up before it inserts one, which is quadratic in the vocabulary.
  std::string vocab_text = "{";
  for (std::size_t id = 0; id < v.tokens.size(); ++id)
    vocab_text += (id ? "," : "") + Json(to_byte_level(v.tokens[id])).dump() + ":" + std::to_string(id);
  vocab_text += "}";
  const std::string marker = "@vocabulary@";
  std::string tokenizer_text = dump_json(tokenizer_json(v, marker), 1);
  const auto at = tokenizer_text.find("\"" + marker + "\"");
  tokenizer_text.replace(at, marker.size() + 2, vocab_text);
  std::string merges_text = "#version: 0.2\n";
  for (const auto& [left, right] : v.merges) merges_text += to_byte_level(left) + " " + to_byte_level(right) + "\n";

  write_file_atomic(out_dir + "/tokenizer.json", tokenizer_text + "\n");
  write_file_atomic(out_dir + "/vocab.json", vocab_text + "\n");
  write_file_atomic(out_dir + "/merges.txt", merges_text);
  write_file_atomic(out_dir + "/tokenizer_config.json", dump_json(tokenizer_config(v), 2) + "\n");
  write_file_atomic(out_dir + "/chat_template.jinja", kQwen2AudioChatTemplate);
}

}  // namespace areason
