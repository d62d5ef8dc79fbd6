// A GGUF file of unknown origin: counts, lengths, dimensions, offsets; every value and tensor that is offered can be read to
// its last byte.
#include "fuzz.h"
#include "model/gguf_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace areason;
  static const fuzz::ScratchDir dir;
  const std::string path = dir.put("model.gguf", data, size);
  fuzz::only_errors([&] {
    const GgufFile file = GgufFile::open(path);
    std::uint64_t sum = 0;
    const auto touch = [&](std::span<const std::byte> bytes) {
      for (const std::byte b : bytes) sum += static_cast<std::uint64_t>(b);
    };
    for (const auto& pair : file.metadata()) {
      const std::string_view key = pair.first;
      touch(pair.second.bytes);
      fuzz::only_errors([&] { sum += file.text(key)->size(); });
      fuzz::only_errors([&] { sum += static_cast<std::uint64_t>(*file.whole(key)); });
      fuzz::only_errors([&] { sum += *file.number(key) > 0 ? 1 : 0; });
      fuzz::only_errors([&] { sum += *file.flag(key) ? 1 : 0; });
      fuzz::only_errors([&] { sum += file.wholes(key).size(); });
      fuzz::only_errors([&] {
        for (const auto text : file.texts(key)) touch(std::as_bytes(std::span(text)));
      });
    }
    for (const auto& [name, tensor] : file.tensors()) {
      std::uint64_t elements = 1;
      for (const std::int64_t dim : tensor.shape) elements *= static_cast<std::uint64_t>(dim);
      fuzz::require(elements / tensor.type->block * tensor.type->bytes == tensor.data.size(), "shape matches data");
      touch(tensor.data);
    }
    fuzz::require(sum + 1 != 0, "unreachable; keeps the reads above");
  });
  return 0;
}
