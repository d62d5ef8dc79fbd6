#include "reason/model_identity.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "kernels/isa.h"
#include "model/model_files.h"

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
  std::error_code error;
  const auto size = fs::file_size(path, error);
  const auto written = error ? fs::file_time_type() : fs::last_write_time(path, error);
  std::ifstream in(path, std::ios::binary);
  std::string content;
  if (!error) add_part(in, 0, std::min(size, kEnd), content);
  if (!error && size > kEnd) add_part(in, size - kEnd, kEnd, content);
  if (error || !in) throw Error(ErrorCode::kInput, "cannot read " + path.string(), "check its permissions");
  return path.filename().string() + ' ' + std::to_string(size) + ' ' + std::to_string(written.time_since_epoch().count()) +
         ' ' + sha256_hex(content) + '\n';
}

}  // namespace

std::string model_identity(const std::string& model) {
  std::string all = std::string("engine ") + kEngineVersion + ' ' + isa_name(active_isa()) + '\n';
  const ModelFiles files = find_model_files(model);
  std::vector<fs::path> paths;
  if (files.is_gguf()) paths = {files.text_gguf, files.mmproj_gguf};
  std::error_code error;
  for (auto it = fs::directory_iterator(files.dir, error); !error && it != fs::directory_iterator(); it.increment(error)) {
    const auto kind = it->path().extension();
    if (kind == ".json" || kind == ".txt" || (kind == ".safetensors" && !files.is_gguf())) paths.push_back(it->path());
  }
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) all += file_identity(path);
  return sha256_hex(all);
}

}  // namespace areason
