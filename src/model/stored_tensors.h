#pragma once
// The tensors of a model wherever they lie (safetensors or the two GGUF files), under the released checkpoint's names, mapped
// and not copied. Called by the loader (weights.h) and by the converter. Errors: Error(kModel) naming file and tensor.
// Thread rule: constant after open().
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/weight_type.h"
#include "model/gguf_reader.h"
#include "model/model_files.h"
#include "model/safetensors.h"

namespace areason {

struct StoredTensor {
  std::string name;  // in its file
  std::string file;
  const char* type_name = "";
  std::optional<WeightType> type;  // nothing for numbers that are no weights, or in a format that cannot be computed with
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;
  // All values. Throws when there is no type.
  std::vector<float> to_f32() const;
};

// Nothing for a format that cannot be computed with.
std::optional<WeightType> weight_type_of(const GgufTypeInfo& info);

class StoredTensors {
 public:
  static StoredTensors open(const ModelFiles& files);
  const StoredTensor* find(const std::string& released_name) const;
  // What to call the model in messages.
  const std::string& path() const { return path_; }

 private:
  void add_safetensors(const std::string& dir);
  void add_gguf(const std::string& path);
  void add(const std::string& released_name, StoredTensor tensor);

  std::string path_;
  TensorStore store_;
  std::vector<GgufFile> gguf_;
  std::map<std::string, StoredTensor> tensors_;
};

}  // namespace areason
