#pragma once
// Chooses the implementation of the network that runs a model: our own kernels, or a plug-in found at run time
// (backend_plugin.h), so that the program itself needs none of the plug-in's libraries. Called by reason and probe. Thread
// rule: one thread at a time; a loaded plug-in stays until the process ends.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/backend.h"

namespace areason {

struct BackendOptions {
  std::string name = "native";  // "native" or "torch"
  std::string device = "cpu";   // of torch: "cpu", "cuda", "cuda:1" …
  std::string dtype = "auto";   // of torch: "f32", "bf16", "f16"; auto: f32 on the CPU, bf16 elsewhere
  int threads = 0;              // on the CPU; <= 0: all cores
  // How keys and values are stored; default: native: f32 for small models, else f16; torch: the dtype, nothing else.
  std::optional<KvType> kv_type = {};
  bool is_native() const { return name == "native"; }
};

// Throws Error(kUsage) for what the backend cannot do, Error(kFailure) when a plug-in or its libraries are missing,
// Error(kModel) for a checkpoint that cannot be used.
std::unique_ptr<ModelBackend> load_backend(const std::string& model, const BackendOptions& options);

// Where plug-ins are looked for: beside the program, in its lib folders, in $AREASON_BACKEND_PATH (folders between colons).
std::vector<std::string> backend_folders();

}  // namespace areason
