#include "eval/python_text.h"

#include <fmt/format.h>
#include <unicode/locid.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <cmath>
#include <cstdint>

#include "text/utf8.h"

namespace areason::py {
namespace {

constexpr std::size_t kLongestInt = 4300;  // sys.int_info.default_max_str_digits of Python 3.11

icu::UnicodeString to_icu(std::string_view text) {
  return icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
}

std::string from_icu(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}

// The start of the last character of `text`.
std::size_t last_char(std::string_view text) {
  std::size_t at = text.size() - 1;
  for (int back = 0; back < 3 && at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80; ++back) --at;
  return at;
}

bool is_c_space(char32_t c) { return c == ' ' || (c >= 9 && c <= 13); }

// What int() sees: digits of other scripts and white space beyond ASCII become ASCII, all else beyond ASCII becomes "?".
// (CPython, Objects/unicodeobject.c, _PyUnicode_TransformDecimalAndSpaceToASCII)
std::string ascii_number(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = next_char(text, at);
    if (c < 128) {
      out += static_cast<char>(c);
    } else if (is_space(c)) {
      out += ' ';
    } else {
      const std::int32_t digit = u_charDigitValue(static_cast<UChar32>(c));
      const bool decimal = u_charType(static_cast<UChar32>(c)) == U_DECIMAL_DIGIT_NUMBER;
      out += decimal && digit >= 0 ? static_cast<char>('0' + digit) : '?';
    }
  }
  return out;
}

}  // namespace

// Python 3.11's str.isspace(), enumerated over all code points.
bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_word(char32_t c) { return c == '_' || (U_GET_GC_MASK(static_cast<UChar32>(c)) & (U_GC_L_MASK | U_GC_N_MASK)) != 0; }

char32_t next_char(std::string_view text, std::size_t& at) {
  UChar32 c = 0;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  auto i = static_cast<std::int64_t>(at);
  U8_NEXT(bytes, i, static_cast<std::int64_t>(text.size()), c);
  at = static_cast<std::size_t>(i);
  return c < 0 ? U'\uFFFD' : static_cast<char32_t>(c);
}

std::u32string decode(std::string_view text) {
  std::u32string out;
  for (std::size_t at = 0; at < text.size();) out += next_char(text, at);
  return out;
}

std::string encode(std::u32string_view text) {
  std::string out;
  for (const char32_t c : text) {
    std::uint8_t bytes[4];
    std::int32_t n = 0;
    U8_APPEND_UNSAFE(bytes, n, static_cast<UChar32>(c));
    out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(n));
  }
  return out;
}

std::string_view lstrip(std::string_view text) {
  std::size_t at = 0, next = 0;
  while (next < text.size() && is_space(next_char(text, next))) at = next;
  return text.substr(at);
}

std::string_view rstrip(std::string_view text) {
  while (!text.empty()) {
    const std::size_t begin = last_char(text);
    std::size_t at = begin;
    if (!is_space(next_char(text, at)) || at != text.size()) break;
    text = text.substr(0, begin);
  }
  return text;
}

std::string_view strip(std::string_view text) { return rstrip(lstrip(text)); }

std::string_view strip_char(std::string_view text, char c) {
  while (!text.empty() && text.front() == c) text.remove_prefix(1);
  while (!text.empty() && text.back() == c) text.remove_suffix(1);
  return text;
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t here = at;
    if (!is_space(next_char(text, at))) continue;
    if (here > begin) out.push_back(text.substr(begin, here - begin));
    begin = at;
  }
  if (begin < text.size()) out.push_back(text.substr(begin));
  return out;
}

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t here = at;
    const char32_t c = next_char(text, at);
    const bool ends = (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
    if (!ends) continue;
    if (c == '\r' && at < text.size() && text[at] == '\n') ++at;
    out.push_back(text.substr(begin, here - begin));
    begin = at;
  }
  if (begin < text.size()) out.push_back(text.substr(begin));
  return out;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  std::size_t begin = 0;
  for (std::size_t at = text.find(from); at != std::string_view::npos; at = text.find(from, begin)) {
    out.append(text.substr(begin, at - begin)).append(to);
    begin = at + from.size();
  }
  return out.append(text.substr(begin));
}

std::string lower(std::string_view text) {
  if (is_ascii(text)) {
    std::string out(text);
    for (char& c : out)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return out;
  }
  return from_icu(to_icu(text).toLower(icu::Locale::getRoot()));
}

std::string upper(std::string_view text) { return from_icu(to_icu(text).toUpper(icu::Locale::getRoot())); }

std::set<std::string> word_tokens(std::string_view text) {
  const std::string low = lower(text);
  const std::string_view view = low;
  std::set<std::string> out;
  std::size_t begin = std::string_view::npos;
  for (std::size_t at = 0; at < view.size();) {
    const std::size_t here = at;
    const bool word = is_word(next_char(view, at));
    if (word && begin == std::string_view::npos) begin = here;
    if (!word && begin != std::string_view::npos) {
      out.emplace(view.substr(begin, here - begin));
      begin = std::string_view::npos;
    }
  }
  if (begin != std::string_view::npos) out.emplace(view.substr(begin));
  return out;
}

std::optional<double> to_int(std::string_view text) {
  const std::string ascii = ascii_number(text);
  std::size_t begin = 0, end = ascii.size();
  while (begin < end && is_c_space(static_cast<unsigned char>(ascii[begin]))) ++begin;
  while (end > begin && is_c_space(static_cast<unsigned char>(ascii[end - 1]))) --end;
  const bool negative = begin < end && ascii[begin] == '-';
  if (begin < end && (ascii[begin] == '-' || ascii[begin] == '+')) ++begin;
  std::string digits;
  char before = '_';  // an underscore may not come first
  for (; begin < end; before = ascii[begin++]) {
    const char c = ascii[begin];
    if (c == '_' && before != '_') continue;
    if (c < '0' || c > '9') return std::nullopt;
    digits += c;
  }
  if (digits.empty() || before == '_' || digits.size() > kLongestInt) return std::nullopt;
  const double value = std::strtod(digits.c_str(), nullptr);
  return negative ? -value : value;
}

std::string repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::string out = fmt::format("{}", value);
  if (out.find_first_of(".e") == std::string::npos) out += ".0";
  return out;
}

// str.isprintable() of one character: neither a separator but the space nor "other" (control, format, unassigned …).
static bool is_printable(char32_t c) {
  constexpr std::uint32_t kHidden = U_GC_C_MASK | U_GC_Z_MASK;
  return c == U' ' || (U_GET_GC_MASK(static_cast<UChar32>(c)) & kHidden) == 0;
}

std::string repr(std::string_view text) {
  const char quote = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t c = next_char(text, at);
    if (c == U'\n' || c == U'\t' || c == U'\r') {
      out += c == U'\n' ? "\\n" : c == U'\t' ? "\\t" : "\\r";
    } else if (!is_printable(c)) {
      const auto code = static_cast<std::uint32_t>(c);
      out += code < 0x100     ? fmt::format("\\x{:02x}", code)
             : code < 0x10000 ? fmt::format("\\u{:04x}", code)
                              : fmt::format("\\U{:08x}", code);
    } else {
      if (c == static_cast<char32_t>(quote) || c == U'\\') out += '\\';
      out += text.substr(begin, at - begin);
    }
  }
  return out + quote;
}

}  // namespace areason::py
