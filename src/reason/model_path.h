#pragma once
// Where the default model (nano) lies. Called by the CLI and tests. Thread rule: free functions.
#include <string>

namespace areason {

// `wanted` when it is not empty; else the environment's AREASON_MODEL; else models/nano beside the executable, in a folder
// above it, in the installed share/audio-reasoner, or in the source tree. Throws Error(kModel) when there is none.
std::string find_model(const std::string& wanted);

}  // namespace areason
