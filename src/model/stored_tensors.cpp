#include "model/stored_tensors.h"

#include <algorithm>

#include "base/error.h"
#include "kernels/quant_blocks.h"
#include "model/bad_file.h"
#include "model/gguf_names.h"

namespace areason {
namespace {

std::optional<WeightType> weight_type_of(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return WeightType::kF32;
    case DType::kBF16:
      return WeightType::kBF16;
    case DType::kF16:
      return WeightType::kF16;
    default:
      return std::nullopt;
  }
}

// llama.cpp's converter keeps the convolutions' biases as columns.
void drop_ones(std::vector<std::int64_t>& shape) {
  while (shape.size() > 1 && shape.back() == 1) shape.pop_back();
}

}  // namespace

std::optional<WeightType> weight_type_of(const GgufTypeInfo& info) {
  for (const WeightType type : kWeightTypes)
    if (std::string_view(weight_type_name(type)) == info.name) return type;
  return std::nullopt;
}

std::vector<float> StoredTensor::to_f32() const {
  if (!type)
    throw Error(ErrorCode::kModel, file + ": tensor " + name + " holds " + type_name + ", which cannot be computed with",
                "take a checkpoint in F32, F16 or BF16, or a GGUF file in Q8_0, Q4_0, Q4_K, Q5_K or Q6_K");
  std::int64_t count = 1;
  for (const std::int64_t dim : shape) count *= dim;
  std::vector<float> out(static_cast<std::size_t>(count));
  // Blocks never cross rows, but they follow each other: a tensor is one long row.
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  const std::size_t block = static_cast<std::size_t>(block_size(*type));
  for (std::size_t from = 0; from < out.size(); from += kPiece)
    dequantize_row(*type, data.data() + from / block * block_bytes(*type),
                   static_cast<int>(std::min(kPiece, out.size() - from)), out.data() + from);
  return out;
}

StoredTensors StoredTensors::open(const ModelFiles& files) {
  StoredTensors out;
  out.path_ = files.is_gguf() ? files.text_gguf : files.dir;
  if (!files.is_gguf()) {
    out.add_safetensors(files.dir);
    return out;
  }
  out.add_gguf(files.text_gguf);
  out.add_gguf(files.mmproj_gguf);
  return out;
}

void StoredTensors::add(const std::string& name, StoredTensor tensor) {
  const std::string file = tensor.file, stored = tensor.name;
  if (!tensors_.emplace(name, std::move(tensor)).second) bad_model_file(file, "tensor " + stored + " is there twice");
}

void StoredTensors::add_safetensors(const std::string& dir) {
  store_ = TensorStore::open(dir);
  for (const auto& [name, view] : store_.tensors())
    add(released_name(name), {name, store_.path(), dtype_name(view.dtype), weight_type_of(view.dtype), view.shape, view.data});
}

void StoredTensors::add_gguf(const std::string& path) {
  gguf_.push_back(GgufFile::open(path));
  for (const auto& [name, tensor] : gguf_.back().tensors()) {
    const auto released = released_name_of(std::string(name));
    if (!released) continue;  // helpers of llama.cpp that the architecture does not need
    StoredTensor stored{std::string(name), path, tensor.type->name, weight_type_of(*tensor.type), tensor.shape, tensor.data};
    if (released->ends_with(".bias")) drop_ones(stored.shape);
    add(*released, std::move(stored));
  }
}

const StoredTensor* StoredTensors::find(const std::string& released_name) const {
  const auto found = tensors_.find(released_name);
  return found == tensors_.end() ? nullptr : &found->second;
}

}  // namespace areason
