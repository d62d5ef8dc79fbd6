#pragma once
// Reads JSON objects one by one from a file of JSON lines or of one JSON array, whatever comes first, with bounded memory: a
// record over the limits is skipped and counted, as is everything that is no object. Called by predictions.h. Thread rule: free
// function; the callback runs on the caller's thread.
#include <cstddef>
#include <functional>
#include <string>

#include "base/json_fwd.h"
#include "eval/counts.h"

namespace areason {

struct RecordLimits {
  std::size_t bytes = std::size_t{16} << 20;  // of one record
  std::size_t values = 200000;                // JSON values in one record
  int depth = 64;                             // nested arrays and objects
};

// Calls `each` with every object and its number in the file (from 1, counting all records). "-" is standard input. Counted:
// record_too_long, record_too_complex, malformed_json, not_an_object, invalid_utf8 (repaired, still delivered),
// file_ends_early, text_after_array. Throws Error(kInput) when the file cannot be read.
void read_records(const std::string& path, const RecordLimits& limits, Counts& counts,
                  const std::function<void(Json&&, std::size_t)>& each);

}  // namespace areason
