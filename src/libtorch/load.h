#pragma once
// The model on libtorch as the engine sees it (model/backend.h), without a header of torch. Called by the plug-in (main.cpp)
// and by tests. Thread rule: as ModelBackend's; libtorch's own threads inside.
#include <memory>
#include <string>

#include "model/backend.h"

namespace areason::libtorch {

struct TorchOptions {
  std::string device = "cpu";  // "cpu", "cuda", "cuda:N"
  std::string dtype = "auto";  // "f32", "bf16", "f16"; auto: f32 on the CPU, bf16 elsewhere
  int threads = 0;             // on the CPU; <= 0: all cores
};

// Throws Error(kUsage, kFailure) for the device, Error(kModel) for the checkpoint.
std::unique_ptr<ModelBackend> load_torch_model(const std::string& model, const TorchOptions& options);

// Positions in a block of keys and values, which sequences share.
inline constexpr int kBlockPositions = 32;

}  // namespace areason::libtorch
