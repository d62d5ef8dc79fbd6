#pragma once
// Byte-level BPE as in a checkpoint's tokenizer.json (or vocab.json + merges.txt): NFC, the Qwen2 pre-tokenizer pattern or
// another one the file asks for, added tokens. Called by chat, infer, cota and the trainer.
// Errors: Error(kModel) naming the file for anything that cannot be used. Thread rule: constant after load().
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace areason {

using TokenId = std::int32_t;

// What the text "<|im_end|>" in an input means.
enum class SpecialTokens {
  kParse,   // the special token, as the reference tokenizer does
  kAsText,  // plain characters: text of users never becomes a special token
};

// A vocabulary as GGUF files carry it: lists instead of JSON. Views must live until the tokenizer is made.
struct TokenLists {
  std::string where;                     // names the file in errors
  std::string_view pre;                  // tokenizer.ggml.pre: "qwen2", "smollm", "gpt-2", "llama-bpe"
  std::vector<std::string_view> tokens;  // by id, in the byte-level alphabet
  std::vector<std::int64_t> types;       // llama.cpp's: 1 normal, 3 control, 4 user-defined, 5 unused
  std::vector<std::string_view> merges;  // "left right", in order of rank
};

class Tokenizer {
 public:
  static Tokenizer load(const std::string& model_dir);
  static Tokenizer from_lists(const TokenLists& lists);
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  std::vector<TokenId> encode(std::string_view text, SpecialTokens specials) const;
  // A text in pieces, some of them special tokens: adjacent plain pieces are one run for BPE (design.md, contracts).
  struct Piece {
    std::string text;
    bool special = false;  // `text` is the content of an added token
  };
  std::vector<TokenId> encode_pieces(std::span<const Piece> pieces) const;
  // Bytes of the ids, invalid UTF-8 replaced as Python's errors="replace" does. Special tokens are kept unless told.
  std::string decode(std::span<const TokenId> ids, bool skip_special = false) const;

  // One past the largest id that has a token (config.json's vocab_size may be larger).
  int size() const;
  // The raw bytes a token stands for (for an added token its content). Empty for ids without a token.
  std::string_view bytes(TokenId id) const;
  bool is_special(TokenId id) const;
  // Id of an added token by its content.
  std::optional<TokenId> special_id(std::string_view content) const;

  struct Data;  // private tables, named here for the loader

 private:
  explicit Tokenizer(std::unique_ptr<Data> data);
  std::unique_ptr<Data> data_;
};

// Turns a stream of ids into text without ever emitting half a UTF-8 character.
class StreamDetokenizer {
 public:
  explicit StreamDetokenizer(const Tokenizer& tokenizer) : tokenizer_(&tokenizer) {}
  // The text that became complete with this id; may be empty.
  std::string push(TokenId id);
  // What is left, with U+FFFD for an incomplete character.
  std::string flush();

 private:
  const Tokenizer* tokenizer_;
  std::string pending_;
};

}  // namespace areason
