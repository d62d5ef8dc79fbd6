#pragma once
// Where things lie on this machine: the own program, the built-in model. Called by the commands. Thread rule: free functions.
#include <filesystem>
#include <string>
#include <vector>

namespace areason {

// The directory of the running program.
std::filesystem::path executable_dir();
// The model that commands take without --model: $AREASON_MODEL, else models/nano as installed (PREFIX/share/areason), in the
// source tree the program was built in, or in the current directory.
std::string default_model_dir();
// What a model is called in output: the last part of its path, also for "models/nano/".
std::string model_name(const std::string& dir);
// Throws Error(kUsage) when `flag` would write `output` over one of the files that the command reads. Empty names are none.
void require_other_file(const std::string& output, const std::string& flag, const std::vector<std::string>& inputs);

}  // namespace areason
