#pragma once
// Tables with a header line, as the benchmarks release them: MELD's CSV (RFC 4180) and CoVoST's TSV (no quoting, escape
// character "\"; facts/evaluation.md 3 and 4). Called by items.h. Errors: Error(kInput) for a file that cannot be read; a row
// with another number of fields than the header is counted. Thread rule: free functions.
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "eval/counts.h"

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

using TableRow = std::map<std::string, std::string>;
// Calls `each` with every row by column. Counted: bad_row, invalid_utf8 (the file was repaired).
void read_table(const std::string& path, const TableDialect& dialect, Counts& counts,
                const std::function<void(TableRow&&)>& each);

}  // namespace areason
