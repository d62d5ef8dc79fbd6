// A decoded token beside reading memory: passes over one token and reads of 1 GiB in turn, on the same number of threads.
// Prints the medians and the median of the pairs' ratios, which a machine's slow drifts do not touch.
//   cmake --build build/release --target decode_bench && build/release/bench/decode_bench MODEL [THREADS] [STEPS]
// MODEL is a directory of `audio-reasoner bench make-model`.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <vector>

#include "base/thread_pool.h"
#include "model/gguf_reader.h"
#include "model/model_files.h"
#include "model/qwen2_audio.h"

namespace areason {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

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

std::uint64_t read_words(const std::uint64_t* data, std::size_t n) {
  typedef std::uint64_t Vec __attribute__((vector_size(32), aligned(8)));
  Vec sums[4] = {};
  for (std::size_t i = 0; i + 16 <= n; i += 16)
#pragma GCC unroll 4
    for (std::size_t j = 0; j < 4; ++j) sums[j] += *reinterpret_cast<const Vec*>(data + i + 4 * j);
  const Vec all = sums[0] + sums[1] + sums[2] + sums[3];
  return all[0] + all[1] + all[2] + all[3];
}

// Seconds of reading all of it.
double read_all(ThreadPool& pool, const std::vector<std::uint64_t>& memory) {
  constexpr std::size_t kPiece = std::size_t{1} << 17;
  std::vector<std::uint64_t> sink(memory.size() / kPiece);
  const double start = now();
  pool.parallel_for(sink.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (; begin < end; ++begin) sink[begin] = read_words(memory.data() + begin * kPiece, kPiece);
  });
  return now() - start;
}

void run(const std::string& path, int threads, int steps) {
  Qwen2Audio model = Qwen2Audio::load(path, threads);
  ThreadPool pool(threads);
  const std::vector<std::uint64_t> memory(std::size_t{1} << 27, 1);
  const double bytes = token_bytes(path), gigabyte = static_cast<double>(memory.size() * sizeof(memory[0]));
  std::vector<int> prompt(64), one = {5};
  std::iota(prompt.begin(), prompt.end(), 3);
  KvCache cache;
  model.forward(prompt, {}, cache, Logits::kLast);
  model.forward(one, {}, cache, Logits::kLast);
  std::vector<double> passes, reads, ratios;
  for (int step = 0; step < steps; ++step) {
    const double start = now();
    model.forward(one, {}, cache, Logits::kLast);
    passes.push_back(now() - start);
    reads.push_back(read_all(pool, memory));
    ratios.push_back(bytes / passes.back() / (gigabyte / reads.back()));
  }
  std::printf("a token: median %.1f, best %.1f ms, %.1f GB/s; reads: median %.1f GB/s; median of the pairs' ratios %.3f\n",
              median(passes) * 1e3, *std::min_element(passes.begin(), passes.end()) * 1e3, bytes / median(passes) / 1e9,
              gigabyte / median(reads) / 1e9, median(ratios));
}

}  // namespace
}  // namespace areason

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: decode_bench MODEL [THREADS] [STEPS]\n");
    return 2;
  }
  areason::run(argv[1], argc > 2 ? std::atoi(argv[2]) : 0, argc > 3 ? std::atoi(argv[3]) : 12);
  return 0;
}
