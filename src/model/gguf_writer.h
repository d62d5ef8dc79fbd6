#pragma once
// Writing GGUF version 3: a head of metadata and tensor table, then the tensors' data one after another, as llama.cpp's
// loader wants them (in the table's order, each padded to the alignment). The head is known before any data, so that a writer
// streams and an interrupted one can go on. Called by the converter and by tests. Errors: Error(kFailure) naming the file.
// Thread rule: one thread. Shapes are row-major, outermost first.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/gguf_types.h"

namespace areason {

struct GgufPlace {
  std::string name;
  GgufType type = GgufType::kF32;
  std::vector<std::int64_t> shape;
  std::uint64_t offset = 0;  // from the beginning of the data section
  std::uint64_t bytes = 0;   // without padding
};

class GgufHead {
 public:
  void add_text(std::string_view key, std::string_view value);
  void add_u32(std::string_view key, std::uint32_t value);
  void add_f32(std::string_view key, float value);
  void add_flag(std::string_view key, bool value);
  void add_texts(std::string_view key, std::span<const std::string> values);
  void add_i32s(std::string_view key, std::span<const std::int32_t> values);
  // A row must be a whole number of the type's blocks.
  void add_tensor(std::string name, GgufType type, std::vector<std::int64_t> shape);

  const std::vector<GgufPlace>& tensors() const { return tensors_; }
  // Magic number to the padding before the data.
  std::string bytes() const;
  std::uint64_t data_bytes() const { return data_bytes_; }  // with padding

 private:
  void begin_value(std::string_view key, GgufKind kind);
  std::string pairs_;
  std::uint64_t pair_count_ = 0;
  std::vector<GgufPlace> tensors_;
  std::uint64_t data_bytes_ = 0;
};

std::uint64_t gguf_padded(std::uint64_t bytes);

// Appends to PATH.partial; finish() gives it its name. A file that was left unfinished goes on after its first `finished`
// tensors, when its head is the same.
class GgufWriter {
 public:
  GgufWriter(std::string path, const GgufHead& head);
  ~GgufWriter();
  GgufWriter(const GgufWriter&) = delete;
  GgufWriter& operator=(const GgufWriter&) = delete;

  // How many tensors of an earlier, unfinished run are wholly there (at most `known`); the next to write is this one.
  std::size_t resume(std::size_t known);
  // The next tensor's bytes, in any number of pieces.
  void append(std::span<const std::byte> bytes);
  // Pads, and makes sure that the tensor is on the disk.
  void end_tensor();
  // All tensors must have been written.
  void finish();

 private:
  void open_at(std::uint64_t position);
  std::string path_, partial_;
  std::string head_;
  std::vector<GgufPlace> tensors_;
  std::size_t next_ = 0;
  std::uint64_t written_ = 0;  // of the next tensor
  int descriptor_ = -1;
};

}  // namespace areason
