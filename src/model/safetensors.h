#pragma once
// The safetensors format: memory-mapped reading of one file or of a checkpoint directory (with or without an index), and
// writing. Header layout: u64 little-endian length, JSON, data. Every offset is checked before use.
// Errors: Error(kModel) naming the file and the tensor. Thread rule: constant after construction.
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/mmap.h"

namespace areason {

enum class DType { kF32, kF16, kBF16, kI64, kI32, kU8 };
std::size_t dtype_size(DType dtype);
const char* dtype_name(DType dtype);  // "F32" …

// A view into a mapped file; valid while its store lives.
struct TensorView {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;
  std::int64_t elements() const;
  // Copies into f32 (from F32, F16, BF16).
  std::vector<float> to_f32() const;
};

class TensorStore {
 public:
  TensorStore() = default;  // empty
  // A .safetensors file, or a checkpoint directory (model.safetensors.index.json, or model.safetensors, or all *.safetensors).
  static TensorStore open(const std::string& path);
  bool contains(const std::string& name) const;
  const TensorView& at(const std::string& name) const;  // throws Error(kModel) naming the tensor and the store
  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  const std::string& path() const { return path_; }

 private:
  void add_file(const std::string& path);
  std::string path_;
  std::vector<std::unique_ptr<MappedFile>> files_;
  std::map<std::string, TensorView> tensors_;
};

struct TensorOut {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> data;
};
TensorOut make_f32(const std::string& name, std::vector<std::int64_t> shape, std::span<const float> values);
TensorOut make_i64(const std::string& name, std::vector<std::int64_t> shape, std::span<const std::int64_t> values);
// Writes atomically; metadata {"format":"pt"} as transformers wants it.
void write_safetensors(const std::string& path, std::span<const TensorOut> tensors);

float bf16_to_f32(std::uint16_t bits);
float f16_to_f32(std::uint16_t bits);
std::uint16_t f32_to_bf16(float value);  // round to nearest even

}  // namespace areason
