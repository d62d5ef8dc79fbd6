#include "eval/table_file.h"

#include "base/files.h"
#include "text/utf8.h"

namespace areason {
namespace {

class TableParser {
 public:
  TableParser(std::string_view text, const TableDialect& dialect) : text_(text), dialect_(dialect) {}

  std::vector<std::vector<std::string>> rows() {
    while (at_ < text_.size()) step();
    end_row();
    return std::move(rows_);
  }

 private:
  void step() {
    const char c = text_[at_++];
    if (dialect_.escape == TableDialect::Escape::kBackslash && c == '\\' && at_ < text_.size()) {
      keep(text_[at_++]);
    } else if (in_quotes_) {
      quoted(c);
    } else if (c == '"' && dialect_.quoting == TableDialect::Quoting::kDoubled && field_.empty()) {
      in_quotes_ = true;
      any_ = true;
    } else if (c == dialect_.separator) {
      row_.push_back(std::move(field_));
      field_.clear();
      any_ = true;
    } else if (c == '\n') {
      end_row();
    } else if (c != '\r' || at_ >= text_.size() || text_[at_] != '\n') {
      keep(c);
    }
  }

  void quoted(char c) {
    if (c != '"') return keep(c);
    if (at_ < text_.size() && text_[at_] == '"') {
      ++at_;
      keep('"');
    } else {
      in_quotes_ = false;
    }
  }

  void keep(char c) {
    field_ += c;
    any_ = true;
  }

  void end_row() {
    if (any_) {
      row_.push_back(std::move(field_));
      rows_.push_back(std::move(row_));
    }
    field_.clear();
    row_.clear();
    any_ = in_quotes_ = false;
  }

  std::string_view text_;
  const TableDialect& dialect_;
  std::size_t at_ = 0;
  std::string field_;
  std::vector<std::string> row_;
  std::vector<std::vector<std::string>> rows_;
  bool in_quotes_ = false, any_ = false;
};

}  // namespace

std::vector<std::vector<std::string>> parse_table(std::string_view text, const TableDialect& dialect) {
  return TableParser(text, dialect).rows();
}

void read_table(const std::string& path, const TableDialect& dialect, Counts& counts,
                const std::function<void(TableRow&&)>& each) {
  std::string text = read_file(path);
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  if (!is_valid_utf8(text)) {
    counts.add("invalid_utf8");
    text = repair_utf8(text);
  }
  const auto rows = parse_table(text, dialect);
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].size() != rows[0].size()) {
      counts.add("bad_row");
      continue;
    }
    TableRow row;
    for (std::size_t c = 0; c < rows[0].size(); ++c) row[rows[0][c]] = rows[i][c];
    each(std::move(row));
  }
}

}  // namespace areason
