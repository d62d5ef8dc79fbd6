#pragma once
// JSON as used everywhere: nlohmann's ordered variant, so that files are written in the order the code names the keys.
// Include base/json.h in .cpp files; headers that only pass JSON along use nlohmann/json_fwd.hpp through base/json_fwd.h.
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/json_fwd.h"

namespace areason {

// Parses `text`. Throws Error(kInput) that names `what` (a path or a short description) and the byte offset.
Json parse_json(std::string_view text, const std::string& what);
// Reads and parses a whole file. Throws Error(kInput).
Json read_json_file(const std::string& path);
// Serialises without failing on invalid UTF-8 (it is replaced by U+FFFD). `indent` < 0 writes one line.
std::string dump_json(const Json& value, int indent = -1);

}  // namespace areason
