#pragma once
// What a GGUF file is made of: the kinds of metadata values and the tensor types with their block sizes. Numbers and names
// are the format's (ggml-org/ggml docs/gguf.md; ggml.h, enum ggml_type). Used by the reader, the writer and the converter.
// Units: a block is a run of `block` values of one row that takes `bytes` bytes. Thread rule: constants.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace areason {

enum class GgufKind : std::uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

// The tensor types that this program makes or computes with; files may hold others (find_gguf_type knows their sizes).
enum class GgufType : std::uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ8_0 = 8,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kBF16 = 30,
};

struct GgufTypeInfo {
  GgufType type;
  const char* name;
  std::size_t block;
  std::size_t bytes;
};

// Null for a type that no version of the format has.
const GgufTypeInfo* find_gguf_type(std::uint32_t id);
const GgufTypeInfo& gguf_type_info(GgufType type);
// "Q8_0" -> kQ8_0.
std::optional<GgufType> gguf_type_named(std::string_view name);

constexpr std::uint32_t kGgufVersion = 3;
constexpr std::uint64_t kGgufAlignment = 32;  // without general.alignment

}  // namespace areason
