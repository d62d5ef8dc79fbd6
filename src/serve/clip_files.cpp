#include "serve/clip_files.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"

namespace areason::serve {
namespace {

constexpr std::size_t kKept = 32;

}  // namespace

ClipFile::~ClipFile() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

ClipFiles::ClipFiles() {
  std::error_code failed;
  folder_ = std::filesystem::temp_directory_path(failed) / "audio-reasoner-XXXXXX";
  if (failed || mkdtemp(folder_.data()) == nullptr) {
    throw Error(ErrorCode::kFailure,
                "cannot make a folder for clips: " + (failed ? failed.message() : folder_ + ": " + std::strerror(errno)),
                "set TMPDIR to a folder that can be written to");
  }
}

ClipFiles::~ClipFiles() {
  recent_.clear();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

ClipFilePtr ClipFiles::put(std::string_view bytes, const std::string& extension) {
  const std::string content = sha256_hex(bytes) + "." + extension;
  const std::lock_guard lock(mutex_);
  for (auto it = recent_.begin(); it != recent_.end(); ++it) {
    if (it->first != content) continue;
    recent_.splice(recent_.begin(), recent_, it);
    return recent_.front().second;
  }
  // The number: an older file of the same content may be held by a request, and goes with it.
  const std::string path = folder_ + "/" + std::to_string(next_++) + "-" + content;
  write_file_atomic(path, bytes);
  recent_.emplace_front(content, std::make_shared<ClipFile>(path));
  if (recent_.size() > kKept) recent_.pop_back();
  return recent_.front().second;
}

}  // namespace areason::serve
