#pragma once
// The training run: options, the loop, evaluation, metrics, checkpoints, resume. Called by main.cpp.
// Thread rule: run_training() owns the process's torch threads; SIGINT and SIGTERM save and stop (base/interrupt.h).
#include <string>
#include <vector>

#include "model/safetensors.h"
#include "train/batches.h"
#include "train/grpo_options.h"
#include "train/guard.h"
#include "train/nccl_ranks.h"
#include "train/optimizer.h"

namespace areason::train {

enum class Method {
  kSupervised,  // the answers of the data are learned
  kGrpo,        // the model's own answers, by their rewards (grpo.h)
};
// As `audio-reasoner train` calls it.
inline const char* method_name(Method method) { return method == Method::kGrpo ? "grpo" : "sft"; }

struct TrainOptions {
  Method method = Method::kSupervised;
  GrpoOptions grpo;
  std::vector<std::string> data, validation;
  std::string out;
  std::string config;              // JSON of a new model's sizes (config.json form)
  std::string tokenizer;           // directory of tokenizer files for a new model
  std::string init;                // or: checkpoint to continue from (weights only)
  std::string init_audio_tower;    // Whisper encoder
  std::string feature_cache;       // default: <out>/features
  std::string device = "cpu";      // as open_device() has it
  CollectivesOptions collectives;  // of several ranks
  std::string precision = "auto";  // bf16, f32
  std::string save_dtype = "bf16";
  std::vector<std::string> freeze;
  DataOptions data_options;
  RowOptions rows;
  OptimizerOptions optimizer;
  Schedule schedule;
  double audio_rate = -1, projector_rate = -1, muon_rate = -1;  // peak; negative: as schedule.peak
  ForwardOptions forward;
  AdapterOptions adapter;
  bool merge = false;  // write <out>/merged at the end: the checkpoint with its adapter in it
  GuardOptions guard;
  std::int64_t max_steps = 0;  // 0: by epochs or time
  double epochs = 3;
  double max_minutes = 0;  // > 0: the schedule ends at this time of the run, restarts included
  std::int64_t log_every = 10, eval_every = 500, save_every = 500;
  std::int64_t eval_samples = 512;
  int keep = 2;
  int threads = 0;
  int zero = 1;                 // ZeRO stage of several ranks: 1 divides optimizer states, 2 gradients too, 3 weights too
  double memory_gib = 0;        // of a rank; 0: its share of what is free on its machine
  double peak_tflops = 0;       // of one rank, for the MFU; 0: measured
  std::int64_t limit = 0;       // use only the first samples (0: all)
  bool fresh = false;           // ignore checkpoints in `out`
  std::int64_t stop_after = 0;  // save and stop after this many steps of this process (tests)
};

void run_training(const TrainOptions& options);

}  // namespace areason::train
