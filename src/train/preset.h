#pragma once
// Presets: files of flags (configs/*.json with a "flags" object) that a run starts from. Called by main.cpp before the flags
// are parsed. Errors: Error(kUsage, kInput) naming the preset. Thread rule: free functions.
#include <string>
#include <vector>

namespace areason::train {

// The file of a preset: a path, or a name NAME for configs/NAME.json in the folders above the program or the working directory.
std::string find_preset(const std::string& name);
// `arguments` (without the program's name) with the flags of every `--preset NAME` put before them. A flag given in the
// arguments replaces the preset's.
std::vector<std::string> with_presets(const std::vector<std::string>& arguments);

}  // namespace areason::train
