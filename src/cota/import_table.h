#pragma once
// Tables as data sets are released: CSV after RFC 4180 (quotes, line breaks inside them, any delimiter) and TSV without
// quoting. Rows are found by column name. Text that is no UTF-8 is taken for ISO-8859-1 (Clotho's metadata). Called by the
// importers. Thread rule: one thread a reader. Errors: Error(kInput) naming the file.
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace areason {

// kBackslash: no quotes either, and a backslash takes the next character as it is (Common Voice, CoVoST 2).
enum class Quoting { kRfc4180, kNone, kBackslash };

class TableReader {
 public:
  // Reads the header line.
  TableReader(const std::string& path, char delimiter, Quoting quoting);
  // With column names given by the caller, for files without a header; lines that begin with '#' are skipped.
  TableReader(const std::string& path, char delimiter, Quoting quoting, const std::vector<std::string>& columns);

  // The next row; false at the end. A row with another number of fields than the header is still given (see fields()).
  bool next();
  // The field of a column, trimmed; "" when the row or the table lacks it.
  std::string operator[](const std::string& column) const;
  std::vector<std::string> columns() const;
  bool has_column(const std::string& column) const { return columns_.contains(column); }
  // Throws Error(kInput) naming the first column that is missing.
  void require(const std::vector<std::string>& columns) const;
  const std::vector<std::string>& fields() const { return row_; }
  bool complete() const { return row_.size() >= columns_.size(); }
  std::string where() const;  // "file, line 12"

 private:
  bool read_row(std::vector<std::string>& row);
  std::string path_;
  char delimiter_;
  Quoting quoting_;
  bool comments_ = false;
  std::ifstream in_;
  std::map<std::string, std::size_t> columns_;
  std::vector<std::string> row_;
  int line_ = 0, row_line_ = 0;
};

// Refuses what is no text of one byte a character or UTF-8, by its first bytes: UTF-16, archives. Leaves `in` at its begin.
void refuse_wide_text(std::ifstream& in, const std::string& path);
// `text`, or its bytes read as ISO-8859-1 when it is no valid UTF-8. A byte order mark is dropped.
std::string as_utf8(const std::string& text);

}  // namespace areason
