#pragma once
// LoRA adapters as PEFT stores them: adapter_config.json and adapter_model.safetensors, with the names that PEFT gives a
// Qwen2AudioForConditionalGeneration of the released layout
// ("base_model.model.language_model.model.layers.0.self_attn.q_proj.lora_A.weight"; those of transformers 5's modules are read
// too). Merging needs no torch. Called by the trainer and `audio-reasoner train merge`. Errors: Error(kModel, kInput) naming
// file and tensor. Thread rule: free functions, values.
#include <map>
#include <string>
#include <vector>

#include "model/safetensors.h"

namespace areason::train {

enum class AdapterScale { kPlain, kRankStabilised };  // alpha / r (LoRA), alpha / sqrt(r) (rsLoRA)

struct AdapterOptions {
  int rank = 0;  // 0: no adapter
  double alpha = 32;
  double dropout = 0.05;  // of the adapter's input
  AdapterScale scaling = AdapterScale::kPlain;
  // Linear modules of the decoder's layers; ms-swift's "all-linear" is all seven.
  std::vector<std::string> targets = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"};
  std::string base;  // the checkpoint it belongs to
  double scale() const;
  bool targets_module(const std::string& module) const;  // "language_model.model.layers.3.mlp.up_proj"
};

AdapterOptions read_adapter_config(const std::string& dir);
void write_adapter_config(const AdapterOptions& options, const std::string& dir);

// "language_model.….q_proj.lora_A.weight" <-> the file's name.
std::string adapter_file_name(const std::string& parameter);
// Tensors of <dir>/adapter_model.safetensors by our parameter's name.
std::map<std::string, TensorView> adapter_tensors(const TensorStore& store);

struct MergeOptions {
  std::string base, adapter, out;
  std::uint64_t shard_bytes = std::uint64_t{4} << 30;  // larger models become several files with an index
};
// Writes base + scale * B * A as a checkpoint of the released layout in the base's precision.
void merge_adapter(const MergeOptions& options);

}  // namespace areason::train
