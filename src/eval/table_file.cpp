#include "eval/table_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "base/error.h"
#include "base/interrupt.h"
#include "text/utf8.h"

namespace areason {
namespace {

using Row = std::vector<std::string>;

// Cuts bytes into rows.
class TableParser {
 public:
  TableParser(const TableDialect& dialect, const RecordLimits& limits, std::function<void(Row&&)> each)
      : dialect_(dialect), limits_(limits), each_(std::move(each)) {}

  void push(char c) {
    if (escaped_) {
      escaped_ = false;
      return keep(c);
    }
    if (carriage_return_) {
      carriage_return_ = false;
      if (c != '\n') keep('\r');
    }
    if (after_quote_) {
      after_quote_ = false;
      if (c == '"') return keep('"');
      in_quotes_ = false;
    }
    plain(c);
  }

  void finish() {
    if (escaped_) keep('\\');
    if (carriage_return_) keep('\r');
    end_row();
  }

  long too_long = 0, too_complex = 0;

 private:
  void plain(char c) {
    if (dialect_.escape == TableDialect::Escape::kBackslash && c == '\\') {
      escaped_ = true;
    } else if (in_quotes_) {
      c == '"' ? void(after_quote_ = true) : keep(c);
    } else if (c == '"' && dialect_.quoting == TableDialect::Quoting::kDoubled && field_.empty()) {
      in_quotes_ = any_ = true;
    } else if (c == dialect_.separator) {
      end_field();
    } else if (c == '\n') {
      end_row();
    } else if (c == '\r') {
      carriage_return_ = true;
    } else {
      keep(c);
    }
  }

  void keep(char c) {
    any_ = true;
    if (++bytes_ <= limits_.bytes) field_ += c;
  }

  void end_field() {
    any_ = true;
    if (row_.size() <= limits_.values) row_.push_back(std::move(field_));
    field_.clear();
  }

  void end_row() {
    if (any_) end_field();
    if (bytes_ > limits_.bytes) {
      ++too_long;
    } else if (row_.size() > limits_.values) {
      ++too_complex;
    } else if (any_) {
      each_(std::move(row_));
    }
    if (field_.capacity() > (std::size_t{1} << 20)) std::string().swap(field_);
    field_.clear();
    Row().swap(row_);
    bytes_ = 0;
    any_ = in_quotes_ = false;
  }

  const TableDialect& dialect_;
  const RecordLimits& limits_;
  std::function<void(Row&&)> each_;
  std::size_t bytes_ = 0;
  std::string field_;
  Row row_;
  bool in_quotes_ = false, any_ = false, escaped_ = false, carriage_return_ = false, after_quote_ = false;
};

// Rows by the columns of the first one.
class RowReader {
 public:
  RowReader(Counts& counts, const std::function<void(TableRow&&)>& each) : counts_(counts), each_(each) {}

  void add(Row&& row) {
    throw_if_interrupted();
    for (std::string& field : row) {
      if (is_valid_utf8(field)) continue;
      counts_.add("invalid_utf8");
      field = repair_utf8(field);
    }
    if (header_.empty()) {
      header_ = std::move(row);
    } else if (row.size() != header_.size()) {
      counts_.add("bad_row");
    } else {
      TableRow named;
      for (std::size_t i = 0; i < row.size(); ++i) named[header_[i]] = std::move(row[i]);
      each_(std::move(named));
    }
  }

 private:
  Counts& counts_;
  const std::function<void(TableRow&&)>& each_;
  Row header_;
};

}  // namespace

std::vector<std::vector<std::string>> parse_table(std::string_view text, const TableDialect& dialect) {
  std::vector<Row> rows;
  const RecordLimits limits;
  TableParser parser(dialect, limits, [&](Row&& row) { rows.push_back(std::move(row)); });
  for (const char c : text) parser.push(c);
  parser.finish();
  return rows;
}

void read_table(const TableSource& source, Counts& counts, const std::function<void(TableRow&&)>& each) {
  std::ifstream in(source.path, std::ios::binary);
  if (!in)
    throw Error(ErrorCode::kInput, "cannot open " + source.path + ": " + std::strerror(errno),
                "check the path and its permissions");
  RowReader reader(counts, each);
  TableParser parser(source.dialect, source.limits, [&](Row&& row) { reader.add(std::move(row)); });
  char buffer[1 << 16];
  bool first = true;
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0) {
    std::string_view block(buffer, static_cast<std::size_t>(in.gcount()));
    if (first && block.starts_with("\xEF\xBB\xBF")) block.remove_prefix(3);
    first = false;
    for (const char c : block) parser.push(c);
  }
  parser.finish();
  if (parser.too_long > 0) counts.add("record_too_long", parser.too_long);
  if (parser.too_complex > 0) counts.add("record_too_complex", parser.too_complex);
}

}  // namespace areason
