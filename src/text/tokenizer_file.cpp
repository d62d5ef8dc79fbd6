#include <cstdlib>
#include <filesystem>
#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "text/byte_level.h"
#include "text/json_scan.h"
#include "text/tokenizer_data.h"

namespace areason {
namespace {

constexpr std::uint64_t kLargestFile = std::uint64_t{256} << 20;  // Qwen's tokenizer.json has 11 MB

[[noreturn]] void bad_file(const std::string& file, const std::string& what) {
  throw Error(ErrorCode::kModel, file + ": " + what, "check that the checkpoint is complete or fetch it again");
}

// Files of a checkpoint: whatever is wrong with them is the model's fault, not the input's.
std::string read_model_file(const std::string& path) {
  try {
    return read_file(path, kLargestFile);
  } catch (const Error& e) {
    throw Error(ErrorCode::kModel, e.what(), e.hint());
  }
}
Json parse_model_json(std::string_view text, const std::string& file) {
  try {
    return parse_json(text, file);
  } catch (const Error& e) {
    throw Error(ErrorCode::kModel, e.what(), e.hint());
  }
}

void parse_vocab(std::string_view text, const std::string& file, BpeModel& model) {
  JsonScanner scan(text, file);
  std::string raw, token;
  scan.object([&](std::string_view key) {
    raw.clear();
    const bool byte_level = append_raw_bytes(key, raw);
    if (!byte_level) token.assign(key);
    const std::int64_t id = scan.integer();
    if (id < 0 || id > BpeModel::kMaxId) scan.fail("token id " + std::to_string(id) + " is out of range");
    if (model.has(static_cast<TokenId>(id))) scan.fail("token id " + std::to_string(id) + " is given twice");
    if (byte_level)
      model.add_token(raw, static_cast<TokenId>(id));
    else
      model.add_decode_only(token, static_cast<TokenId>(id));
  });
  scan.finish();
}

class MergeReader {
 public:
  MergeReader(const std::string& file, BpeModel& model) : file_(file), model_(model) {}

  void add(std::string_view left, std::string_view right) {
    left_.clear();
    right_.clear();
    if (!append_raw_bytes(left, left_) || !append_raw_bytes(right, right_) || !model_.add_merge(left_, right_))
      bad_file(file_, "a merge with a token that is not in the vocabulary: " + std::string(left.substr(0, 80)) + " " +
                          std::string(right.substr(0, 80)));
  }
  // "left right", the form of merges.txt and of older tokenizer.json files.
  void add_line(std::string_view line) {
    const auto space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos)
      bad_file(file_, "a merge is not two tokens: " + std::string(line.substr(0, 80)));
    add(line.substr(0, space), line.substr(space + 1));
  }

 private:
  const std::string& file_;
  BpeModel& model_;
  std::string left_, right_;
};

void parse_merges_json(std::string_view text, const std::string& file, BpeModel& model) {
  JsonScanner scan(text, file);
  MergeReader reader(file, model);
  std::string left, right;
  scan.array([&] {
    if (scan.peek() == '"') return reader.add_line(scan.string());
    int parts = 0;
    scan.array([&] {
      const std::string_view part = scan.string();
      if (++parts == 1) left.assign(part);
      if (parts == 2) right.assign(part);
    });
    if (parts != 2) scan.fail("a merge is not two tokens");
    reader.add(left, right);
  });
  scan.finish();
}

void parse_merges_text(std::string_view text, const std::string& file, BpeModel& model) {
  MergeReader reader(file, model);
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t end = text.find('\n', begin);
    if (end == std::string_view::npos) end = text.size();
    std::string_view line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && !(begin == 0 && line.starts_with("#version"))) reader.add_line(line);
    begin = end + 1;
  }
}

void reserve_tables(std::string_view vocab, std::string_view merges, BpeModel& model) {
  // Rough counts from the sizes (an entry takes 16 bytes or more in practice) keep the tables from growing.
  model.reserve(std::min<std::size_t>(vocab.size() / 16, 1 << 20), std::min<std::size_t>(merges.size() / 16, 1 << 20));
}

bool flag(const Json& json, const char* key) {
  const auto at = json.find(key);
  return at != json.end() && at->is_boolean() && at->get<bool>();
}

AddedToken added_token_from(const Json& json, std::int64_t id, const std::string& file) {
  const auto content = json.find("content");
  if (content == json.end() || !content->is_string()) bad_file(file, "an added token without content");
  if (id < 0 || id > BpeModel::kMaxId) bad_file(file, "added token id " + std::to_string(id) + " is out of range");
  return {.id = static_cast<TokenId>(id),
          .content = content->get<std::string>(),
          .single_word = flag(json, "single_word"),
          .lstrip = flag(json, "lstrip"),
          .rstrip = flag(json, "rstrip"),
          .normalized = flag(json, "normalized"),
          .special = flag(json, "special")};
}

void parse_added_tokens(const Json& list, const std::string& file, Tokenizer::Data& data) {
  if (!list.is_array()) bad_file(file, "added_tokens is not a list");
  for (const Json& entry : list) {
    const auto id = entry.is_object() ? entry.find("id") : entry.end();
    if (id == entry.end() || !id->is_number_integer()) bad_file(file, "an added token without an id");
    data.add_added_token(added_token_from(entry, id->get<std::int64_t>(), file));
  }
}

struct ModelParts {
  std::string_view vocab, merges;
  Json rest = Json::object();
};

ModelParts split_model(JsonScanner& scan, const std::string& file) {
  ModelParts parts;
  scan.object([&](std::string_view key) {
    if (key == "vocab") {
      parts.vocab = scan.skip();
    } else if (key == "merges") {
      parts.merges = scan.skip();
    } else {
      const std::string name(key);
      parts.rest[name] = parse_model_json(scan.skip(), file + " (model." + name + ")");
    }
  });
  return parts;
}

void apply_model(const ModelParts& parts, const std::string& file, BpeModel& model) {
  const Json& rest = parts.rest;
  if (const auto type = rest.find("type"); type != rest.end() && *type != "BPE")
    throw Error(ErrorCode::kModel, file + ": a tokenizer of type " + type->dump() + " is not supported",
                "use a checkpoint with a byte-level BPE tokenizer");
  if (parts.vocab.empty() || parts.merges.empty()) bad_file(file, "the model has no vocab or no merges");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (const auto at = rest.find(key); at != rest.end() && at->is_string() && *at != "")
      bad_file(file, std::string("model.") + key + " is not supported");
  reserve_tables(parts.vocab, parts.merges, model);
  parse_vocab(parts.vocab, file + " (model.vocab)", model);
  parse_merges_json(parts.merges, file + " (model.merges)", model);
  if (flag(rest, "ignore_merges")) model.set_ignore_merges();
  if (const auto unknown = rest.find("unk_token"); unknown != rest.end() && unknown->is_string()) {
    const TokenId id = model.find(unknown->get<std::string>());
    model.set_unknown(id, flag(rest, "fuse_unk") ? BpeModel::FuseUnknown::kYes : BpeModel::FuseUnknown::kNo);
  }
}

// Added tokens that only these files know: tokenizer_config.json's added_tokens_decoder and the older added_tokens.json.
// Returns tokenizer_config.json (an empty object when there is none).
Json read_side_files(const std::string& dir, Tokenizer::Data& data) {
  Json config = Json::object();
  const std::string config_path = dir + "/tokenizer_config.json";
  if (std::filesystem::exists(config_path)) {
    config = parse_model_json(read_model_file(config_path), config_path);
    if (!config.is_object()) bad_file(config_path, "not a JSON object");
    if (const auto decoder = config.find("added_tokens_decoder"); decoder != config.end() && decoder->is_object())
      for (const auto& [id, entry] : decoder->items()) {
        if (!entry.is_object()) bad_file(config_path, "an added token is not an object");
        data.add_added_token(added_token_from(entry, std::atoll(id.c_str()), config_path));
      }
  }
  const std::string added_path = dir + "/added_tokens.json";
  if (std::filesystem::exists(added_path)) {
    const Json added = parse_model_json(read_model_file(added_path), added_path);
    if (!added.is_object()) bad_file(added_path, "not a JSON object");
    for (const auto& [content, id] : added.items()) {
      if (!id.is_number_integer()) bad_file(added_path, "an id is not a number");
      const Json entry = {{"content", content}, {"special", true}};
      data.add_added_token(added_token_from(entry, id.get<std::int64_t>(), added_path));
    }
  }
  return config;
}

void load_vocab_and_merges(const std::string& dir, Tokenizer::Data& data) {
  const std::string vocab = read_model_file(dir + "/vocab.json"), merges = read_model_file(dir + "/merges.txt");
  reserve_tables(vocab, merges, data.model);
  parse_vocab(vocab, dir + "/vocab.json", data.model);
  parse_merges_text(merges, dir + "/merges.txt", data.model);
  const Json config = read_side_files(dir, data);
  // These two files say nothing about the pre-tokenizer: the class does, and Qwen2's is the default.
  const auto name = config.find("tokenizer_class");
  const bool gpt2 = name != config.end() && name->is_string() && name->get<std::string>().starts_with("GPT2");
  data.pre_tokenizer = gpt2 ? PreTokenizer::gpt2() : PreTokenizer::qwen2();
  if (!gpt2) data.normalizer = Normalizer::nfc();
}

// The pre-tokenizers by llama.cpp's names (src/llama-vocab.cpp), of the models that this program meets.
void apply_pre_name(const TokenLists& lists, Tokenizer::Data& data) {
  if (lists.pre == "qwen2") {
    data.pre_tokenizer = PreTokenizer::qwen2();
    data.normalizer = Normalizer::nfc();
  } else if (lists.pre == "gpt-2" || lists.pre == "gpt2") {
    data.pre_tokenizer = PreTokenizer::gpt2();
  } else if (lists.pre == "smollm") {
    const Json steps = {{{"type", "Digits"}, {"individual_digits", true}},
                        {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}};
    data.pre_tokenizer = PreTokenizer::from_json({{"type", "Sequence"}, {"pretokenizers", steps}}, lists.where);
  } else {
    bad_file(lists.where, "the pre-tokenizer " + std::string(lists.pre.substr(0, 40)) + " is not known");
  }
}

}  // namespace

std::unique_ptr<Tokenizer::Data> read_token_lists(const TokenLists& lists) {
  constexpr std::int64_t kControl = 3, kUserDefined = 4, kUnused = 5;  // llama.h, llama_token_type
  auto data = std::make_unique<Tokenizer::Data>();
  if (lists.tokens.empty() || lists.types.size() != lists.tokens.size())
    bad_file(lists.where, "the lists of tokens and of their types do not fit");
  if (lists.tokens.size() > static_cast<std::size_t>(BpeModel::kMaxId)) bad_file(lists.where, "too many tokens");
  apply_pre_name(lists, *data);
  data->model.reserve(lists.tokens.size(), lists.merges.size());
  std::string raw;
  for (std::size_t i = 0; i < lists.tokens.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    const std::int64_t type = lists.types[i];
    if (type == kControl || type == kUserDefined) {
      data->add_added_token({.id = id, .content = std::string(lists.tokens[i]), .special = type == kControl});
    } else if (type != kUnused) {
      raw.clear();
      if (append_raw_bytes(lists.tokens[i], raw))
        data->model.add_token(raw, id);
      else
        data->model.add_decode_only(lists.tokens[i], id);
    }
  }
  MergeReader reader(lists.where, data->model);
  for (const std::string_view merge : lists.merges) reader.add_line(merge);
  return data;
}

void Tokenizer::Data::add_added_token(AddedToken token) {
  if (token.content.empty() || added_by_content.contains(token.content) || added_by_id.contains(token.id)) return;
  const AddedToken& kept = added.emplace_back(std::move(token));
  if (!model.has(kept.id)) model.add_decode_only(kept.content, kept.id);
  added_by_content.emplace(kept.content, &kept);
  added_by_id.emplace(kept.id, &kept);
  if (kept.normalized)
    normalized_matcher.add(&kept, normalizer.apply(kept.content));
  else
    raw_matcher.add(&kept, kept.content);
}

void parse_tokenizer_json(std::string_view text, const std::string& file, Tokenizer::Data& data) {
  JsonScanner scan(text, file);
  ModelParts model;
  Json parts = Json::object();
  scan.object([&](std::string_view key) {
    const std::string name(key);
    if (name == "model")
      model = split_model(scan, file);
    else
      parts[name] = parse_model_json(scan.skip(), file + " (" + name + ")");
  });
  scan.finish();
  try {
    apply_model(model, file, data.model);
    data.normalizer = Normalizer::from_json(parts.value("normalizer", Json()), file);
    data.pre_tokenizer = PreTokenizer::from_json(parts.value("pre_tokenizer", Json()), file);
    if (const auto added = parts.find("added_tokens"); added != parts.end() && !added->is_null())
      parse_added_tokens(*added, file, data);
  } catch (const Json::exception& e) {  // a value of an unexpected type
    bad_file(file, "a part has the wrong type");
  }
}

std::unique_ptr<Tokenizer::Data> load_tokenizer_files(const std::string& dir) {
  auto data = std::make_unique<Tokenizer::Data>();
  const auto exists = [&](const char* name) { return std::filesystem::exists(dir + "/" + name); };
  if (exists("tokenizer.json")) {
    const std::string file = dir + "/tokenizer.json";
    parse_tokenizer_json(read_model_file(file), file, *data);
    read_side_files(dir, *data);
  } else if (exists("vocab.json") && exists("merges.txt")) {
    load_vocab_and_merges(dir, *data);
  } else {
    throw Error(ErrorCode::kModel, dir + " has no tokenizer.json and no vocab.json with merges.txt",
                "point --model at a complete checkpoint directory");
  }
  return data;
}

}  // namespace areason
