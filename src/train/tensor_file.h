#pragma once
// Writes a safetensors file tensor by tensor: the header stands before the data is known, so that a checkpoint needs the memory
// of one tensor instead of a whole model (model/safetensors.h wants all of them at once). Called by checkpoint.cpp.
// Errors: Error(kFailure) when the disk is full. Thread rule: one thread.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/safetensors.h"
#include "train/torch.h"

namespace areason::train {

struct TensorShape {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::int64_t> sizes;
};

class TensorFile {
 public:
  TensorFile(const std::string& path, const std::vector<TensorShape>& tensors);
  ~TensorFile();
  TensorFile(const TensorFile&) = delete;
  TensorFile& operator=(const TensorFile&) = delete;
  bool has(const std::string& name) const { return slots_.contains(name); }
  // In any order; converts to the announced type.
  void put(const std::string& name, const at::Tensor& value);
  // Every announced tensor must have been put: brings the file to the disk.
  void finish();

 private:
  struct Slot {
    DType dtype = DType::kF32;
    std::int64_t elements = 0;
    std::uint64_t offset = 0;  // in the file
    bool written = false;
  };
  void write_at(std::uint64_t offset, const void* bytes, std::size_t count);
  std::string path_;
  int fd_ = -1;
  std::map<std::string, Slot> slots_;
};

}  // namespace areason::train
