#include "model/gguf_vocabulary.h"

#include <filesystem>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "text/byte_level.h"
#include "text/qwen2_files.h"
#include "text/tokenizer.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

// llama.h, enum llama_token_type
constexpr std::int32_t kNormal = 1, kControl = 3, kUserDefined = 4, kUnused = 5;

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Json read_tokenizer_json(const std::string& path) {
  try {
    return read_json_file(path);
  } catch (const Error& e) {
    throw Error(ErrorCode::kModel, e.what(), e.hint());
  }
}

[[noreturn]] void bad_merges(const std::string& path) {
  throw Error(ErrorCode::kModel, path + ": the merges are not pairs of tokens", "restore the released tokenizer files");
}

// "left right" in order of rank, from tokenizer.json (pairs or strings) or merges.txt.
std::vector<std::string> read_merges(const std::string& dir) {
  std::vector<std::string> out;
  const std::string path = dir + "/tokenizer.json";
  if (!exists(path)) {
    const std::string text = read_file(dir + "/merges.txt");
    for (std::size_t begin = 0, end = 0; begin < text.size(); begin = end + 1) {
      end = std::min(text.find('\n', begin), text.size());
      std::string line = text.substr(begin, end - begin);
      if (line.ends_with('\r')) line.pop_back();
      if (!line.empty() && !(begin == 0 && line.starts_with("#version"))) out.push_back(std::move(line));
    }
    return out;
  }
  const Json json = read_tokenizer_json(path);
  const Json model = json.is_object() ? json.value("model", Json()) : Json();
  const Json merges = model.is_object() ? model.value("merges", Json()) : Json();
  if (!merges.is_array()) bad_merges(path);
  for (const Json& merge : merges) {
    const bool pair = merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string();
    if (!pair && !merge.is_string()) bad_merges(path);
    out.push_back(pair ? merge[0].get<std::string>() + " " + merge[1].get<std::string>() : merge.get<std::string>());
  }
  return out;
}

std::string read_chat_template(const std::string& dir) {
  if (exists(dir + "/chat_template.jinja")) return read_file(dir + "/chat_template.jinja");
  for (const char* name : {"chat_template.json", "tokenizer_config.json"}) {
    if (!exists(dir + "/" + name)) continue;
    const Json json = read_tokenizer_json(dir + "/" + name);
    if (json.is_object() && json.contains("chat_template") && json["chat_template"].is_string())
      return json["chat_template"].get<std::string>();
  }
  return kQwen2AudioChatTemplate;
}

void add_tokens(const Tokenizer& tokenizer, int vocabulary, GgufHead& head) {
  std::vector<std::string> tokens;
  std::vector<std::int32_t> types;
  for (TokenId id = 0; id < vocabulary; ++id) {
    const std::string_view raw = id < tokenizer.size() ? tokenizer.bytes(id) : std::string_view();
    const bool added = !raw.empty() && tokenizer.special_id(raw) == id;
    if (raw.empty()) {  // rows of the embedding that no text reaches; llama.cpp's converter names them so
      tokens.push_back("[PAD" + std::to_string(id) + "]");
      types.push_back(kUnused);
    } else if (added) {
      tokens.emplace_back(raw);
      types.push_back(tokenizer.is_special(id) ? kControl : kUserDefined);
    } else {
      tokens.push_back(to_byte_level(raw));
      types.push_back(kNormal);
    }
  }
  head.add_texts("tokenizer.ggml.tokens", tokens);
  head.add_i32s("tokenizer.ggml.token_type", types);
}

}  // namespace

void add_vocabulary(const std::string& model_dir, const ModelConfig& config, GgufHead& head) {
  const Tokenizer tokenizer = Tokenizer::load(model_dir);
  if (tokenizer.size() > config.text.vocab_size)
    throw Error(ErrorCode::kModel,
                model_dir + ": the tokenizer has " + std::to_string(tokenizer.size()) + " ids, the model " +
                    std::to_string(config.text.vocab_size),
                "the tokenizer files belong to another checkpoint");
  head.add_text("tokenizer.ggml.model", "gpt2");
  head.add_text("tokenizer.ggml.pre", "qwen2");
  add_tokens(tokenizer, config.text.vocab_size, head);
  head.add_texts("tokenizer.ggml.merges", read_merges(model_dir));
  const auto id_of = [&](const char* token, int otherwise) {
    return tokenizer.special_id(token).value_or(static_cast<TokenId>(otherwise));
  };
  const int first_end = config.generation.eos_ids.empty() ? 0 : config.generation.eos_ids.front();
  const auto u32 = [](TokenId id) { return static_cast<std::uint32_t>(id); };
  const TokenId end_of_turn = id_of("<|im_end|>", first_end), end_of_text = id_of("<|endoftext|>", first_end);
  head.add_u32("tokenizer.ggml.eos_token_id", u32(end_of_turn));
  head.add_u32("tokenizer.ggml.padding_token_id", u32(config.generation.pad_id >= 0 ? config.generation.pad_id : end_of_text));
  head.add_u32("tokenizer.ggml.bos_token_id", u32(end_of_text));
  head.add_flag("tokenizer.ggml.add_bos_token", false);
  head.add_text("tokenizer.chat_template", read_chat_template(model_dir));
}

}  // namespace areason
