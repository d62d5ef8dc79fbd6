#include "model/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "kernels/half.h"
#include "model/bad_file.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

// The format's own limit (safetensors, MAX_HEADER_SIZE).
constexpr std::uint64_t kMaxHeader = 100'000'000;
constexpr std::uint64_t kMaxIndex = 100'000'000;
constexpr std::size_t kMaxDimensions = 8;
const char* const kDamagedHint = "download or copy the checkpoint again";

static_assert(std::endian::native == std::endian::little, "safetensors data is used in place and is little-endian");

struct DTypeRow {
  DType dtype;
  const char* name;
  std::size_t size;
};
constexpr DTypeRow kDTypes[] = {{DType::kF32, "F32", 4}, {DType::kF16, "F16", 2}, {DType::kBF16, "BF16", 2},
                                {DType::kI64, "I64", 8}, {DType::kI32, "I32", 4}, {DType::kU8, "U8", 1}};

const DTypeRow& row_of(DType dtype) { return kDTypes[static_cast<std::size_t>(dtype)]; }

std::optional<DType> parse_dtype(const std::string& name) {
  for (const auto& row : kDTypes)
    if (name == row.name) return row.dtype;
  return std::nullopt;
}

// A std::map-based value: a hostile header with a million keys must not cost quadratic time, as ordered_json would.
using HeaderJson = nlohmann::json;

HeaderJson parse_header(const std::string& file, std::string_view text) {
  std::set<std::string, std::less<>> names;
  const auto check = [&](int depth, HeaderJson::parse_event_t event, HeaderJson& value) {
    if (depth > 4) bad_model_file(file, "the header is nested too deeply");
    if (event == HeaderJson::parse_event_t::key && depth == 1 && !names.insert(value.get<std::string>()).second)
      bad_model_file(file, "tensor " + value.get<std::string>() + " appears twice in the header");
    return true;
  };
  try {
    HeaderJson header = HeaderJson::parse(text.begin(), text.end(), check);
    if (!header.is_object()) bad_model_file(file, "the header is not a JSON object");
    return header;
  } catch (const HeaderJson::exception& e) {
    bad_model_file(file, std::string("the header is not valid JSON (") + e.what() + ")");
  }
}

std::uint64_t unsigned_field(const HeaderJson& value, const std::string& file, const std::string& what) {
  if (!value.is_number_integer() || (!value.is_number_unsigned() && value.get<std::int64_t>() < 0))
    bad_model_file(file, what + " is not a whole number >= 0");
  return value.get<std::uint64_t>();
}

// Bytes of shape * dtype. Throws when the product does not fit.
std::uint64_t byte_count(const TensorView& view, const std::string& file) {
  std::uint64_t count = dtype_size(view.dtype);
  for (const std::int64_t dim : view.shape)
    if (__builtin_mul_overflow(count, static_cast<std::uint64_t>(dim), &count))
      bad_model_file(file, "tensor " + view.name + ": the shape is too large");
  return count;
}

void parse_shape(const HeaderJson& entry, TensorView& view, const std::string& file) {
  const std::string what = "tensor " + view.name;
  const auto shape = entry.find("shape");
  if (shape == entry.end() || !shape->is_array()) bad_model_file(file, what + " has no shape");
  if (shape->size() > kMaxDimensions)
    bad_model_file(file, what + " has more than " + std::to_string(kMaxDimensions) + " dimensions");
  for (const auto& dim : *shape) {
    const std::uint64_t value = unsigned_field(dim, file, what + ": a dimension");
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      bad_model_file(file, what + ": a dimension is too large");
    view.shape.push_back(static_cast<std::int64_t>(value));
  }
}

TensorView parse_entry(const std::string& name, const HeaderJson& entry, std::span<const std::byte> data,
                       const std::string& file) {
  const std::string what = "tensor " + name;
  TensorView view;
  view.name = name;
  if (!entry.is_object()) bad_model_file(file, what + ": its entry is not an object");
  const auto dtype = entry.find("dtype");
  if (dtype == entry.end() || !dtype->is_string()) bad_model_file(file, what + " has no dtype");
  const auto known = parse_dtype(dtype->get<std::string>());
  if (!known)
    bad_model_file(file,
                   what + " has the dtype " + dtype->get<std::string>() + "; F32, F16, BF16, I64, I32 and U8 can be read");
  view.dtype = *known;
  parse_shape(entry, view, file);
  const auto offsets = entry.find("data_offsets");
  if (offsets == entry.end() || !offsets->is_array() || offsets->size() != 2)
    bad_model_file(file, what + " has no data_offsets");
  const std::uint64_t begin = unsigned_field((*offsets)[0], file, what + ": data_offsets");
  const std::uint64_t end = unsigned_field((*offsets)[1], file, what + ": data_offsets");
  if (begin > end || end > data.size())
    bad_model_file(file, what + " lies outside the file (bytes " + std::to_string(begin) + " to " + std::to_string(end) +
                             " of " + std::to_string(data.size()) + ")");
  if (end - begin != byte_count(view, file))
    bad_model_file(file, what + ": its shape and dtype do not fit its " + std::to_string(end - begin) + " bytes");
  view.data = data.subspan(begin, end - begin);
  return view;
}

void check_overlap(std::vector<TensorView>& views, const std::string& file) {
  std::sort(views.begin(), views.end(), [](const TensorView& a, const TensorView& b) { return a.data.data() < b.data.data(); });
  const TensorView* last = nullptr;
  for (const auto& view : views) {
    if (view.data.empty()) continue;
    if (last != nullptr && view.data.data() < last->data.data() + last->data.size())
      bad_model_file(file, "tensors " + last->name + " and " + view.name + " overlap");
    last = &view;
  }
}

std::vector<TensorView> parse_file(std::span<const std::byte> bytes, const std::string& file) {
  std::uint64_t length = 0;
  if (bytes.size() < sizeof length) bad_model_file(file, "is too short for a safetensors file");
  std::memcpy(&length, bytes.data(), sizeof length);
  if (length > kMaxHeader)
    bad_model_file(file, "claims a header of " + std::to_string(length) + " bytes: not a safetensors file");
  if (length > bytes.size() - sizeof length)
    bad_model_file(file, "claims a header of " + std::to_string(length) + " bytes but ends earlier");
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + sizeof length, length);
  const HeaderJson header = parse_header(file, text);
  const auto data = bytes.subspan(sizeof length + length);
  std::vector<TensorView> views;
  views.reserve(header.size());
  for (const auto& [name, entry] : header.items())
    if (name != "__metadata__") views.push_back(parse_entry(name, entry, data, file));
  check_overlap(views, file);
  return views;
}

// Shards of an index file: tensor name -> file name. Only plain names are taken, so that an index cannot reach elsewhere.
std::map<std::string, std::string> read_index(const std::string& path) {
  HeaderJson index;
  try {
    const std::string text = read_file(path, kMaxIndex);
    index = HeaderJson::parse(text);
  } catch (const HeaderJson::exception& e) {
    bad_model_file(path, std::string("is not valid JSON (") + e.what() + ")");
  } catch (const Error& e) {
    throw Error(ErrorCode::kModel, e.what(), e.hint());
  }
  const auto weight_map = index.is_object() ? index.find("weight_map") : index.end();
  if (!index.is_object() || weight_map == index.end() || !weight_map->is_object())
    bad_model_file(path, "has no weight_map object");
  std::map<std::string, std::string> shards;
  for (const auto& [name, file] : weight_map->items()) {
    if (!file.is_string()) bad_model_file(path, "weight_map: the file of " + name + " is not a string");
    const std::string plain = file.get<std::string>();
    if (plain.empty() || plain.find('/') != std::string::npos || plain == "..")
      bad_model_file(path, "weight_map: the file of " + name + " is not a plain file name");
    shards[name] = plain;
  }
  return shards;
}

std::vector<std::string> safetensors_in(const fs::path& dir) {
  std::vector<std::string> files;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(dir, ignored))
    if (entry.path().extension() == ".safetensors") files.push_back(entry.path().string());
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

std::size_t dtype_size(DType dtype) { return row_of(dtype).size; }
const char* dtype_name(DType dtype) { return row_of(dtype).name; }

float bf16_to_f32(std::uint16_t bits) { return bf16_bits_to_f32(bits); }
float f16_to_f32(std::uint16_t bits) { return f16_bits_to_f32(bits); }
std::uint16_t f32_to_bf16(float value) { return f32_to_bf16_bits(value); }

std::int64_t TensorView::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t dim : shape) count *= dim;
  return count;
}

std::vector<float> TensorView::to_f32() const {
  std::vector<float> out(static_cast<std::size_t>(elements()));
  if (dtype == DType::kF32) {
    if (!out.empty()) std::memcpy(out.data(), data.data(), data.size());
    return out;
  }
  if (dtype != DType::kF16 && dtype != DType::kBF16)
    throw Error(ErrorCode::kModel, "tensor " + name + " holds " + dtype_name(dtype) + ", not floating-point numbers",
                kDamagedHint);
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, data.data() + 2 * i, sizeof bits);
    out[i] = dtype == DType::kBF16 ? bf16_bits_to_f32(bits) : f16_bits_to_f32(bits);
  }
  return out;
}

void TensorStore::add_file(const std::string& path) {
  try {
    files_.push_back(std::make_unique<MappedFile>(path));
  } catch (const Error& e) {
    throw Error(ErrorCode::kModel, e.what(), e.hint());
  }
  for (auto& view : parse_file(files_.back()->bytes(), path)) {
    const std::string name = view.name;
    if (!tensors_.emplace(name, std::move(view)).second)
      bad_model_file(path, "tensor " + name + " is in another file of the checkpoint too");
  }
}

TensorStore TensorStore::open(const std::string& path) {
  TensorStore store;
  store.path_ = path;
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) {
    store.add_file(path);
    return store;
  }
  const fs::path dir(path);
  const std::string index = (dir / "model.safetensors.index.json").string();
  if (fs::exists(index, ignored)) {
    const auto shards = read_index(index);
    std::set<std::string> files;
    for (const auto& [name, file] : shards) files.insert(file);
    for (const auto& file : files) {
      if (!fs::exists(dir / file, ignored))
        throw Error(ErrorCode::kModel, "shard " + file + " of " + index + " is missing", "download the missing file again");
      store.add_file((dir / file).string());
    }
    for (const auto& [name, file] : shards)
      if (!store.contains(name))
        bad_model_file((dir / file).string(), "tensor " + name + " is missing though the index names it");
    return store;
  }
  if (fs::exists(dir / "model.safetensors", ignored)) {
    store.add_file((dir / "model.safetensors").string());
    return store;
  }
  for (const auto& file : safetensors_in(dir)) store.add_file(file);
  if (store.files_.empty())
    throw Error(ErrorCode::kModel, path + " holds no *.safetensors file",
                "name the directory of a downloaded checkpoint (--model or AREASON_MODEL)");
  return store;
}

bool TensorStore::contains(const std::string& name) const { return tensors_.find(name) != tensors_.end(); }

const TensorView& TensorStore::at(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw Error(ErrorCode::kModel, path_ + ": tensor " + name + " is missing", kDamagedHint);
  return found->second;
}

TensorOut make_f32(const std::string& name, std::vector<std::int64_t> shape, std::span<const float> values) {
  const auto bytes = std::as_bytes(values);
  return {name, DType::kF32, std::move(shape), {bytes.begin(), bytes.end()}};
}

TensorOut make_i64(const std::string& name, std::vector<std::int64_t> shape, std::span<const std::int64_t> values) {
  const auto bytes = std::as_bytes(values);
  return {name, DType::kI64, std::move(shape), {bytes.begin(), bytes.end()}};
}

void write_safetensors(const std::string& path, std::span<const TensorOut> tensors) {
  // Wide types first, so that every tensor is aligned to its type as long as the data section is.
  std::vector<const TensorOut*> order;
  for (const auto& tensor : tensors) order.push_back(&tensor);
  std::stable_sort(order.begin(), order.end(), [](const TensorOut* a, const TensorOut* b) {
    const std::size_t wide_a = dtype_size(a->dtype), wide_b = dtype_size(b->dtype);
    return wide_a != wide_b ? wide_a > wide_b : a->name < b->name;
  });
  nlohmann::json header = {{"__metadata__", {{"format", "pt"}}}};
  std::uint64_t offset = 0;
  for (const TensorOut* tensor : order) {
    TensorView view;
    view.name = tensor->name;
    view.dtype = tensor->dtype;
    view.shape = tensor->shape;
    if (byte_count(view, path) != tensor->data.size() || header.contains(tensor->name))
      throw Error(ErrorCode::kFailure, path + ": tensor " + tensor->name + " is given twice or does not fit its shape",
                  "this is a bug: please report it");
    header[tensor->name] = {{"dtype", dtype_name(tensor->dtype)},
                            {"shape", tensor->shape},
                            {"data_offsets", {offset, offset + tensor->data.size()}}};
    offset += tensor->data.size();
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t length = text.size();
  std::vector<std::string_view> pieces = {{reinterpret_cast<const char*>(&length), sizeof length}, text};
  for (const TensorOut* tensor : order)
    pieces.emplace_back(reinterpret_cast<const char*>(tensor->data.data()), tensor->data.size());
  write_file_atomic(path, pieces);
}

}  // namespace areason
