#pragma once
// How keys and values are stored in a KV cache. Called by the model, reason and the CLI. Thread rule: pure functions.
#include <cstddef>

namespace areason {

enum class KvType { kF32, kF16, kBF16 };

inline std::size_t kv_element_size(KvType type) { return type == KvType::kF32 ? 4 : 2; }
inline const char* kv_type_name(KvType type) { return type == KvType::kF32 ? "f32" : type == KvType::kF16 ? "f16" : "bf16"; }

}  // namespace areason
