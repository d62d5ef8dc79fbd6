#pragma once
// Every scorer's functions by name on JSON, so that they can be held against the originals from outside: the cases of
// scorer_cases.json, tools/fuzz_scorers.py through `audio-reasoner eval function`. Thread rule: free function.
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"

namespace areason {

// Calls the function that call["function"] names with the other members as arguments. Throws Error(kInput) for an unknown name
// or unsuitable arguments.
Json eval_function(const Json& call);
// The names.
std::vector<std::string_view> eval_function_names();

}  // namespace areason
