// A decoded token beside reading memory: passes over one token and reads of 1 GiB in turn, on the same number of threads, both
// sequential reads and the fastest that are known here (base/memory_reads.h). Prints the medians and the medians of the
// neighbours' ratios, which a machine's slow drifts do not touch.
//   cmake --build build/release --target decode_bench && build/release/bench/decode_bench MODEL [THREADS] [STEPS] [CONTEXT]
// MODEL is a directory of `audio-reasoner bench make-model`, CONTEXT the tokens before the measured ones, whose keys and values
// are read too but not counted.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "base/clock.h"
#include "base/memory_reads.h"
#include "base/thread_pool.h"
#include "model/gguf_reader.h"
#include "model/model_files.h"
#include "model/qwen2_audio.h"

namespace areason {
namespace {

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// Bytes of the weights that a token needs.
double token_bytes(const std::string& model) {
  const GgufFile text = GgufFile::open(find_model_files(model).text_gguf);
  const bool tied = text.find_tensor("output.weight") == nullptr;
  double bytes = 0;
  for (const auto& [name, tensor] : text.tensors())
    if (tied || name != "token_embd.weight") bytes += static_cast<double>(tensor.data.size());
  return bytes;
}

void run(const std::string& path, int threads, int steps, int context) {
  Qwen2Audio model = Qwen2Audio::load(path, threads);
  ThreadPool pool(threads);
  MemoryReads memory;
  const double bytes = token_bytes(path);
  std::vector<int> prompt(static_cast<std::size_t>(context)), one = {5};
  std::iota(prompt.begin(), prompt.end(), 3);
  KvCache cache;
  model.forward(prompt, {}, cache, Logits::kLast);
  model.forward(one, {}, cache, Logits::kLast);
  constexpr MemoryReads::Order kOrders[] = {MemoryReads::Order::kSequential, MemoryReads::Order::kFourStreams};
  std::vector<double> passes, reads[2], ratios[2];
  for (int step = 0; step < steps; ++step) {
    const double start = monotonic_seconds();
    model.forward(one, {}, cache, Logits::kLast);
    passes.push_back(monotonic_seconds() - start);
    for (int i = 0; i < 2; ++i) {
      const int order = (i + step) % 2;  // either is next to the pass in turn
      reads[order].push_back(memory.rate(pool, kOrders[order]));
      ratios[order].push_back(bytes / passes.back() / reads[order].back());
    }
  }
  std::printf("a token: median %.1f, best %.1f ms, %.1f GB/s\n", median(passes) * 1e3,
              *std::min_element(passes.begin(), passes.end()) * 1e3, bytes / median(passes) / 1e9);
  const char* names[] = {"sequential reads", "reads of four streams a thread"};
  for (int order = 0; order < 2; ++order)
    std::printf("%s: median %.1f GB/s, of which a token reaches %.3f\n", names[order], median(reads[order]) / 1e9,
                median(ratios[order]));
}

}  // namespace
}  // namespace areason

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: decode_bench MODEL [THREADS] [STEPS] [CONTEXT]\n");
    return 2;
  }
  areason::run(argv[1], argc > 2 ? std::atoi(argv[2]) : 0, argc > 3 ? std::atoi(argv[3]) : 12,
               argc > 4 ? std::atoi(argv[4]) : 64);
  return 0;
}
