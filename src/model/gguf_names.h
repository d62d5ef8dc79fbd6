#pragma once
// Names of the same tensor in a released checkpoint (transformers) and in the two GGUF files that llama.cpp makes of it: the
// text model (architecture qwen2) and mmproj (clip, qwen2a). Sources: llama.cpp gguf-py/gguf/tensor_mapping.py, constants.py.
// Called by the loader and the converter. Thread rule: free functions.
#include <optional>
#include <string>

namespace areason {

// The name as released (transformers 4) of a tensor that transformers 5 may have written under its own: the identity for all
// others.
std::string released_name(const std::string& name);
// Both work on whole names ("…q_proj.weight" <-> "blk.0.attn_q.weight"); nothing for a tensor that has no counterpart.
std::optional<std::string> gguf_name_of(const std::string& released);
std::optional<std::string> released_name_of(const std::string& gguf);

}  // namespace areason
