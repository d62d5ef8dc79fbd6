#include "reason/file_cache.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/log.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

constexpr char kMagic[8] = {'A', 'R', 'C', 'A', 'C', 'H', 'E', '1'};

struct Header {
  char magic[8];
  std::uint64_t size;
  std::uint64_t checksum;
};

// Finds damage, not malice: four lanes of multiplications, several GB a second.
class Checksum {
 public:
  void add(std::string_view bytes) {
    size_ += bytes.size();
    while (!bytes.empty()) {
      if (filled_ == 0 && bytes.size() >= kBlock) {
        mix(bytes.data());
        bytes.remove_prefix(kBlock);
        continue;
      }
      const std::size_t count = std::min(bytes.size(), kBlock - filled_);
      std::memcpy(rest_.data() + filled_, bytes.data(), count);
      bytes.remove_prefix(count);
      filled_ += count;
      if (filled_ == kBlock) mix(rest_.data()), filled_ = 0;
    }
  }
  std::uint64_t value() {
    std::fill(rest_.begin() + static_cast<std::ptrdiff_t>(filled_), rest_.end(), '\0');
    mix(rest_.data());
    std::uint64_t all = size_;
    for (const std::uint64_t lane : lanes_) all = (all ^ lane ^ (lane >> 29)) * kFactor;
    return all;
  }

 private:
  static constexpr std::size_t kBlock = 32;
  static constexpr std::uint64_t kFactor = 0x9e3779b97f4a7c15u;
  void mix(const char* block) {
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      std::uint64_t word;
      std::memcpy(&word, block + 8 * i, 8);
      lanes_[i] = ((lanes_[i] << 31 | lanes_[i] >> 33) ^ word) * kFactor;
    }
  }
  std::array<std::uint64_t, 4> lanes_ = {1, 2, 3, 4};
  std::array<char, kBlock> rest_{};
  std::size_t filled_ = 0;
  std::uint64_t size_ = 0;
};

// True when the file is whole.
bool is_sound(std::span<const std::byte> file) {
  Header header;
  if (file.size() < sizeof header) return false;
  std::memcpy(&header, file.data(), sizeof header);
  const auto content = file.subspan(sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0 || header.size != content.size()) return false;
  Checksum checksum;
  checksum.add({reinterpret_cast<const char*>(content.data()), content.size()});
  return checksum.value() == header.checksum;
}

void warn(const std::string& what) { log_warning("the cache on disk: " + what); }

}  // namespace

FileCache::FileCache(const std::string& dir, std::uint64_t most_bytes) : dir_(dir), most_bytes_(most_bytes) {
  make_directories(dir);
  make_room(0);  // an earlier process may have been allowed more
}

std::span<const std::byte> FileCache::Content::bytes() const { return file_.bytes().subspan(sizeof(Header)); }

bool FileCache::has(const std::string& name) const {
  std::error_code ignored;
  return fs::exists(path(name), ignored);
}

std::optional<FileCache::Content> FileCache::get(const std::string& name) {
  const std::string file = path(name);
  if (!has(name)) return std::nullopt;
  try {
    MappedFile mapped(file);
    if (is_sound(mapped.bytes())) {
      utimensat(AT_FDCWD, file.c_str(), nullptr, 0);  // used now; a read-only folder only loses the order
      return Content(std::move(mapped));
    }
    warn(file + " is damaged and is not used");
    std::error_code ignored;
    fs::remove(file, ignored);
  } catch (const Error& e) {
    warn(e.what());
  }
  return std::nullopt;
}

void FileCache::put(const std::string& name, std::span<const std::string_view> pieces) {
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  Checksum checksum;
  for (const std::string_view piece : pieces) {
    checksum.add(piece);
    header.size += piece.size();
  }
  header.checksum = checksum.value();
  const std::uint64_t total = header.size + sizeof header;
  if (total > most_bytes_) return warn(name + " does not fit: it has " + std::to_string(total) + " bytes");
  std::vector<std::string_view> all = {{reinterpret_cast<const char*>(&header), sizeof header}};
  all.insert(all.end(), pieces.begin(), pieces.end());
  try {
    make_room(total);
    write_file_atomic(path(name), all);
  } catch (const std::exception& e) {
    warn(e.what());
  }
}

// Deletes the least recently used files until `bytes` more fit.
void FileCache::make_room(std::uint64_t bytes) {
  struct File {
    fs::file_time_type used;
    std::uint64_t size;
    fs::path path;
  };
  std::vector<File> files;
  std::uint64_t total = bytes;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(dir_, error)) {
    if (entry.path().extension() != ".cache") continue;
    const auto size = entry.file_size(error);
    if (error) continue;  // another process has deleted it
    const auto used = entry.last_write_time(error);
    if (error) continue;
    files.push_back({used, size, entry.path()});
    total += size;
  }
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.used < b.used; });
  for (const File& file : files) {
    if (total <= most_bytes_) break;
    fs::remove(file.path, error);
    total -= file.size;
  }
}

}  // namespace areason
