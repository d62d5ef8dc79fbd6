#pragma once
// Scratch folders for tests: ctest runs the tests of one program as processes beside each other, and another user or an
// earlier run may have left anything under /tmp, so no test may write to a path that it has not made itself. Only *_test.cpp
// files and test helpers include this. Thread rule: scratch_path() is safe from any thread, a ScratchDir belongs to one.
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "base/error.h"
#include "base/files.h"

namespace areason {

// TMPDIR; but /tmp where there is none, and where its name would fall apart in the command lines that tests write.
inline std::filesystem::path scratch_root() {
  std::error_code none;
  const std::filesystem::path root = std::filesystem::temp_directory_path(none);
  return none || root.string().find_first_of(" \t\"'\\") != std::string::npos ? "/tmp" : root;
}

// A new, empty folder, gone with the object.
class ScratchDir {
 public:
  explicit ScratchDir(const std::filesystem::path& below = scratch_root()) : owner_(::getpid()) {
    std::string pattern = (below / "areason-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr)
      throw Error(ErrorCode::kFailure, "cannot make " + pattern + ": " + std::strerror(errno),
                  "set TMPDIR to a folder for tests");
    path_ = pattern;
  }
  ~ScratchDir() {
    // A forked child that ends by exit() must leave its parent's files alone.
    if (::getpid() != owner_) return;
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDir(const ScratchDir&) = delete;
  ScratchDir& operator=(const ScratchDir&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  // Writes a file and returns its path.
  std::string put(const std::string& name, std::string_view bytes) const {
    write_file_atomic(file(name), bytes);
    return file(name);
  }

 private:
  pid_t owner_;
  std::string path_;
};

// A path that ends in /`name`, where nothing is yet; every call gives another one. Its folder exists and goes with the process.
inline std::string scratch_path(const std::string& name) {
  static const ScratchDir of_process;
  static std::atomic<int> calls{0};
  const std::string folder = of_process.file(std::to_string(calls++));
  make_directories(folder);
  return folder + "/" + name;
}

}  // namespace areason
