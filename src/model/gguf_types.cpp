#include "model/gguf_types.h"

namespace areason {
namespace {

constexpr GgufType other(std::uint32_t id) { return static_cast<GgufType>(id); }

// gguf-py/gguf/constants.py, GGMLQuantizationType and GGML_QUANT_SIZES.
constexpr GgufTypeInfo kTypes[] = {
    {GgufType::kF32, "F32", 1, 4},
    {GgufType::kF16, "F16", 1, 2},
    {GgufType::kQ4_0, "Q4_0", 32, 18},
    {GgufType::kQ4_1, "Q4_1", 32, 20},
    {other(6), "Q5_0", 32, 22},
    {other(7), "Q5_1", 32, 24},
    {GgufType::kQ8_0, "Q8_0", 32, 34},
    {other(9), "Q8_1", 32, 40},
    {other(10), "Q2_K", 256, 84},
    {other(11), "Q3_K", 256, 110},
    {GgufType::kQ4_K, "Q4_K", 256, 144},
    {GgufType::kQ5_K, "Q5_K", 256, 176},
    {GgufType::kQ6_K, "Q6_K", 256, 210},
    {other(15), "Q8_K", 256, 292},
    {other(16), "IQ2_XXS", 256, 66},
    {other(17), "IQ2_XS", 256, 74},
    {other(18), "IQ3_XXS", 256, 98},
    {other(19), "IQ1_S", 256, 50},
    {other(20), "IQ4_NL", 32, 18},
    {other(21), "IQ3_S", 256, 110},
    {other(22), "IQ2_S", 256, 82},
    {other(23), "IQ4_XS", 256, 136},
    {other(24), "I8", 1, 1},
    {other(25), "I16", 1, 2},
    {other(26), "I32", 1, 4},
    {other(27), "I64", 1, 8},
    {other(28), "F64", 1, 8},
    {other(29), "IQ1_M", 256, 56},
    {GgufType::kBF16, "BF16", 1, 2},
    {other(34), "TQ1_0", 256, 54},
    {other(35), "TQ2_0", 256, 66},
    {other(39), "MXFP4", 32, 17},
    {other(40), "NVFP4", 64, 36},
    {other(41), "Q1_0", 128, 18},
};

}  // namespace

const GgufTypeInfo* find_gguf_type(std::uint32_t id) {
  for (const auto& info : kTypes)
    if (static_cast<std::uint32_t>(info.type) == id) return &info;
  return nullptr;
}

const GgufTypeInfo& gguf_type_info(GgufType type) { return *find_gguf_type(static_cast<std::uint32_t>(type)); }

std::optional<GgufType> gguf_type_named(std::string_view name) {
  for (const auto& info : kTypes)
    if (name == info.name) return info.type;
  return std::nullopt;
}

}  // namespace areason
