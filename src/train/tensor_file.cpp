#include "train/tensor_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/json.h"

namespace areason::train {
namespace {

at::ScalarType scalar_type(DType dtype) {
  return dtype == DType::kF32 ? at::kFloat : dtype == DType::kF16 ? at::kHalf : at::kBFloat16;
}

}  // namespace

TensorFile::TensorFile(const std::string& path, const std::vector<TensorShape>& tensors) : path_(path) {
  Json header;
  header["__metadata__"] = {{"format", "pt"}};  // as transformers wants it
  std::uint64_t at = 0;
  for (const TensorShape& t : tensors) {
    std::int64_t elements = 1;
    for (const std::int64_t n : t.sizes) elements *= n;
    const std::uint64_t bytes = static_cast<std::uint64_t>(elements) * dtype_size(t.dtype);
    header[t.name] = {{"dtype", dtype_name(t.dtype)}, {"shape", t.sizes}, {"data_offsets", {at, at + bytes}}};
    slots_[t.name] = {t.dtype, elements, at, false};
    at += bytes;
  }
  std::string text = dump_json(header);
  text.append((8 - text.size() % 8) % 8, ' ');
  for (auto& [name, slot] : slots_) slot.offset += 8 + text.size();
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd_ < 0) throw Error(ErrorCode::kFailure, "cannot write " + path + ": " + std::strerror(errno), "check the folder");
  const std::uint64_t size = text.size();
  char length[8];
  for (int i = 0; i < 8; ++i) length[i] = static_cast<char>(size >> (8 * i) & 255);
  write_at(0, length, 8);
  write_at(8, text.data(), text.size());
}

TensorFile::~TensorFile() {
  if (fd_ >= 0) ::close(fd_);
}

void TensorFile::write_at(std::uint64_t offset, const void* bytes, std::size_t count) {
  const char* from = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t n = ::pwrite(fd_, from, count, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      throw Error(ErrorCode::kFailure, "cannot write " + path_ + ": " + std::strerror(errno),
                  "is the disk full? the last checkpoint is whole");
    from += n;
    offset += static_cast<std::uint64_t>(n);
    count -= static_cast<std::size_t>(n);
  }
}

void TensorFile::put(const std::string& name, const at::Tensor& value) {
  const auto it = slots_.find(name);
  if (it == slots_.end() || value.numel() != it->second.elements)
    throw Error(ErrorCode::kFailure, path_ + " has no place for " + name, "this is a bug");
  const at::Tensor data = value.detach().to(scalar_type(it->second.dtype)).to(at::kCPU).contiguous();
  write_at(it->second.offset, data.data_ptr(), data.nbytes());
  it->second.written = true;
}

void TensorFile::finish() {
  for (const auto& [name, slot] : slots_) {
    if (!slot.written) throw Error(ErrorCode::kFailure, path_ + " lacks " + name, "this is a bug");
  }
  if (::fsync(fd_) != 0 && errno != EINVAL)
    throw Error(ErrorCode::kFailure, "cannot write " + path_ + ": " + std::strerror(errno), "is the disk full?");
  ::close(fd_);
  fd_ = -1;
}

}  // namespace areason::train
