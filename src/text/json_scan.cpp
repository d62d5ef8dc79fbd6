#include "text/json_scan.h"

#include <charconv>

namespace areason {
namespace {

void append_utf8(std::uint32_t c, std::string& out) {
  const auto tail = [](std::uint32_t bits) { return static_cast<char>(0x80 | (bits & 0x3F)); };
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
  } else if (c < 0x800) {
    out.push_back(static_cast<char>(0xC0 | (c >> 6)));
    out.push_back(tail(c));
  } else if (c < 0x10000) {
    out.push_back(static_cast<char>(0xE0 | (c >> 12)));
    out.push_back(tail(c >> 6));
    out.push_back(tail(c));
  } else {
    out.push_back(static_cast<char>(0xF0 | (c >> 18)));
    out.push_back(tail(c >> 12));
    out.push_back(tail(c >> 6));
    out.push_back(tail(c));
  }
}

}  // namespace

void JsonScanner::fail(const std::string& why) const {
  throw Error(ErrorCode::kModel, what_ + " is not valid JSON: " + why + " at byte " + std::to_string(at_),
              "check that the file is complete (its size, its checksum) or fetch it again");
}

void JsonScanner::skip_string() {
  while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
  if (at_ >= text_.size()) {
    at_ = text_.size();
    fail("a string without an end");
  }
  ++at_;
}

std::string_view JsonScanner::string() {
  expect('"');
  const std::size_t begin = at_;
  skip_string();
  const std::string_view raw = text_.substr(begin, at_ - 1 - begin);
  if (raw.find('\\') == std::string_view::npos) return raw;
  unescape(raw);
  return scratch_;
}

std::uint32_t JsonScanner::hex4(std::string_view raw, std::size_t at) const {
  if (at + 4 > raw.size()) fail("a short \\u escape");
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(raw.data() + at, raw.data() + at + 4, value, 16);
  if (error != std::errc{} || end != raw.data() + at + 4) fail("a bad \\u escape");
  return value;
}

// The code point of the \u escape whose digits begin at `i`; moves `i` to the last byte used. Half a pair becomes U+FFFD.
std::uint32_t JsonScanner::unescape_code(std::string_view raw, std::size_t& i) const {
  std::uint32_t c = hex4(raw, i);
  i += 3;
  if (c >= 0xD800 && c < 0xDC00 && raw.substr(i + 1, 2) == "\\u") {
    const std::uint32_t low = hex4(raw, i + 3);
    if (low >= 0xDC00 && low < 0xE000) {
      i += 6;
      return 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
  }
  return c >= 0xD800 && c < 0xE000 ? 0xFFFD : c;
}

void JsonScanner::unescape(std::string_view raw) {
  static constexpr std::string_view kEscapes = "\"\\/bfnrt", kMeanings = "\"\\/\b\f\n\r\t";
  scratch_.clear();
  for (std::size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '\\') {
      scratch_.push_back(raw[i]);
    } else if (raw[++i] == 'u') {  // skip_string() made sure that something follows a backslash
      append_utf8(unescape_code(raw, ++i), scratch_);
    } else {
      const auto at = kEscapes.find(raw[i]);
      if (at == std::string_view::npos) fail("an unknown escape");
      scratch_.push_back(kMeanings[at]);
    }
  }
}

std::int64_t JsonScanner::integer() {
  skip_space();
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
  if (error != std::errc{}) fail("a whole number expected");
  at_ = static_cast<std::size_t>(end - text_.data());
  return value;
}

std::string_view JsonScanner::skip() {
  skip_space();
  const std::size_t begin = at_;
  std::size_t depth = 0;
  do {
    if (at_ >= text_.size()) fail("the text ends within a value");
    const char c = text_[at_];
    if (c == '"') {
      ++at_;
      skip_string();
    } else if (c == '{' || c == '[') {
      ++depth;
      ++at_;
    } else if (c == '}' || c == ']') {
      if (depth == 0) fail("a value expected");
      --depth;
      ++at_;
    } else if (depth == 0) {  // a number, true, false or null
      while (at_ < text_.size() && std::string_view(",]} \n\r\t").find(text_[at_]) == std::string_view::npos) ++at_;
      if (at_ == begin) fail("a value expected");
    } else {
      ++at_;
    }
  } while (depth > 0);
  return text_.substr(begin, at_ - begin);
}

void JsonScanner::finish() {
  skip_space();
  if (at_ != text_.size()) fail("text after the end");
}

}  // namespace areason
