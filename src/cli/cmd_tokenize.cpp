// audio-reasoner tokenize: texts in, token ids out, a line each; so that anybody can check the tokenizer.
#include <iostream>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/paths.h"
#include "model/model_files.h"
#include "text/tokenizer.h"

namespace areason {
namespace {

struct TokenizeFlags {
  std::string model;
  bool json = false;
  bool user_text = false;
  bool decode = false;
};

[[noreturn]] void bad_line(std::size_t line, const std::string& what) {
  throw Error(ErrorCode::kInput, "standard input, line " + std::to_string(line) + ": " + what,
              "see audio-reasoner tokenize --help for the form of a line");
}

std::string encode_line(const Tokenizer& tokenizer, const TokenizeFlags& flags, const std::string& line, std::size_t number) {
  std::string text = line;
  if (flags.json) {
    const Json value = parse_json(line, "standard input, line " + std::to_string(number));
    if (!value.is_string()) bad_line(number, "not a JSON string");
    text = value.get<std::string>();
  }
  const auto ids = tokenizer.encode(text, flags.user_text ? SpecialTokens::kAsText : SpecialTokens::kParse);
  if (flags.json) return Json(ids).dump();
  std::string out;
  for (const TokenId id : ids) out += (out.empty() ? "" : " ") + std::to_string(id);
  return out;
}

std::string decode_line(const Tokenizer& tokenizer, const std::string& line, std::size_t number) {
  const Json value = parse_json(line, "standard input, line " + std::to_string(number));
  if (!value.is_array()) bad_line(number, "not a JSON list of ids");
  std::vector<TokenId> ids;
  for (const Json& id : value) {
    if (!id.is_number_integer() || id < 0 || id >= tokenizer.size()) bad_line(number, "no such token: " + id.dump());
    ids.push_back(id.get<TokenId>());
  }
  return dump_json(Json(tokenizer.decode(ids)));
}

void run_tokenize(const TokenizeFlags& flags) {
  const Tokenizer tokenizer = load_model_tokenizer(flags.model.empty() ? default_model_dir() : flags.model);
  std::string line;
  for (std::size_t number = 1; std::getline(std::cin, line); ++number) {
    throw_if_interrupted();
    const std::string out = flags.decode ? decode_line(tokenizer, line, number) : encode_line(tokenizer, flags, line, number);
    std::cout << out << '\n';
    if (!std::cout)
      throw Error(ErrorCode::kFailure, "standard output cannot be written", "check the disk or the reader of the pipe");
  }
  std::cout.flush();
}

}  // namespace

void register_tokenize(CLI::App& app) {
  auto flags = std::make_shared<TokenizeFlags>();
  CLI::App* command = app.add_subcommand("tokenize", "texts from standard input, a line each, to token ids");
  command->add_option("--model", flags->model, "checkpoint directory, or TEXT.gguf[,MMPROJ.gguf] (default: the built-in nano)")
      ->type_name("MODEL");
  command->add_flag("--json", flags->json, "a line in is a JSON string, a line out a JSON list of ids");
  command->add_flag("--user-text", flags->user_text, "special tokens in a text stay plain text, as in a user's question");
  command->add_flag("--decode", flags->decode, "the other way: a line in is a JSON list of ids, a line out a JSON string")
      ->excludes("--user-text");
  command->callback([flags] { run_tokenize(*flags); });
}

}  // namespace areason
