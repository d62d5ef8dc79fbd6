// A checkpoint file of unknown origin: header, offsets, shapes; every tensor that is offered can be read to its last byte.
#include "fuzz.h"
#include "model/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace areason;
  static const fuzz::ScratchDir dir;
  const std::string path = dir.put("model.safetensors", data, size);
  fuzz::only_errors([&] {
    const TensorStore store = TensorStore::open(path);
    std::uint64_t sum = 0;
    for (const auto& [name, view] : store.tensors()) {
      fuzz::require(static_cast<std::uint64_t>(view.elements()) * dtype_size(view.dtype) == view.data.size(),
                    "shape matches data");
      for (const std::byte b : view.data) sum += static_cast<std::uint64_t>(b);
    }
    fuzz::require(sum + 1 != 0, "unreachable; keeps the reads above");
  });
  return 0;
}
