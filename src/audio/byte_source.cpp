#include "audio/byte_source.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.h"

namespace areason {
namespace {

class FileSource : public ByteSource {
 public:
  FileSource(int fd, std::uint64_t size) : fd_(fd), size_(size) {}
  ~FileSource() override { ::close(fd_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;

  std::uint64_t size() const override { return size_; }
  std::size_t read(std::uint64_t offset, std::span<std::byte> out) const override {
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t n = ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      done += static_cast<std::size_t>(n);
    }
    return done;
  }
  int descriptor() const override { return fd_; }

 private:
  int fd_;
  std::uint64_t size_;
};

class MemorySource : public ByteSource {
 public:
  explicit MemorySource(std::span<const std::byte> bytes) : bytes_(bytes) {}
  explicit MemorySource(std::vector<std::byte> owned) : owned_(std::move(owned)), bytes_(owned_) {}
  ~MemorySource() override {
    if (fd_ >= 0) ::close(fd_);
  }
  MemorySource(const MemorySource&) = delete;
  MemorySource& operator=(const MemorySource&) = delete;

  std::uint64_t size() const override { return bytes_.size(); }
  std::size_t read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset >= bytes_.size()) return 0;
    const std::size_t n = std::min(out.size(), bytes_.size() - static_cast<std::size_t>(offset));
    if (n > 0) std::memcpy(out.data(), bytes_.data() + offset, n);
    return n;
  }
  // Made on demand: only the ffmpeg path needs a descriptor.
  int descriptor() const override {
    if (fd_ >= 0) return fd_;
    const int fd = ::memfd_create("areason-audio", MFD_CLOEXEC);
    std::size_t done = 0;
    while (fd >= 0 && done < bytes_.size()) {
      const ssize_t n = ::write(fd, bytes_.data() + done, bytes_.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      done += static_cast<std::size_t>(n);
    }
    if (fd < 0 || done < bytes_.size()) {
      const std::string why = std::strerror(errno);
      if (fd >= 0) ::close(fd);
      throw Error(ErrorCode::kFailure, "cannot keep audio in memory for ffmpeg: " + why, "pass the clip as a file");
    }
    return fd_ = fd;
  }

 private:
  std::vector<std::byte> owned_;
  std::span<const std::byte> bytes_;
  mutable int fd_ = -1;
};

std::vector<std::byte> read_stream(int fd, const std::string& name, std::uint64_t limit) {
  std::vector<std::byte> out;
  std::vector<std::byte> piece(1 << 16);
  for (;;) {
    const ssize_t n = ::read(fd, piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error(ErrorCode::kInput, "cannot read " + name + ": " + std::strerror(errno), "check where it comes from");
    if (n == 0) return out;
    out.insert(out.end(), piece.begin(), piece.begin() + n);
    if (out.size() > limit)
      throw Error(ErrorCode::kInput, name + " goes on for more than " + std::to_string(limit >> 20) + " MiB",
                  "save it as a file and pass its path");
  }
}

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd > STDIN_FILENO) ::close(fd);
  }
};

}  // namespace

std::unique_ptr<ByteSource> open_byte_source(const std::string& path, std::uint64_t memory_limit) {
  const std::string name = display_name(path);
  const int fd = path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    throw Error(ErrorCode::kInput, "cannot open " + name + ": " + std::strerror(errno), "check the path and its permissions");
  struct stat info {};
  if (::fstat(fd, &info) != 0) info.st_mode = 0;
  if (path != "-" && S_ISREG(info.st_mode)) return std::make_unique<FileSource>(fd, static_cast<std::uint64_t>(info.st_size));
  const Descriptor closer{fd};
  if (S_ISDIR(info.st_mode))
    throw Error(ErrorCode::kInput, name + " is a directory, not an audio file", "name a file inside it");
  return std::make_unique<MemorySource>(read_stream(fd, name, memory_limit));
}

std::unique_ptr<ByteSource> memory_byte_source(std::span<const std::byte> bytes) {
  return std::make_unique<MemorySource>(bytes);
}

std::string display_name(const std::string& path) {
  if (path == "-") return "standard input";
  std::string name = path;
  for (char& c : name)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  return name;
}

}  // namespace areason
