#pragma once
// The parts of `audio-reasoner bench`: what the machine can do at most, a model of full size with made-up weights, and the
// timed runs. Called by cmd_bench.cpp only. Thread rule: one thread; the parts start their own pools.
// Units: seconds, bytes and operations a second (a multiply-add is two operations).
#include <string>
#include <vector>

#include "base/json_fwd.h"

namespace areason {

// Measured ceilings of this machine with so many threads, of the instruction set that the kernels use.
struct BenchMachine {
  std::string isa;
  int threads = 0;
  double read = 0;  // bytes a second from memory
  double f32 = 0;   // operations a second
  double bf16 = 0;  // 0 where the instruction set has no product of bfloat16
  double int8 = 0;
};
BenchMachine measure_machine(int threads);

struct BenchModelOptions {
  std::string out;
  std::string type = "q4_0";         // q4_0, q8_0, q4_k_m, f16, bf16
  std::string encoder_type = "f16";  // f16, q8_0, bf16
  int layers = 32;                   // of the text model
  int encoder_layers = 32;
  int vocabulary = 156032;
};
// Writes <out>/model.gguf and <out>/mmproj.gguf: shapes, metadata and tensor types as of a converted Qwen2-Audio, random
// blocks.
void make_bench_model(const BenchModelOptions& options);

struct BenchRunOptions {
  std::string model;  // what `ask --model` takes
  int threads = 0;
  int repeat = 3;
  std::vector<int> prefill = {256, 780};
  int decode = 32;
  int context = 256;  // positions before the first decoded one
  int batch = 8;
  std::vector<double> audio = {30, 4};
};
// One object a measurement: name, seconds, rate, unit, limit, ratio.
Json run_bench(const BenchRunOptions& options, const BenchMachine& machine);

}  // namespace areason
