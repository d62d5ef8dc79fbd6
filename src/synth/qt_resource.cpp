#include "synth/qt_resource.h"

#include <cstdint>

#include "base/error.h"
#include "base/files.h"

namespace areason {
namespace {

constexpr int kMaxDepth = 32;
constexpr unsigned kCompressedZlib = 1, kDirectory = 2, kCompressedZstd = 4;

class Reader {
 public:
  Reader(const std::string& path, const std::vector<std::string>& suffixes)
      : path_(path), suffixes_(suffixes), bytes_(read_file(path, std::uint64_t{1} << 30)) {
    if (bytes_.compare(0, 4, "qres") != 0) fail();
    const std::uint32_t version = number(4, 4);
    tree_ = number(8, 4);
    data_ = number(12, 4);
    names_ = number(16, 4);
    node_bytes_ = version >= 2 ? 22 : 14;
  }

  void walk(std::uint64_t node, const std::string& parent, int depth) {
    if (depth > kMaxDepth || ++visited_ > 200000) fail();
    const std::uint64_t at = tree_ + node * node_bytes_;
    const std::string path = node == 0 ? parent : parent + "/" + name(number(at, 4));
    const std::uint32_t flags = number(at + 4, 2);
    if (flags & kDirectory) {
      const std::uint32_t count = number(at + 6, 4), first = number(at + 10, 4);
      for (std::uint32_t i = 0; i < count; ++i) walk(std::uint64_t{first} + i, path, depth + 1);
    } else if (!(flags & (kCompressedZlib | kCompressedZstd)) && wanted(path)) {
      const std::uint64_t from = data_ + number(at + 10, 4);
      const std::uint32_t size = number(from, 4);
      if (from + 4 + size > bytes_.size()) fail();
      entries_.push_back({path, bytes_.substr(from + 4, size)});
    }
  }

  std::vector<QtResourceEntry> take() { return std::move(entries_); }

 private:
  [[noreturn]] void fail() const {
    throw Error(ErrorCode::kInput, path_ + " is not a sound Qt resource file", "reinstall gcompris-qt-data");
  }
  std::uint32_t number(std::uint64_t at, int size) const {
    if (at + static_cast<std::uint64_t>(size) > bytes_.size()) fail();
    std::uint32_t value = 0;
    for (int i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes_[at + static_cast<std::uint64_t>(i)]);
    return value;
  }
  // UTF-16; the names here are ASCII, anything else becomes '_'.
  std::string name(std::uint32_t offset) const {
    const std::uint64_t at = names_ + offset;
    const std::uint32_t length = number(at, 2);
    std::string result;
    for (std::uint32_t i = 0; i < length; ++i) {
      const std::uint32_t unit = number(at + 6 + 2 * std::uint64_t{i}, 2);
      result += unit > 32 && unit < 127 && unit != '/' ? static_cast<char>(unit) : '_';
    }
    return result;
  }
  bool wanted(const std::string& path) const {
    for (const std::string& suffix : suffixes_) {
      if (path.ends_with(suffix)) return true;
    }
    return false;
  }

  const std::string& path_;
  const std::vector<std::string>& suffixes_;
  std::string bytes_;
  std::uint64_t tree_ = 0, data_ = 0, names_ = 0, node_bytes_ = 14;
  int visited_ = 0;
  std::vector<QtResourceEntry> entries_;
};

}  // namespace

std::vector<QtResourceEntry> read_qt_resource(const std::string& path, const std::vector<std::string>& suffixes) {
  Reader reader(path, suffixes);
  reader.walk(0, "", 0);
  return reader.take();
}

}  // namespace areason
