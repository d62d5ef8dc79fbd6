#include "cota/import_table.h"

#include "base/error.h"
#include "cota/annotate.h"

namespace areason {
namespace {

constexpr std::size_t kLongestRow = 1 << 20;  // bytes: an unclosed quote must not swallow the file

// Length of the UTF-8 sequence at `at`, 0 when there is none.
std::size_t sequence(const std::string& text, std::size_t at) {
  const auto c = static_cast<unsigned char>(text[at]);
  const std::size_t length = c < 0x80                ? 1
                             : c >= 0xc2 && c < 0xe0 ? 2
                             : c >= 0xe0 && c < 0xf0 ? 3
                             : c >= 0xf0 && c < 0xf5 ? 4
                                                     : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (at + i >= text.size() || (static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80) return 0;
  }
  return length;
}

}  // namespace

std::string as_utf8(const std::string& text) {
  const std::string body = text.rfind("\xef\xbb\xbf", 0) == 0 ? text.substr(3) : text;
  bool valid = true;
  for (std::size_t at = 0; valid && at < body.size();) {
    const std::size_t length = sequence(body, at);
    valid = length > 0;
    at += length;
  }
  if (valid) return body;
  std::string out;
  for (const char c : body) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      out += c;
    } else {
      out += static_cast<char>(0xc0 | (byte >> 6));
      out += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return out;
}

void refuse_wide_text(std::ifstream& in, const std::string& path) {
  char bytes[64] = {};
  in.read(bytes, sizeof bytes);
  const std::string begin(bytes, static_cast<std::size_t>(in.gcount()));
  in.clear();
  in.seekg(0);
  // A byte order mark, or the zero byte that UTF-16 has in every Latin letter.
  if (begin.starts_with("\xff\xfe") || begin.starts_with("\xfe\xff") || begin.find('\0') != std::string::npos)
    throw Error(ErrorCode::kInput, path + ": no UTF-8 text; it looks like UTF-16",
                "save the table as UTF-8, or: iconv -f UTF-16 -t UTF-8 TABLE > NEW");
}

TableReader::TableReader(const std::string& path, char delimiter, Quoting quoting) : TableReader(path, delimiter, quoting, {}) {
  std::vector<std::string> header;
  if (!read_row(header)) throw Error(ErrorCode::kInput, path + ": empty", "expected a table with a header line");
  for (std::size_t i = 0; i < header.size(); ++i) columns_.emplace(trimmed(header[i]), i);
}

TableReader::TableReader(const std::string& path, char delimiter, Quoting quoting, const std::vector<std::string>& columns)
    : path_(path), delimiter_(delimiter), quoting_(quoting), comments_(!columns.empty()), in_(path, std::ios::binary) {
  if (!in_)
    throw Error(ErrorCode::kInput, path + ": cannot be opened", "check the path; docs/cota.md says what each source needs");
  refuse_wide_text(in_, path);
  for (std::size_t i = 0; i < columns.size(); ++i) columns_.emplace(columns[i], i);
}

bool TableReader::next() {
  do {
    if (!read_row(row_)) return false;
  } while ((row_.size() == 1 && trimmed(row_[0]).empty()) || (comments_ && row_[0].rfind("#", 0) == 0));
  return true;
}

std::string TableReader::operator[](const std::string& column) const {
  const auto it = columns_.find(column);
  return it == columns_.end() || it->second >= row_.size() ? "" : trimmed(row_[it->second]);
}

std::vector<std::string> TableReader::columns() const {
  std::vector<std::string> out;
  for (const auto& [name, index] : columns_) out.push_back(name);
  return out;
}

void TableReader::require(const std::vector<std::string>& columns) const {
  for (const std::string& column : columns) {
    if (!has_column(column))
      throw Error(ErrorCode::kInput, path_ + ": no column \"" + column + "\"", "is it the file as released, with its header?");
  }
}

std::string TableReader::where() const { return path_ + ", line " + std::to_string(row_line_); }

bool TableReader::read_row(std::vector<std::string>& row) {
  row.assign(1, "");
  std::string line;
  if (!std::getline(in_, line)) return false;
  row_line_ = ++line_;
  bool quoted = false;
  std::size_t size = 0;
  for (;;) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    line = as_utf8(line);
    bool field_start = !quoted;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
        row.back() += '"';
        ++i;
      } else if (quoted && c == '"') {
        quoted = false;
      } else if (quoting_ == Quoting::kBackslash && c == '\\' && i + 1 < line.size()) {
        row.back() += line[++i];
      } else if (!quoted && c == delimiter_) {
        row.emplace_back();
        field_start = true;
        continue;
      } else if (!quoted && quoting_ == Quoting::kRfc4180 && c == '"' && field_start) {
        row.back().clear();
        quoted = true;
      } else {
        row.back() += c;
      }
      // AudioSet writes a blank between comma and quote.
      field_start = field_start && !quoted && c == ' ';
    }
    size += line.size() + 1;
    if (!quoted || size > kLongestRow || !std::getline(in_, line)) return true;
    ++line_;
    row.back() += '\n';
  }
}

}  // namespace areason
