#include "eval/record_reader.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "text/utf8.h"

namespace areason {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Cuts the bytes of a file into records.
class Splitter {
 public:
  Splitter(const RecordLimits& limits, Counts& counts, const std::function<void(Json&&, std::size_t)>& each)
      : limits_(limits), counts_(counts), each_(each) {}

  void push(char c) {
    switch (mode_) {
      case Mode::kStart:
        if (!is_blank(c)) start(c);
        break;
      case Mode::kLines:
        c == '\n' ? end_record() : keep(c);
        break;
      case Mode::kArray:
        push_array(c);
        break;
      case Mode::kAfterArray:
        if (!is_blank(c) && !trailing_) {
          trailing_ = true;
          counts_.add("text_after_array");
        }
        break;
    }
  }

  void finish() {
    if (mode_ == Mode::kLines) end_record();
    if (mode_ == Mode::kArray) counts_.add("file_ends_early");
  }

 private:
  enum class Mode { kStart, kLines, kArray, kAfterArray };

  void start(char c) {
    if (c == '[') {
      mode_ = Mode::kArray;
      return;
    }
    mode_ = Mode::kLines;
    keep(c);
  }

  void push_array(char c) {
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
      return keep(c);
    }
    if (depth_ == 0 && (c == ',' || c == ']')) {
      end_record();
      if (c == ']') mode_ = Mode::kAfterArray;
      return;
    }
    if (c == '"') in_string_ = true;
    if (c == '[' || c == '{') ++depth_;
    if ((c == ']' || c == '}') && depth_ > 0) --depth_;
    if (!record_.empty() || !is_blank(c)) keep(c);
  }

  void keep(char c) {
    if (record_.size() < limits_.bytes) {
      record_ += c;
    } else {
      too_long_ = true;
    }
  }

  void end_record() {
    if (too_long_) {
      ++number_;
      counts_.add("record_too_long");
    } else if (record_.find_first_not_of(" \t\r\n") != std::string::npos) {
      ++number_;
      parse();
    }
    too_long_ = false;
    if (record_.capacity() > (std::size_t{1} << 20)) {
      std::string().swap(record_);
    } else {
      record_.clear();
    }
  }

  // Whether the limits on values and depth hold; a look at the bytes, before memory is spent on them.
  bool is_simple() const {
    std::size_t values = 0;
    int depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < record_.size(); ++i) {
      const char c = record_[i];
      if (in_string) {
        if (c == '\\') ++i;
        if (c == '"') in_string = false;
        continue;
      }
      if (c == '"') in_string = true;
      if (c == '[' || c == '{' || c == ',' || c == ':') ++values;
      if (c == '[' || c == '{') ++depth;
      if (c == ']' || c == '}') --depth;
      if (depth > limits_.depth || values > limits_.values) return false;
    }
    return true;
  }

  void parse() {
    throw_if_interrupted();
    if (!is_simple()) return counts_.add("record_too_complex");
    if (!is_valid_utf8(record_)) {
      counts_.add("invalid_utf8");
      record_ = repair_utf8(record_);
    }
    Json value = Json::parse(record_, nullptr, false);
    if (value.is_discarded()) return counts_.add("malformed_json");
    if (!value.is_object()) return counts_.add("not_an_object");
    each_(std::move(value), number_);
  }

  const RecordLimits& limits_;
  Counts& counts_;
  const std::function<void(Json&&, std::size_t)>& each_;
  Mode mode_ = Mode::kStart;
  std::string record_;
  std::size_t number_ = 0;
  long depth_ = 0;
  bool in_string_ = false, escaped_ = false, too_long_ = false, trailing_ = false;
};

void read_stream(std::istream& in, Splitter& splitter) {
  char buffer[1 << 16];
  bool first = true;
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0) {
    auto n = static_cast<std::size_t>(in.gcount());
    const char* at = buffer;
    if (first && n >= 3 && std::memcmp(at, "\xEF\xBB\xBF", 3) == 0) {
      at += 3;
      n -= 3;
    }
    first = false;
    for (std::size_t i = 0; i < n; ++i) splitter.push(at[i]);
  }
  splitter.finish();
}

}  // namespace

void read_records(const std::string& path, const RecordLimits& limits, Counts& counts,
                  const std::function<void(Json&&, std::size_t)>& each) {
  Splitter splitter(limits, counts, each);
  if (path == "-") return read_stream(std::cin, splitter);
  std::error_code ec;
  if (std::filesystem::is_directory(path, ec))
    throw Error(ErrorCode::kInput, path + " is a directory, not a file", "name the predictions files in it");
  std::ifstream in(path, std::ios::binary);
  if (!in)
    throw Error(ErrorCode::kInput, "cannot open " + path + ": " + std::strerror(errno), "check the path and its permissions");
  read_stream(in, splitter);
}

}  // namespace areason
