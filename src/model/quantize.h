#pragma once
// A released checkpoint (safetensors) as two GGUF files: the text model and mmproj. Weights stream through, a few rows at a
// time; an interrupted conversion goes on where it stopped and ends in the same bytes. What each tensor lost is measured
// against the source and kept beside the file (FILE.errors.jsonl), which is also the record of what is done.
// Called by `audio-reasoner quantize`. Errors: Error(kModel), Error(kFailure), Error(kUsage), Error(kInterrupted).
// Thread rule: one call at a time for one output.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "model/gguf_types.h"

namespace areason {

// Differences between a tensor as stored and its source.
struct TensorError {
  std::string name;
  std::string type;
  std::vector<std::int64_t> shape;
  std::uint64_t bytes = 0;
  double rmse = 0;
  double relative = 0;  // rmse over the source's root mean square
  double max = 0;
  double cosine = 1;  // 1 for a tensor of zeros
};

struct ConvertedFile {
  std::string path;
  std::uint64_t bytes = 0;
  std::size_t resumed = 0;  // tensors of an earlier run
  std::vector<TensorError> tensors;
};

struct QuantizeProgress {
  std::uint64_t bytes_done = 0, bytes_total = 0;  // of the sources, what an earlier run did included
  std::string tensor;
};

enum class ExistingOutput { kKeep, kReplace };

struct QuantizeOptions {
  std::string model_dir;
  // A directory (model.gguf, mmproj.gguf and the checkpoint's JSON files: a model by itself), or the text model's file (with
  // mmproj-NAME beside it).
  std::string out;
  GgufType type = GgufType::kQ8_0;
  GgufType mmproj_type = GgufType::kQ8_0;
  ExistingOutput existing = ExistingOutput::kKeep;  // kKeep: a finished file of another source or type is an error
  int threads = 0;
  std::function<void(const QuantizeProgress&)> progress;
};

std::vector<ConvertedFile> quantize_model(const QuantizeOptions& options);
Json converted_to_json(const std::vector<ConvertedFile>& files);

}  // namespace areason
