#pragma once
// A read-only memory map of a file, held for as long as anybody reads tensors from it. Move-only.
// Thread rule: after construction the bytes are constant and may be read by any thread.
#include <cstddef>
#include <span>
#include <string>

namespace areason {

class MappedFile {
 public:
  // Throws Error(kInput) naming the path. An empty file maps to an empty span.
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::string& path() const { return path_; }

 private:
  void release() noexcept;
  std::string path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// Gives the memory of a part of a mapped file back to the system; it is read again when it is needed again.
void forget_pages(std::span<const std::byte> part);

}  // namespace areason
