#pragma once
// Brings the forms that ms-swift reads into its main one: {"messages": [{"role", "content", "loss", "loss_scale"}], "audios":
// [...]}. Only names and nesting change; contents are checked by rows.cpp, the only caller. Column aliases and role names as in
// ms-swift 3.0 (swift/llm/dataset/preprocessor/core.py). Errors: std::string in `why`. Thread rule: free functions.
#include <optional>
#include <string>

#include "base/json_fwd.h"

namespace areason::train {

// The row's messages and audios; nothing and a reason in `why` when it has no form that is known.
std::optional<Json> as_messages(const Json& row, std::string& why);

}  // namespace areason::train
