#include "reason/model_identity.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "kernels/isa.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kEnd = 64 << 10;  // bytes read at either end of a file
// To be raised when the engine computes other numbers from the same files.
constexpr const char* kEngineVersion = "1";

void add_part(std::ifstream& in, std::uintmax_t from, std::uintmax_t count, std::string& out) {
  std::string bytes(count, '\0');
  in.seekg(static_cast<std::streamoff>(from));
  in.read(bytes.data(), static_cast<std::streamsize>(count));
  out += bytes;
}

std::string file_identity(const fs::path& path) {
  const auto size = fs::file_size(path);
  std::ifstream in(path, std::ios::binary);
  std::string content;
  add_part(in, 0, std::min(size, kEnd), content);
  if (size > kEnd) add_part(in, size - kEnd, kEnd, content);
  if (!in) throw Error(ErrorCode::kInput, "cannot read " + path.string(), "check its permissions");
  return path.filename().string() + ' ' + std::to_string(size) + ' ' +
         std::to_string(fs::last_write_time(path).time_since_epoch().count()) + ' ' + sha256_hex(content) + '\n';
}

}  // namespace

std::string model_identity(const std::string& model_dir) {
  std::string all = std::string("engine ") + kEngineVersion + ' ' + isa_name(active_isa()) + '\n';
  std::vector<fs::path> files;
  if (fs::is_directory(model_dir)) {
    for (const auto& entry : fs::directory_iterator(model_dir)) {
      const auto kind = entry.path().extension();
      if (entry.is_regular_file() && (kind == ".json" || kind == ".safetensors" || kind == ".gguf" || kind == ".txt"))
        files.push_back(entry.path());
    }
  } else {
    files.emplace_back(model_dir);
  }
  std::sort(files.begin(), files.end());
  for (const auto& path : files) all += file_identity(path);
  return sha256_hex(all);
}

}  // namespace areason
