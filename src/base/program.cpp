#include "base/program.h"

#include <filesystem>

namespace areason {

std::string executable_directory() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (error ? std::filesystem::current_path() : self.parent_path()).string();
}

}  // namespace areason
