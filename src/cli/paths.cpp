#include "cli/paths.h"

#include <cstdlib>
#include <system_error>

#include "base/error.h"
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

void require_other_file(const std::string& output, const std::string& flag, const std::vector<std::string>& inputs) {
  for (const std::string& input : inputs) {
    std::error_code error;
    if (output.empty() || input.empty()) continue;
    if (output == input || std::filesystem::equivalent(output, input, error))
      throw Error(ErrorCode::kUsage, flag + " " + output + " would replace a file that the command reads",
                  "give another name to " + flag);
  }
}

}  // namespace areason
