#pragma once
// What a benchmark's own Python script would print and how it would end, and the little of Python's object model that this
// needs (type names, KeyError). Called by the ports of the scripts. Thread rule: values and free functions.
#include <string>
#include <string_view>

#include "base/json_fwd.h"

namespace areason {

struct ScriptRun {
  std::string out;         // standard output
  int code = 0;            // exit status
  std::string last_error;  // the last line of standard error, e.g. "ZeroDivisionError: division by zero"
};

// Thrown inside a port where the script would end; the port turns it into a ScriptRun.
struct ScriptStop {
  std::string error;  // empty for exit(1)
};

// item[key]; throws ScriptStop "KeyError: 'key'".
const Json& script_field(const Json& item, const char* key);
// The text of a str; throws ScriptStop "AttributeError: 'NoneType' object has no attribute 'METHOD'".
const std::string& script_text(const Json& value, const char* method);
// type(value).__name__
std::string_view script_type(const Json& value);
// print(value) without the line end.
std::string script_print(const Json& value);

}  // namespace areason
