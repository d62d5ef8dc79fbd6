#include "base/json.h"

#include "base/error.h"
#include "base/files.h"

namespace areason {

Json parse_json(std::string_view text, const std::string& what) {
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const Json::exception& e) {
    // nlohmann prefixes its messages with "[json.exception.…] "; the rest names line and column.
    std::string why = e.what();
    const auto close = why.find("] ");
    if (close != std::string::npos) why = why.substr(close + 2);
    for (char& c : why)
      if (c == '\n' || c == '\r') c = ' ';
    if (why.size() > 300) why = why.substr(0, 300) + "…";
    throw Error(ErrorCode::kInput, what + " is not valid JSON: " + why, "check that the file is complete and is JSON");
  }
}

Json read_json_file(const std::string& path) { return parse_json(read_file(path), path); }

std::string dump_json(const Json& value, int indent) { return value.dump(indent, ' ', false, Json::error_handler_t::replace); }

}  // namespace areason
