#include "model/gguf_reader.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "model/bad_file.h"

namespace areason {
namespace {

constexpr std::uint32_t kMaxGgufDimensions = 4;  // GGML_MAX_DIMS
constexpr int kMaxNesting = 4;                   // of arrays in arrays

static_assert(std::endian::native == std::endian::little, "GGUF data is used in place and is little-endian");

// Bytes of one number; 0 for strings and arrays, nothing for a kind that the format does not have.
std::optional<std::size_t> number_size(GgufKind kind) {
  switch (kind) {
    case GgufKind::kU8:
    case GgufKind::kI8:
    case GgufKind::kBool:
      return 1;
    case GgufKind::kU16:
    case GgufKind::kI16:
      return 2;
    case GgufKind::kU32:
    case GgufKind::kI32:
    case GgufKind::kF32:
      return 4;
    case GgufKind::kU64:
    case GgufKind::kI64:
    case GgufKind::kF64:
      return 8;
    case GgufKind::kString:
    case GgufKind::kArray:
      return 0;
  }
  return std::nullopt;
}

template <typename T>
T load(std::span<const std::byte> bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  return value;
}

// Walks over the file's head; every step is checked against what is left.
class Cursor {
 public:
  Cursor(std::span<const std::byte> bytes, const std::string& file) : bytes_(bytes), file_(file) {}

  std::uint64_t position() const { return at_; }
  std::uint64_t left() const { return bytes_.size() - at_; }
  std::span<const std::byte> take(std::uint64_t count, const std::string& what) {
    if (count > left())
      fail(what + " takes " + std::to_string(count) + " bytes at " + std::to_string(at_) + " but the file ends after " +
           std::to_string(left()));
    const auto part = bytes_.subspan(at_, count);
    at_ += count;
    return part;
  }
  template <typename T>
  T number(const std::string& what) {
    return load<T>(take(sizeof(T), what));
  }
  std::string_view string(const std::string& what) {
    const auto length = number<std::uint64_t>(what);
    const auto part = take(length, what);
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }
  // How many of something that takes at least `least` bytes each: a lying count is refused before anything is allocated.
  std::uint64_t count(std::uint64_t least, const std::string& what) {
    const auto value = number<std::uint64_t>(what);
    if (value > left() / least) fail("claims " + std::to_string(value) + " " + what + ", more than the file can hold");
    return value;
  }
  GgufKind kind(const std::string& what) {
    const auto id = number<std::uint32_t>(what);
    const auto value = static_cast<GgufKind>(id);
    if (!number_size(value)) fail(what + " has the unknown value type " + std::to_string(id));
    return value;
  }
  [[noreturn]] void fail(const std::string& what) const { bad_model_file(file_, what); }

 private:
  std::span<const std::byte> bytes_;
  const std::string& file_;
  std::uint64_t at_ = 0;
};

GgufValue read_value(Cursor& cursor, GgufKind kind, const std::string& what, int nesting);

GgufValue read_array(Cursor& cursor, const std::string& what, int nesting) {
  if (nesting >= kMaxNesting) cursor.fail(what + ": arrays are nested too deeply");
  GgufValue value{GgufKind::kArray, cursor.kind(what), 0, {}};
  const std::size_t size = *number_size(value.item);
  constexpr std::uint64_t kLeastString = sizeof(std::uint64_t);
  value.count = cursor.count(size > 0 ? size : kLeastString, "items of " + what);
  if (size > 0) {
    value.bytes = cursor.take(value.count * size, what);
    return value;
  }
  // Items of different lengths: walked over once, so that readers need no checks.
  Cursor from = cursor;
  for (std::uint64_t i = 0; i < value.count; ++i) read_value(cursor, value.item, what, nesting + 1);
  value.bytes = from.take(cursor.position() - from.position(), what);
  return value;
}

GgufValue read_value(Cursor& cursor, GgufKind kind, const std::string& what, int nesting) {
  if (kind == GgufKind::kArray) return read_array(cursor, what, nesting);
  if (kind == GgufKind::kString) {
    const std::string_view text = cursor.string(what);
    return {kind, kind, 1, std::as_bytes(std::span(text))};
  }
  return {kind, kind, 1, cursor.take(*number_size(kind), what)};
}

struct TensorEntry {
  GgufTensor tensor;
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
};

std::uint64_t tensor_bytes(const Cursor& cursor, const GgufTensor& tensor, const std::string& what) {
  std::uint64_t elements = 1, bytes = 0;
  for (const std::int64_t dim : tensor.shape)
    if (__builtin_mul_overflow(elements, static_cast<std::uint64_t>(dim), &elements) ||
        elements > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      cursor.fail(what + ": the shape is too large");
  const std::int64_t row = tensor.shape.empty() ? 1 : tensor.shape.back();
  if (static_cast<std::uint64_t>(row) % tensor.type->block != 0)
    cursor.fail(what + " of type " + tensor.type->name + " has rows of " + std::to_string(row) + " values, not a multiple of " +
                std::to_string(tensor.type->block));
  if (__builtin_mul_overflow(elements / tensor.type->block, tensor.type->bytes, &bytes))
    cursor.fail(what + ": the shape is too large");
  return bytes;
}

TensorEntry read_tensor(Cursor& cursor) {
  TensorEntry entry;
  GgufTensor& tensor = entry.tensor;
  tensor.name = cursor.string("a tensor's name");
  const std::string what = "tensor " + std::string(tensor.name.substr(0, 100));
  const auto dimensions = cursor.number<std::uint32_t>(what);
  if (dimensions > kMaxGgufDimensions)
    cursor.fail(what + " has " + std::to_string(dimensions) + " dimensions, more than " + std::to_string(kMaxGgufDimensions));
  for (std::uint32_t i = 0; i < dimensions; ++i) {
    tensor.shape.push_back(cursor.number<std::int64_t>(what));
    if (tensor.shape.back() < 0) cursor.fail(what + ": a dimension is too large");
  }
  std::reverse(tensor.shape.begin(), tensor.shape.end());
  const auto type = cursor.number<std::uint32_t>(what);
  tensor.type = find_gguf_type(type);
  if (tensor.type == nullptr) cursor.fail(what + " has the unknown type " + std::to_string(type));
  entry.offset = cursor.number<std::uint64_t>(what);
  entry.bytes = tensor_bytes(cursor, tensor, what);
  return entry;
}

void read_head(Cursor& cursor) {
  const auto magic = cursor.take(4, "the magic number");
  if (std::memcmp(magic.data(), "GGUF", 4) != 0) cursor.fail("is not a GGUF file (it does not begin with GGUF)");
  const auto version = cursor.number<std::uint32_t>("the version");
  if ((version & 0xffffu) == 0) cursor.fail("is a big-endian GGUF file, which this machine cannot use");
  if (version != 2 && version != 3)
    cursor.fail("is GGUF version " + std::to_string(version) + "; versions 2 and 3 can be read");
}

void place_tensors(const Cursor& cursor, std::vector<TensorEntry>& entries, std::span<const std::byte> data,
                   std::uint64_t alignment) {
  for (auto& entry : entries) {
    const std::string what = "tensor " + std::string(entry.tensor.name.substr(0, 100));
    if (entry.offset % alignment != 0)
      cursor.fail(what + " begins at " + std::to_string(entry.offset) + ", not a multiple of the alignment " +
                  std::to_string(alignment));
    if (entry.offset > data.size() || entry.bytes > data.size() - entry.offset)
      cursor.fail(what + " lies outside the file (" + std::to_string(entry.bytes) + " bytes at " +
                  std::to_string(entry.offset) + " of " + std::to_string(data.size()) + ")");
    entry.tensor.data = data.subspan(entry.offset, entry.bytes);
  }
  std::sort(entries.begin(), entries.end(), [](const TensorEntry& a, const TensorEntry& b) { return a.offset < b.offset; });
  const TensorEntry* last = nullptr;
  for (const auto& entry : entries) {
    if (entry.bytes == 0) continue;
    if (last != nullptr && entry.offset < last->offset + last->bytes)
      cursor.fail("tensors " + std::string(last->tensor.name.substr(0, 100)) + " and " +
                  std::string(entry.tensor.name.substr(0, 100)) + " overlap");
    last = &entry;
  }
}

std::optional<std::int64_t> whole_of(GgufKind kind, std::span<const std::byte> bytes) {
  switch (kind) {
    case GgufKind::kU8:
      return load<std::uint8_t>(bytes);
    case GgufKind::kI8:
      return load<std::int8_t>(bytes);
    case GgufKind::kU16:
      return load<std::uint16_t>(bytes);
    case GgufKind::kI16:
      return load<std::int16_t>(bytes);
    case GgufKind::kU32:
      return load<std::uint32_t>(bytes);
    case GgufKind::kI32:
      return load<std::int32_t>(bytes);
    case GgufKind::kI64:
      return load<std::int64_t>(bytes);
    case GgufKind::kU64: {
      const auto value = load<std::uint64_t>(bytes);
      if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
        return static_cast<std::int64_t>(value);
      return std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

}  // namespace

GgufFile GgufFile::open(const std::string& path) {
  GgufFile out;
  out.path_ = path;
  try {
    out.file_ = std::make_unique<MappedFile>(path);
  } catch (const Error& e) {
    throw Error(ErrorCode::kModel, e.what(), e.hint());
  }
  Cursor cursor(out.file_->bytes(), out.path_);
  read_head(cursor);
  constexpr std::uint64_t kLeastTensor = 24, kLeastPair = 13;
  const std::uint64_t tensors = cursor.count(kLeastTensor, "tensors");
  const std::uint64_t pairs = cursor.count(kLeastPair, "metadata values");
  for (std::uint64_t i = 0; i < pairs; ++i) {
    const std::string_view key = cursor.string("a metadata key");
    const std::string what = "metadata " + std::string(key.substr(0, 100));
    if (out.metadata_.contains(key)) cursor.fail(what + " appears twice");
    const GgufKind kind = cursor.kind(what);
    out.metadata_.emplace(key, read_value(cursor, kind, what, 0));
  }
  std::vector<TensorEntry> entries;
  for (std::uint64_t i = 0; i < tensors; ++i) entries.push_back(read_tensor(cursor));
  const auto alignment = static_cast<std::uint64_t>(out.whole("general.alignment").value_or(kGgufAlignment));
  if (!std::has_single_bit(alignment) || alignment > (std::uint64_t{1} << 31))
    cursor.fail("general.alignment is not a power of two");
  const std::uint64_t begin = (cursor.position() + alignment - 1) / alignment * alignment;
  place_tensors(cursor, entries, out.file_->bytes().subspan(std::min<std::uint64_t>(begin, out.file_->bytes().size())),
                alignment);
  for (auto& entry : entries) {
    const std::string_view name = entry.tensor.name;
    if (!out.tensors_.emplace(name, std::move(entry.tensor)).second)
      cursor.fail("tensor " + std::string(name.substr(0, 100)) + " appears twice");
  }
  return out;
}

const GgufValue* GgufFile::find(std::string_view key) const {
  const auto found = metadata_.find(key);
  return found == metadata_.end() ? nullptr : &found->second;
}

const GgufTensor* GgufFile::find_tensor(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : &found->second;
}

std::optional<std::string_view> GgufFile::text(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->kind != GgufKind::kString) bad_model_file(path_, "metadata " + std::string(key) + " is not a string");
  return std::string_view(reinterpret_cast<const char*>(value->bytes.data()), value->bytes.size());
}

std::optional<std::int64_t> GgufFile::whole(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto number = whole_of(value->kind, value->bytes);
  if (!number) bad_model_file(path_, "metadata " + std::string(key) + " is not a whole number");
  return number;
}

std::optional<double> GgufFile::number(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  double number = 0;
  if (value->kind == GgufKind::kF32)
    number = static_cast<double>(load<float>(value->bytes));
  else if (value->kind == GgufKind::kF64)
    number = load<double>(value->bytes);
  else
    return static_cast<double>(*whole(key));
  if (!std::isfinite(number)) bad_model_file(path_, "metadata " + std::string(key) + " is not a finite number");
  return number;
}

std::optional<bool> GgufFile::flag(std::string_view key) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->kind != GgufKind::kBool) bad_model_file(path_, "metadata " + std::string(key) + " is not true or false");
  return load<std::uint8_t>(value->bytes) != 0;
}

std::vector<std::string_view> GgufFile::texts(std::string_view key) const {
  const GgufValue* value = find(key);
  std::vector<std::string_view> out;
  if (value == nullptr) return out;
  if (value->kind != GgufKind::kArray || value->item != GgufKind::kString)
    bad_model_file(path_, "metadata " + std::string(key) + " is not a list of strings");
  Cursor cursor(value->bytes, path_);
  out.reserve(value->count);  // at most an eighth of the file's size: open() has seen them all
  for (std::uint64_t i = 0; i < value->count; ++i) out.push_back(cursor.string(std::string()));
  return out;
}

std::vector<std::int64_t> GgufFile::wholes(std::string_view key) const {
  const GgufValue* value = find(key);
  std::vector<std::int64_t> out;
  if (value == nullptr) return out;
  const std::size_t size = value->kind == GgufKind::kArray ? *number_size(value->item) : 0;
  for (std::uint64_t i = 0; i < value->count && size > 0; ++i)
    if (const auto number = whole_of(value->item, value->bytes.subspan(i * size, size))) out.push_back(*number);
  if (value->kind != GgufKind::kArray || out.size() != value->count)
    bad_model_file(path_, "metadata " + std::string(key) + " is not a list of whole numbers");
  return out;
}

}  // namespace areason
