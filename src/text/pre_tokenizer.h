#pragma once
// The normalizer and pre-tokenizer that a tokenizer.json asks for: text -> normalised text -> words for BPE. Called by the
// tokenizer. Errors: Error(kModel) naming the file and the part it cannot do. Thread rule: constant after construction.
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "text/normalize.h"

namespace areason {

class Normalizer {
 public:
  // A `normalizer` entry: null, NFC, NFD, NFKC, NFKD or a Sequence of them.
  static Normalizer from_json(const Json& json, const std::string& file);
  static Normalizer nfc();
  std::string apply(std::string_view text) const;

 private:
  std::vector<Normalization> forms_;
};

class PreTokenizer {
 public:
  // A `pre_tokenizer` entry that ends with ByteLevel: plain, or a Sequence of Split, Digits and ByteLevel.
  static PreTokenizer from_json(const Json& json, const std::string& file);
  static PreTokenizer qwen2();
  static PreTokenizer gpt2();
  // Words of valid UTF-8 `text`. Views point into `text` or into `storage` (words that got a leading space).
  std::vector<std::string_view> split(std::string_view text, std::deque<std::string>& storage) const;

  struct Step {
    virtual ~Step() = default;
    virtual void split(std::string_view text, std::vector<std::string_view>& words) const = 0;
    // True for the step that puts a space before every word that has none.
    virtual bool adds_prefix_space() const { return false; }
  };

 private:
  std::vector<std::shared_ptr<const Step>> steps_;
};

}  // namespace areason
