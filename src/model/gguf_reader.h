#pragma once
// A GGUF file (version 2 or 3), memory-mapped: metadata and the tensor table. Everything is checked when the file is opened
// (counts, lengths, types, dimensions, offsets, overlaps, names), nothing is copied and no tensor data is read. Called by the
// model's loader, the tokenizer's and the tests. Errors: Error(kModel) naming the file and the key or tensor.
// Thread rule: constant after open(). Shapes are row-major, outermost first, as in safetensors (the file has them reversed).
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mmap.h"
#include "model/gguf_types.h"

namespace areason {

// A metadata value as it lies in the file.
struct GgufValue {
  GgufKind kind = GgufKind::kU8;
  GgufKind item = GgufKind::kU8;     // of an array
  std::uint64_t count = 1;           // of an array
  std::span<const std::byte> bytes;  // a string's characters, an array's items, a number
};

struct GgufTensor {
  std::string_view name;
  const GgufTypeInfo* type = nullptr;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;
};

class GgufFile {
 public:
  static GgufFile open(const std::string& path);

  const std::string& path() const { return path_; }
  const std::map<std::string_view, GgufValue>& metadata() const { return metadata_; }
  const std::map<std::string_view, GgufTensor>& tensors() const { return tensors_; }
  const GgufValue* find(std::string_view key) const;
  const GgufTensor* find_tensor(std::string_view name) const;

  // Values by key: nothing when the key is absent, an Error when it holds something else. whole() takes any integer type,
  // number() floats too.
  std::optional<std::string_view> text(std::string_view key) const;
  std::optional<std::int64_t> whole(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;
  std::optional<bool> flag(std::string_view key) const;
  std::vector<std::string_view> texts(std::string_view key) const;  // of an array; empty when absent
  std::vector<std::int64_t> wholes(std::string_view key) const;

 private:
  std::string path_;
  std::unique_ptr<MappedFile> file_;
  std::map<std::string_view, GgufValue> metadata_;
  std::map<std::string_view, GgufTensor> tensors_;
};

}  // namespace areason
