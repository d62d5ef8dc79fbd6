#pragma once
// Shared by the libFuzzer targets: what a parser may do with foreign bytes is return or throw areason::Error with a message
// and a hint (main.cpp makes one line of each); everything else (another exception, a sanitizer report, memory or time beyond
// libFuzzer's limits) is a finding. Thread rule: libFuzzer calls from one thread.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "base/error.h"

namespace areason::fuzz {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

template <typename Call>
void only_errors(Call call) {
  try {
    call();
  } catch (const Error& e) {
    require(*e.what() != '\0', "an error says what is wrong");
    require(!e.hint().empty(), "an error has a hint");
  }
}

// For parsers that take a path: a directory in memory, removed at the end of the process.
class ScratchDir {
 public:
  ScratchDir() : path_("/dev/shm/areason-fuzz-" + std::to_string(::getpid())) { std::filesystem::create_directories(path_); }
  ~ScratchDir() {
    std::error_code ec;
    std::filesystem::remove_all(path_, ec);
  }
  const std::string& path() const { return path_; }
  std::string put(const std::string& name, const std::uint8_t* data, std::size_t size) const {
    const std::string file = path_ + "/" + name;
    std::ofstream(file, std::ios::binary).write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
    return file;
  }

 private:
  std::string path_;
};

}  // namespace areason::fuzz
