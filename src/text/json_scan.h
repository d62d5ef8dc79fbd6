#pragma once
// A pull scanner over JSON text for the two large tables of a tokenizer (11 MB in Qwen's): nothing is built, strings are views
// into the text or into a scratch buffer. Everything small goes through base/json.h. Called by the tokenizer's loader.
// Errors: Error(kModel) naming the file and the byte offset. Thread rule: one thread per scanner.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace areason {

class JsonScanner {
 public:
  JsonScanner(std::string_view text, const std::string& what) : text_(text), what_(what) {}

  // Calls member(key) for every member; it must consume the value. The key's bytes live until the next string().
  template <typename F>
  void object(F&& member) {
    expect('{');
    if (take_if('}')) return;
    do {
      const std::string_view key = string();
      expect(':');
      member(key);
    } while (take_if(','));
    expect('}');
  }
  template <typename F>
  void array(F&& item) {
    expect('[');
    if (take_if(']')) return;
    do item();
    while (take_if(','));
    expect(']');
  }
  // A string's value; the view lives until the next string().
  std::string_view string();
  std::int64_t integer();
  // Passes over one value of any kind and returns its text (brackets and strings matched, nothing else checked).
  std::string_view skip();
  // First character of the next value.
  char peek() {
    skip_space();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  // Nothing but white space may follow.
  void finish();
  [[noreturn]] void fail(const std::string& why) const;

 private:
  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) ++at_;
  }
  void expect(char c) {
    if (!take_if(c)) fail(std::string("'") + c + "' expected");
  }
  bool take_if(char c) {
    skip_space();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void skip_string();
  void unescape(std::string_view raw);
  std::uint32_t unescape_code(std::string_view raw, std::size_t& i) const;
  std::uint32_t hex4(std::string_view raw, std::size_t at) const;

  std::string_view text_;
  std::string what_;
  std::size_t at_ = 0;
  std::string scratch_;
};

}  // namespace areason
