#include "base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace areason {
namespace {

[[noreturn]] void fail_write(const std::string& path, const char* step) {
  const std::string why = std::strerror(errno);
  throw Error(ErrorCode::kFailure, "cannot " + std::string(step) + " " + path + ": " + why,
              "check the free space and the permissions of its directory");
}

void write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_write(path, "write");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace

std::string read_file(const std::string& path, std::uint64_t limit) {
  std::error_code ec;
  if (std::filesystem::is_directory(path, ec))
    throw Error(ErrorCode::kInput, path + " is a directory, not a file", "name a file inside it");
  std::ifstream in(path, std::ios::binary);
  if (!in)
    throw Error(ErrorCode::kInput, "cannot open " + path + ": " + std::strerror(errno), "check the path and its permissions");
  std::string out;
  char buffer[1 << 16];
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0) {
    out.append(buffer, static_cast<std::size_t>(in.gcount()));
    if (out.size() > limit)
      throw Error(ErrorCode::kInput, path + " is larger than " + std::to_string(limit) + " bytes", "is it the right file?");
  }
  if (in.bad()) throw Error(ErrorCode::kInput, "cannot read " + path, "the device reported an error");
  return out;
}

void write_file_atomic(const std::string& path, std::string_view bytes) { write_file_atomic(path, std::span(&bytes, 1)); }

namespace {

// A rename would replace a device or a pipe by a file.
bool is_device(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

void write_through(const std::string& path, std::span<const std::string_view> pieces) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) fail_write(path, "open");
  try {
    for (const std::string_view piece : pieces) write_all(fd, piece, path);
  } catch (...) {
    ::close(fd);
    throw;
  }
  ::close(fd);
}

}  // namespace

void write_file_atomic(const std::string& path, std::span<const std::string_view> pieces) {
  if (is_device(path)) return write_through(path, pieces);
  const std::string temporary = path + ".tmp." + std::to_string(::getpid());
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) fail_write(path, "create");
  try {
    for (const std::string_view piece : pieces) write_all(fd, piece, path);
    if (::fsync(fd) != 0) fail_write(path, "flush");
  } catch (...) {
    ::close(fd);
    ::unlink(temporary.c_str());
    throw;
  }
  ::close(fd);
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int saved = errno;
    ::unlink(temporary.c_str());
    errno = saved;
    fail_write(path, "replace");
  }
}

void make_directories(const std::string& path) {
  std::error_code ec;
  std::filesystem::create_directories(path, ec);
  if (ec)
    throw Error(ErrorCode::kFailure, "cannot create directory " + path + ": " + ec.message(), "check its parent's permissions");
}

std::string parent_directory(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

}  // namespace areason
