#pragma once
// Weights in and out: checkpoints in the released layout, Whisper encoders, and the state that makes a run resumable. Called by
// trainer.cpp. A checkpoint directory appears whole or not at all. Errors: Error(kModel) naming file and tensor.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/json_fwd.h"
#include "model/safetensors.h"
#include "train/optimizer.h"
#include "train/tensor_file.h"
#include "train/train_model.h"

namespace areason::train {

// Every parameter from a checkpoint (names of the released files, or of transformers 5's modules).
void load_parameters(TrainModel& model, const TensorStore& store);
void load_parameter(const Parameter& parameter, const TensorStore& store);
// The tower only: names audio_tower.*, or openai/whisper-*'s model.encoder.* / encoder.*.
void load_audio_tower(TrainModel& model, const TensorStore& store);

// Writes the model's weights as `dtype` into <dir>/model.safetensors; adapters are left out, or added to the weights beside
// them.
enum class SavedAdapters { kLeftOut, kMerged };
void save_weights(const TrainModel& model, const std::string& dir, DType dtype,
                  SavedAdapters adapters = SavedAdapters::kLeftOut);
// Writes the model's adapters (plain/adapter.h), and reads them.
void save_adapters(const TrainModel& model, const std::string& dir);
void load_adapters(TrainModel& model, const std::string& dir);

// optimizer.safetensors: f32 parameters as "master.…" (of a model with adapters only those) and the optimizer's states.
bool has_master(const TrainModel& model, const Parameter& parameter);
void load_master(const Parameter& parameter, const TensorStore& store);
void load_state(const std::string& name, const StatePart& state, const TensorStore& store);

// Weights (model.safetensors, or an adapter's file) and optimizer.safetensors, written tensor by tensor.
class CheckpointWriter {
 public:
  CheckpointWriter(const TrainModel& model, const Optimizer& optimizer, const std::string& dir, DType dtype);
  void parameter(const std::string& name, const at::Tensor& whole);
  void state(const std::string& name, const at::Tensor& whole) { state_->put(name, whole); }
  void finish();

 private:
  std::unique_ptr<TensorFile> weights_, state_;
  bool adapters_, copies_head_ = false;
};

// Removes the broken checkpoints that newest_whole_checkpoint() has set aside.
void remove_set_aside(const std::string& out_dir);
// <out>/checkpoint-<step>: the newest one, looked at by its name only.
std::optional<std::string> newest_checkpoint(const std::string& out_dir);
// The newest one whose files have the sums in its SHA256SUMS; broken ones before it are renamed to ….broken with a warning.
// Throws Error(kModel) when there are checkpoints and all are broken.
std::optional<std::string> newest_whole_checkpoint(const std::string& out_dir);
// Runs `fill` on a temporary directory, adds SHA256SUMS (as `sha256sum -c` reads it), then renames it to
// <out>/checkpoint-<step>, points <out>/last at it and removes all but the newest `keep` (never the one <out>/best points at).
std::string commit_checkpoint(const std::string& out_dir, std::int64_t step, int keep,
                              const std::function<void(const std::string&)>& fill);
// Atomically points the symbolic link <out>/<name> at a sibling.
void point_link(const std::string& out_dir, const std::string& name, const std::string& target);

}  // namespace areason::train
