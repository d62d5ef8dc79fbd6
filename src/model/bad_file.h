#pragma once
// The error of every reader of model files: one printable line of bounded length whatever bytes of the file it quotes.
// Called by the readers of safetensors and GGUF. Thread rule: free function.
#include <string>

namespace areason {

// Throws Error(kModel): "FILE: what".
[[noreturn]] void bad_model_file(const std::string& file, std::string what);

}  // namespace areason
