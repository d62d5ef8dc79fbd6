#include "text/split_words.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace areason {
namespace {

enum class CharClass : std::uint8_t { kLetter, kNumber, kSpace, kOther };

CharClass classify(UChar32 c) {
  const std::uint32_t category = U_GET_GC_MASK(c);
  if (category & U_GC_L_MASK) return CharClass::kLetter;
  if (category & U_GC_N_MASK) return CharClass::kNumber;
  return u_isUWhiteSpace(c) ? CharClass::kSpace : CharClass::kOther;
}

const std::array<CharClass, 128>& ascii_classes() {
  static const auto table = [] {
    std::array<CharClass, 128> t{};
    for (int c = 0; c < 128; ++c) t[static_cast<std::size_t>(c)] = classify(c);
    return t;
  }();
  return table;
}

struct Char {
  UChar32 code = -1;  // -1 at the end of the text
  std::size_t next = 0;
  CharClass cls = CharClass::kOther;
  bool is(CharClass wanted) const { return code >= 0 && cls == wanted; }
};

// Walks over one text; positions are byte offsets.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text), ascii_(ascii_classes()) {}

  Char at(std::size_t i) const {
    if (i >= text_.size()) return {-1, i, CharClass::kOther};
    const auto first = static_cast<std::uint8_t>(text_[i]);
    if (first < 0x80) return {first, i + 1, ascii_[first]};
    UChar32 code;
    U8_NEXT_UNSAFE(text_.data(), i, code);
    return {code, i, classify(code)};
  }
  std::size_t run_end(std::size_t i, CharClass cls) const {
    for (Char c = at(i); c.is(cls); c = at(i)) i = c.next;
    return i;
  }
  std::size_t newlines_end(std::size_t i) const {
    while (i < text_.size() && (text_[i] == '\r' || text_[i] == '\n')) ++i;
    return i;
  }
  // \s+(?!\S)|\s+ at a white-space character: all of a run but its last character, unless the text ends or the run is one.
  std::size_t spaces_end(std::size_t i) const {
    std::size_t last = i, end = i;
    for (Char c = at(i); c.is(CharClass::kSpace); c = at(end)) {
      last = end;
      end = c.next;
    }
    return end == text_.size() || last == i ? end : last;
  }
  // \s*[\r\n]+: up to the last line end of the white-space run; `i` itself when there is none.
  std::size_t last_newline_end(std::size_t i) const {
    std::size_t found = i;
    for (Char c = at(i); c.is(CharClass::kSpace); c = at(c.next))
      if (c.code == '\r' || c.code == '\n') found = c.next;
    return found;
  }
  // End of 's, 't, 're, 've, 'm, 'll or 'd at an apostrophe; `i` itself when there is none.
  std::size_t contraction_end(std::size_t i, UChar32 (*fold)(UChar32)) const {
    const Char first = at(i + 1);
    const UChar32 a = fold(first.code);
    if (a == 's' || a == 't' || a == 'm' || a == 'd') return first.next;
    const Char second = at(first.next);
    const UChar32 b = fold(second.code);
    const bool two = (a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l');
    return two ? second.next : i;
  }

 private:
  std::string_view text_;
  const std::array<CharClass, 128>& ascii_;
};

// (?i:…) folds U+017F (long s) to s, as Oniguruma does in the reference tokenizer; no other character folds to these letters.
UChar32 fold_case(UChar32 c) {
  if (c >= 'A' && c <= 'Z') return c + ('a' - 'A');
  return c == 0x17F ? 's' : c;
}
UChar32 keep_case(UChar32 c) { return c; }

std::size_t qwen2_word_end(const Scanner& scan, std::size_t i, int max_digits) {
  const Char c = scan.at(i);
  if (c.code == '\'') {
    const std::size_t end = scan.contraction_end(i, fold_case);
    if (end > i) return end;
  }
  if (c.cls == CharClass::kLetter) return scan.run_end(c.next, CharClass::kLetter);
  if (c.cls == CharClass::kNumber) {
    std::size_t end = c.next;
    for (int k = 1; k < max_digits && scan.at(end).is(CharClass::kNumber); ++k) end = scan.at(end).next;
    return end;
  }
  if (c.code != '\r' && c.code != '\n' && scan.at(c.next).is(CharClass::kLetter))
    return scan.run_end(c.next, CharClass::kLetter);
  const std::size_t from = c.code == ' ' ? c.next : i;
  const std::size_t end = scan.run_end(from, CharClass::kOther);
  if (end > from) return scan.newlines_end(end);
  const std::size_t newline = scan.last_newline_end(i);
  return newline > i ? newline : scan.spaces_end(i);
}

std::size_t gpt2_word_end(const Scanner& scan, std::size_t i) {
  const Char c = scan.at(i);
  if (c.code == '\'') {
    const std::size_t end = scan.contraction_end(i, keep_case);
    if (end > i) return end;
  }
  const Char body = c.code == ' ' ? scan.at(c.next) : c;
  if (body.code >= 0 && body.cls != CharClass::kSpace) return scan.run_end(body.next, body.cls);
  return scan.spaces_end(i);
}

}  // namespace

void split_qwen2(std::string_view text, int max_digits, std::vector<std::string_view>& words) {
  const Scanner scan(text);
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = qwen2_word_end(scan, i, max_digits);
    words.push_back(text.substr(i, end - i));
    i = end;
  }
}

void split_gpt2(std::string_view text, std::vector<std::string_view>& words) {
  const Scanner scan(text);
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = gpt2_word_end(scan, i);
    words.push_back(text.substr(i, end - i));
    i = end;
  }
}

void split_digits(std::string_view text, DigitGroups groups, std::vector<std::string_view>& words) {
  const Scanner scan(text);
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size();) {
    const Char c = scan.at(i);
    if (c.cls != CharClass::kNumber) {
      i = c.next;
      continue;
    }
    if (i > begin) words.push_back(text.substr(begin, i - begin));
    const std::size_t end = groups == DigitGroups::kSingle ? c.next : scan.run_end(i, CharClass::kNumber);
    words.push_back(text.substr(i, end - i));
    begin = i = end;
  }
  if (begin < text.size()) words.push_back(text.substr(begin));
}

}  // namespace areason
