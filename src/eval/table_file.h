#pragma once
// Tables with a header line, as the benchmarks release them: MELD's CSV (RFC 4180) and CoVoST's TSV (no quoting, escape
// character "\"; facts/evaluation.md 3 and 4). Read as a stream with bounded memory: a row over the limit is skipped and
// counted. Called by items.h. Errors: Error(kInput) for a file that cannot be read; a row with another number of fields than
// the header is counted. Thread rule: free functions.
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "eval/counts.h"
#include "eval/record_reader.h"

namespace areason {

struct TableDialect {
  char separator = ',';
  enum class Quoting { kDoubled, kNone } quoting = Quoting::kDoubled;  // kDoubled: "…" with "" inside
  enum class Escape { kNone, kBackslash } escape = Escape::kNone;
};
inline constexpr TableDialect kCsv{};
inline constexpr TableDialect kCovostTsv{'\t', TableDialect::Quoting::kNone, TableDialect::Escape::kBackslash};

// All rows, the header included. Line ends are LF or CRLF; empty lines are left out.
std::vector<std::vector<std::string>> parse_table(std::string_view text, const TableDialect& dialect);

struct TableSource {
  std::string path;
  TableDialect dialect;
  RecordLimits limits;  // bytes of one row, values for its fields
};
using TableRow = std::map<std::string, std::string>;
// Calls `each` with every row by column. Counted: bad_row, record_too_long, record_too_complex (fields), invalid_utf8 (the row
// was repaired).
void read_table(const TableSource& source, Counts& counts, const std::function<void(TableRow&&)>& each);

}  // namespace areason
