#pragma once
// What the two GGUF files of a checkpoint will hold, worked out before any weight is read: metadata and the table of tensors
// with their types. As llama.cpp's converter and its quantiser lay them out (conversion/qwen.py, ultravox.py, base.py;
// src/llama-quant.cpp), so that llama.cpp loads them; where a row is no whole number of blocks, a wider type takes its place.
// Called by the converter. Errors: Error(kModel). Thread rule: free functions.
#include <string>
#include <vector>

#include "model/config.h"
#include "model/gguf_writer.h"
#include "model/stored_tensors.h"

namespace areason {

// One file to write: tensors()[i] of the head comes from *sources[i].
struct GgufPlan {
  GgufHead head;
  std::vector<const StoredTensor*> sources;
};

struct PlanInput {
  const std::string& model_dir;
  const ModelConfig& config;
  const StoredTensors& tensors;
};

// `type`: kF32, kF16, kBF16, kQ8_0 or kQ4_0, of the matrices. With kQ4_0 the output head is kQ8_0 (the embedding too where
// it is the head). Vectors are f32; the convolutions f16 (llama.cpp wants that), the encoder's positions f32.
GgufPlan plan_text_model(const PlanInput& input, GgufType type);
GgufPlan plan_mmproj(const PlanInput& input, GgufType type);

}  // namespace areason
