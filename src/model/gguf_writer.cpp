#include "model/gguf_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/error.h"

namespace areason {
namespace {

template <typename T>
void put(std::string& out, T value) {
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof bytes);
}

void put_string(std::string& out, std::string_view text) {
  put<std::uint64_t>(out, text.size());
  out += text;
}

[[noreturn]] void fail(const std::string& path, const char* step) {
  throw Error(ErrorCode::kFailure, std::string("cannot ") + step + " " + path + ": " + std::strerror(errno),
              "check the free space and the permissions of its directory");
}

[[noreturn]] void bug(const std::string& path, const std::string& what) {
  throw Error(ErrorCode::kFailure, path + ": " + what, "this is a bug: please report it");
}

void write_all(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path, "write");
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

// Whether the file begins with these bytes.
bool begins_with(int descriptor, std::string_view head) {
  std::string have(head.size(), '\0');
  std::size_t got = 0;
  while (got < have.size()) {
    const ssize_t n = ::pread(descriptor, have.data() + got, have.size() - got, static_cast<off_t>(got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    got += static_cast<std::size_t>(n);
  }
  return have == head;
}

}  // namespace

std::uint64_t gguf_padded(std::uint64_t bytes) { return (bytes + kGgufAlignment - 1) / kGgufAlignment * kGgufAlignment; }

void GgufHead::begin_value(std::string_view key, GgufKind kind) {
  put_string(pairs_, key);
  put(pairs_, static_cast<std::uint32_t>(kind));
  ++pair_count_;
}

void GgufHead::add_text(std::string_view key, std::string_view value) {
  begin_value(key, GgufKind::kString);
  put_string(pairs_, value);
}

void GgufHead::add_u32(std::string_view key, std::uint32_t value) {
  begin_value(key, GgufKind::kU32);
  put(pairs_, value);
}

void GgufHead::add_f32(std::string_view key, float value) {
  begin_value(key, GgufKind::kF32);
  put(pairs_, value);
}

void GgufHead::add_flag(std::string_view key, bool value) {
  begin_value(key, GgufKind::kBool);
  put<std::uint8_t>(pairs_, value ? 1 : 0);
}

void GgufHead::add_texts(std::string_view key, std::span<const std::string> values) {
  begin_value(key, GgufKind::kArray);
  put(pairs_, static_cast<std::uint32_t>(GgufKind::kString));
  put<std::uint64_t>(pairs_, values.size());
  for (const auto& value : values) put_string(pairs_, value);
}

void GgufHead::add_i32s(std::string_view key, std::span<const std::int32_t> values) {
  begin_value(key, GgufKind::kArray);
  put(pairs_, static_cast<std::uint32_t>(GgufKind::kI32));
  put<std::uint64_t>(pairs_, values.size());
  for (const std::int32_t value : values) put(pairs_, value);
}

void GgufHead::add_tensor(std::string name, GgufType type, std::vector<std::int64_t> shape) {
  const GgufTypeInfo& info = gguf_type_info(type);
  std::uint64_t elements = 1;
  for (const std::int64_t dim : shape) elements *= static_cast<std::uint64_t>(dim);
  if (!shape.empty() && static_cast<std::uint64_t>(shape.back()) % info.block != 0)
    bug(name, "rows of " + std::to_string(shape.back()) + " values are not whole blocks of " + info.name);
  const std::uint64_t bytes = elements / info.block * info.bytes;
  tensors_.push_back({std::move(name), type, std::move(shape), data_bytes_, bytes});
  data_bytes_ += gguf_padded(bytes);
}

std::string GgufHead::bytes() const {
  std::string out = "GGUF";
  put(out, kGgufVersion);
  put<std::uint64_t>(out, tensors_.size());
  put<std::uint64_t>(out, pair_count_);
  out += pairs_;
  for (const auto& tensor : tensors_) {
    put_string(out, tensor.name);
    put(out, static_cast<std::uint32_t>(tensor.shape.size()));
    for (auto dim = tensor.shape.rbegin(); dim != tensor.shape.rend(); ++dim) put<std::int64_t>(out, *dim);
    put(out, static_cast<std::uint32_t>(tensor.type));
    put<std::uint64_t>(out, tensor.offset);
  }
  out.resize(gguf_padded(out.size()), '\0');
  return out;
}

GgufWriter::GgufWriter(std::string path, const GgufHead& head)
    : path_(std::move(path)), partial_(path_ + ".partial"), head_(head.bytes()), tensors_(head.tensors()) {}

GgufWriter::~GgufWriter() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void GgufWriter::open_at(std::uint64_t position) {
  if (descriptor_ < 0) descriptor_ = ::open(partial_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail(partial_, "create");
  if (::ftruncate(descriptor_, static_cast<off_t>(position)) != 0 || ::lseek(descriptor_, 0, SEEK_END) < 0)
    fail(partial_, "write");
  if (position == 0) write_all(descriptor_, head_, partial_);
}

std::size_t GgufWriter::resume(std::size_t known) {
  descriptor_ = ::open(partial_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail(partial_, "create");
  struct stat info {};
  if (::fstat(descriptor_, &info) != 0) fail(partial_, "read");
  next_ = 0;
  written_ = 0;
  if (!begins_with(descriptor_, head_)) known = 0;
  const std::uint64_t have = static_cast<std::uint64_t>(info.st_size);
  std::uint64_t end = head_.size();
  while (next_ < std::min(known, tensors_.size())) {
    const std::uint64_t after = head_.size() + tensors_[next_].offset + gguf_padded(tensors_[next_].bytes);
    if (after > have) break;
    end = after;
    ++next_;
  }
  open_at(next_ > 0 ? end : 0);
  return next_;
}

void GgufWriter::append(std::span<const std::byte> bytes) {
  if (descriptor_ < 0) open_at(0);
  written_ += bytes.size();
  if (next_ >= tensors_.size() || written_ > tensors_[next_].bytes) bug(path_, "more data than the head has room for");
  write_all(descriptor_, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, partial_);
}

void GgufWriter::end_tensor() {
  if (next_ >= tensors_.size() || written_ != tensors_[next_].bytes) bug(path_, "a tensor's data is not complete");
  write_all(descriptor_, std::string(gguf_padded(written_) - written_, '\0'), partial_);
  if (::fdatasync(descriptor_) != 0) fail(partial_, "flush");
  ++next_;
  written_ = 0;
}

void GgufWriter::finish() {
  if (descriptor_ < 0) open_at(0);
  if (next_ != tensors_.size()) bug(path_, "tensors are missing");
  if (::fsync(descriptor_) != 0) fail(partial_, "flush");
  ::close(std::exchange(descriptor_, -1));
  if (::rename(partial_.c_str(), path_.c_str()) != 0) fail(path_, "replace");
}

}  // namespace areason
