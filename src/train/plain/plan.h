#pragma once
// How much memory a training run needs on each rank, by arithmetic alone: parameters from the configuration, bytes per
// parameter from the precision and the optimizer, activations from the layers' shapes as train_model.cpp keeps them. Called by
// `audio-reasoner train plan`. Bytes are std::uint64_t, sizes of a rank. Thread rule: free functions, values.
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/config.h"

namespace areason::train {

struct ParameterCounts {
  std::uint64_t tower = 0, projector = 0, decoder = 0;
  std::uint64_t all() const { return tower + projector + decoder; }
};
// Every tensor of the released layout, the tower's position table included. A tied head counts once.
ParameterCounts count_parameters(const ModelConfig& config);
// Parameters of the largest unit: a decoder layer, a layer of the tower, the embeddings or the head.
std::uint64_t largest_unit(const ModelConfig& config);
// Parameters of a LoRA of this rank on all seven linears of every decoder layer.
std::uint64_t count_lora(const ModelConfig& config, int rank);

enum class PlanPrecision {
  kF32,          // weights, gradients and activations f32
  kBf16Compute,  // f32 weights and gradients, bf16 arithmetic: what audio-reasoner-train does with --precision bf16
  kBf16Master,   // bf16 weights and gradients, f32 master weights beside the optimizer's states: the scheme of GPU clusters
};
enum class PlanOptimizer { kAdamW, kAdamW8, kMuon, kSgd };
enum class PlanAttention { kStored, kFlash };  // kStored: probabilities are kept for the gradient (on the CPU)
enum class PlanActivations { kKeep, kRecompute };

struct PlanOptions {
  int ranks = 1;
  PlanPrecision precision = PlanPrecision::kBf16Compute;
  PlanOptimizer optimizer = PlanOptimizer::kAdamW;
  PlanAttention attention = PlanAttention::kStored;
  PlanActivations activations = PlanActivations::kKeep;
  int sequence = 4096;        // tokens of a sample, its audio included
  int micro_batch = 1;        // samples of a micro-batch
  int workers = 1;            // micro-batches at the same time (stage 1 on CPUs; 2 and 3 have one)
  double audio_seconds = 30;  // of a sample, for what the tower keeps
  bool train_tower = true, train_projector = true, train_decoder = true;
  int lora_rank = 0;                             // > 0: an adapter alone is trained
  double reserve = 0.08;                         // share of the sum for the allocator's gaps and temporaries
  std::uint64_t fixed = std::uint64_t{1} << 30;  // libraries, communication buffers, a CUDA context
};

// One ZeRO stage: 0 nothing is divided, 1 optimizer states and master weights, 2 gradients too, 3 weights too (with recomputed
// activations, whatever the options say). `passing` is what exists for a while only: weights in the compute type, a
// micro-batch's gradients before they are added up, a unit (a layer, the embeddings) whose gradients are exchanged or whose
// weights are gathered.
struct PlanRow {
  int stage = 0;
  std::uint64_t weights = 0, gradients = 0, master = 0, states = 0, passing = 0, activations = 0, logits = 0, reserve = 0;
  // What a run needs from its first step to its last, whatever its samples are.
  std::uint64_t lasting() const { return weights + gradients + master + states; }
  std::uint64_t total() const { return lasting() + passing + activations + logits + reserve; }
};

struct Plan {
  ParameterCounts parameters;
  std::uint64_t trained = 0;
  std::array<PlanRow, 4> rows;
};
Plan plan_memory(const ModelConfig& config, const PlanOptions& options);

std::string plan_table(const Plan& plan, std::uint64_t memory);  // memory 0: no limit is judged

}  // namespace areason::train
