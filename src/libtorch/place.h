#pragma once
// Where tensors live and what their numbers are; opening a device; libtorch's errors as ours. Called by the files of this
// folder. Thread rule: free functions; open_place() is called before any other use of a device.
#include <string>

#include "libtorch/aten.h"

namespace areason::libtorch {

struct Place {
  c10::Device device = c10::kCPU;
  at::ScalarType dtype = at::kFloat;
  at::TensorOptions options() const { return at::TensorOptions().device(device).dtype(dtype); }
  at::TensorOptions index_options() const { return at::TensorOptions().device(device).dtype(at::kLong); }
};

// `device`: "cpu", "cuda", "cuda:N"; `dtype`: "f32", "bf16", "f16" or "auto". CUDA's library is loaded here and not before, so
// that a machine without it runs on the CPU. Throws Error(kUsage, kFailure).
Place open_place(const std::string& device, const std::string& dtype);

// Rethrows the exception in flight: libtorch's become Error(kFailure) of one line.
[[noreturn]] void rethrow_as_error();

// Runs `body` without gradients.
template <typename Body>
auto guarded(const Body& body) {
  try {
    const c10::InferenceMode mode;
    return body();
  } catch (...) {
    rethrow_as_error();
  }
}

}  // namespace areason::libtorch
