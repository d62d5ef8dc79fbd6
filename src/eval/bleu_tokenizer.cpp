#include "eval/bleu_tokenizer.h"

#include "base/error.h"
#include "eval/python_text.h"
#include "text/utf8.h"

namespace areason {
namespace {

// TokenizerZh._is_chinese_char enumerated over all code points (sacrebleu 2.6.0). Its source means Extension B by five-digit \u
// escapes, which Python reads as a four-digit one and a digit: so U+2001 to U+2A6D is "Chinese" and Extension B is not.
bool is_chinese(char32_t c) {
  struct Range {
    char32_t first, last;
  };
  static constexpr Range kRanges[] = {{0x2001, 0x2A6D}, {0x2E80, 0x2FDF}, {0x2FF0, 0x303F}, {0x3100, 0x312F}, {0x31A0, 0x31EF},
                                      {0x3200, 0x4DB5}, {0x4E00, 0x9FBB}, {0xF900, 0xFA2D}, {0xFA30, 0xFA6A}, {0xFA70, 0xFAD9},
                                      {0xFE10, 0xFE1F}, {0xFE30, 0xFE4F}, {0xFF00, 0xFFEF}};
  for (const Range& range : kRanges)
    if (c >= range.first && c <= range.last) return true;
  return false;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_point(char c) { return c == '.' || c == ','; }
// {|}~ [\]^_` space..& (..+ :..@ /
bool is_symbol(char c) {
  return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') ||
         (c >= ':' && c <= '@') || c == '/';
}

// Each pass is one re.sub of TokenizerRegexp. All patterns match ASCII or one character before or after it, and insert spaces
// only at the border of the ASCII character, so that bytes may stand for code points.
std::string space_symbols(std::string_view text) {
  std::string out;
  out.reserve(text.size() * 2);
  for (const char c : text) {
    if (is_symbol(c)) {
      out.append({' ', c, ' '});
    } else {
      out += c;
    }
  }
  return out;
}

// ([^0-9])([\.,]) -> \1 \2 + space. A match takes both characters.
std::string split_after_non_digit(std::string_view text) {
  std::string out;
  out.reserve(text.size() * 2);
  for (std::size_t i = 0; i < text.size();) {
    if (i + 1 < text.size() && !is_digit(text[i]) && is_point(text[i + 1])) {
      out.append({text[i], ' ', text[i + 1], ' '});
      i += 2;
    } else {
      out += text[i++];
    }
  }
  return out;
}

// ([\.,])([^0-9]) -> space + \1 \2
std::string split_before_non_digit(std::string_view text) {
  std::string out;
  out.reserve(text.size() * 2);
  for (std::size_t i = 0; i < text.size();) {
    if (i + 1 < text.size() && is_point(text[i]) && !is_digit(text[i + 1])) {
      out.append({' ', text[i], ' ', text[i + 1]});
      i += 2;
    } else {
      out += text[i++];
    }
  }
  return out;
}

// ([0-9])(-) -> \1 \2 + space
std::string split_dash_after_digit(std::string_view text) {
  std::string out;
  out.reserve(text.size() * 2);
  for (std::size_t i = 0; i < text.size();) {
    if (i + 1 < text.size() && is_digit(text[i]) && text[i + 1] == '-') {
      out.append({text[i], ' ', '-', ' '});
      i += 2;
    } else {
      out += text[i++];
    }
  }
  return out;
}

std::string post_tokenize(std::string_view text) {
  const std::string spaced = split_dash_after_digit(split_before_non_digit(split_after_non_digit(space_symbols(text))));
  std::string out;
  out.reserve(spaced.size());
  for (const std::string_view token : py::split(spaced)) {
    if (!out.empty()) out += ' ';
    out += token;
  }
  return out;
}

std::string tokenize_13a(std::string_view text) {
  std::string line = py::replace_all(text, "<skipped>", "");
  line = py::replace_all(line, "-\n", "");
  line = py::replace_all(line, "\n", " ");
  if (line.find('&') != std::string::npos) {
    line = py::replace_all(line, "&quot;", "\"");
    line = py::replace_all(line, "&amp;", "&");
    line = py::replace_all(line, "&lt;", "<");
    line = py::replace_all(line, "&gt;", ">");
  }
  return post_tokenize(" " + line + " ");
}

std::string tokenize_zh(std::string_view text) {
  text = py::strip(text);
  std::string line;
  line.reserve(text.size() * 2);
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const bool chinese = is_chinese(py::next_char(text, at));
    if (chinese) line += ' ';
    line += text.substr(begin, at - begin);
    if (chinese) line += ' ';
  }
  return post_tokenize(line);
}

}  // namespace

BleuTokenizer bleu_tokenizer(std::string_view name) {
  if (name == "13a") return BleuTokenizer::k13a;
  if (name == "zh") return BleuTokenizer::kZh;
  throw Error(ErrorCode::kUsage, "there is no BLEU tokenizer " + std::string(name), "13a and zh are built in");
}

std::string_view bleu_tokenizer_name(BleuTokenizer tokenizer) { return tokenizer == BleuTokenizer::kZh ? "zh" : "13a"; }

std::string bleu_tokenize(std::string_view text, BleuTokenizer tokenizer) {
  const std::string repaired = is_valid_utf8(text) ? std::string(text) : repair_utf8(text);
  return tokenizer == BleuTokenizer::kZh ? tokenize_zh(repaired) : tokenize_13a(repaired);
}

}  // namespace areason
