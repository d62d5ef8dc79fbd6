#pragma once
// A text that changes when a model's files or the way of computing change: names what is kept on disk. Reads the small files
// whole and of the large ones size, time and both ends, so that 16 GB cost nothing. Called by the reasoner. Thread rule: pure.
#include <string>

namespace areason {

// Throws Error(kInput) when a file cannot be read.
std::string model_identity(const std::string& model);

}  // namespace areason
