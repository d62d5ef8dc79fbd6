#include "cli/paths.h"

#include <cstdlib>
#include <system_error>

#include "base/program.h"

namespace areason {

namespace fs = std::filesystem;

fs::path executable_dir() { return executable_directory(); }

std::string default_model_dir() {
  if (const char* named = std::getenv("AREASON_MODEL"); named != nullptr && *named != '\0') return named;
  const fs::path nano = "models/nano";
  std::error_code ignored;
  const auto usable = [&](const fs::path& dir) { return fs::exists(dir / "config.json", ignored); };
  const fs::path installed = executable_dir().parent_path() / "share/areason" / nano;
  if (usable(installed)) return installed.string();
  // build/release/audio-reasoner lies two folders below the source tree, other build folders one to three.
  fs::path dir = executable_dir();
  for (int up = 0; up < 4 && dir.has_relative_path(); ++up, dir = dir.parent_path())
    if (usable(dir / nano)) return (dir / nano).string();
  return nano.string();
}

std::string model_name(const std::string& dir) {
  fs::path path = fs::path(dir).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return path.filename().string();
}

}  // namespace areason
