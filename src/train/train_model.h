#pragma once
// The trainer's own Qwen2-Audio: named f32 parameters (names of the released files) and a differentiable forward pass over
// packed micro-batches. Called by trainer.cpp and features.cpp. Reference: transformers modeling_qwen2_audio.py,
// modeling_qwen2.py. `embed_positions` is a constant, never a parameter that trains.
// Parameters and what is computed from them live on one device (device.h); micro-batches come from the processor.
// Shapes: T packed tokens, A audio positions, N labelled positions, H decoder width, W encoder width.
// Thread rule: one thread at a time; encode() on another thread only while nothing trains the tower.
#include <map>
#include <string>
#include <vector>

#include "audio/log_mel.h"
#include "model/config.h"
#include "train/fused_ops.h"
#include "train/plain/adapter.h"
#include "train/torch.h"

namespace areason::train {

enum class PartOfModel { kAudioTower, kProjector, kDecoder };
const char* part_name(PartOfModel part);  // "audio_tower", "projector", "decoder"

struct Parameter {
  std::string name;
  PartOfModel part;
  at::Tensor value;      // f32; requires_grad when it trains
  bool adapter = false;  // "….lora_A.weight" or "….lora_B.weight" beside a frozen weight
};

// Where a model's parameters live when they are divided over ranks (shards.h). A unit is what is gathered together: the
// parameters of one layer, or of a part outside of the layers, named by the beginning of their names.
class UnitStore {
 public:
  virtual ~UnitStore() = default;
  // body(x) while the unit's parameters are whole, and once more in the backward pass, for the gradients of x and of the unit.
  virtual at::Tensor run(const std::string& unit, const at::Tensor& x, const LayerBody& body) = 0;
  // Whether some rank encodes audio: then all do, because all must take part in the exchange of the tower's units.
  virtual bool encodes() const = 0;
};

enum class Activations { kKeep, kRecompute };

// What a forward pass does besides the model itself, in training only.
struct ForwardOptions {
  double dropout = 0;  // of the decoder's residual branches and embeddings
  double neftune = 0;  // alpha of NEFTune's noise on embeddings (arXiv 2310.05914); 0: none
  double label_smoothing = 0;
  double z_loss = 0;
  Activations activations = Activations::kKeep;  // kRecompute: keep one tensor a layer, compute the rest twice
};

// Tensors of one forward pass; see packing.h for how samples become one.
struct MicroBatch {
  at::Tensor ids, positions;  // [T] i64
  std::vector<AttentionBlock> blocks;
  at::Tensor audio_positions;  // [A] i64: rows of the embeddings that audio replaces
  at::Tensor features;         // [A, W] any float type, from the cache; undefined: `mels` are encoded
  std::vector<LogMel> mels;
  at::Tensor label_positions, labels;       // [N] i64: logits at these positions predict these ids
  at::Tensor label_weights;                 // [N] f32, or undefined: all 1
  std::vector<std::uint8_t> label_kinds;    // [N], see packing.h
  std::vector<std::int64_t> label_samples;  // [N] index of the sample in its step
  int samples = 0;
  std::vector<std::size_t> sources;  // [samples] of the caller's data, or empty
  std::uint64_t dropout_seed = 0;
};

class TrainModel {
 public:
  // On another device than the processor the parameters are shapes without memory until allocate(), because a device has no
  // memory that costs nothing before it is written; Shards give them memory unit by unit instead.
  TrainModel(const ModelConfig& config, at::ScalarType compute, at::Device device = at::kCPU);
  void allocate();

  const ModelConfig& config() const { return config_; }
  at::Device device() const { return device_; }
  at::ScalarType compute_type() const { return compute_; }
  std::vector<Parameter>& parameters() { return parameters_; }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  at::Tensor& at(const std::string& name);
  bool contains(const std::string& name) const { return index_.contains(name); }
  const at::Tensor& at(const std::string& name) const;

  // normal(0, 0.02); outputs of residual branches scaled by 1 / sqrt(2 L); norms 1, biases 0; sinusoids for the tower.
  void initialise(std::uint64_t seed);
  void initialise(Parameter& parameter, std::uint64_t seed) const;
  void set_trained(PartOfModel part, bool trained);
  void set_options(const ForwardOptions& options) { options_ = options; }
  // Puts LoRA matrices beside the decoder's linears; everything else is frozen. Call once, before initialise().
  void add_adapters(const AdapterOptions& adapters);
  const AdapterOptions& adapters() const { return adapters_; }
  // From here on the forward pass reads the parameters through `units`, which must live as long as it is used; null: directly.
  void set_units(UnitStore* units);

  // Tower output after pooling and the final norm, before the projector: [audio tokens of all mels, W].
  at::Tensor encode(const std::vector<LogMel>& mels) const;
  // Sum of the token losses, with gradient when grad mode is on.
  TokenLoss loss(const MicroBatch& batch, bool training) const;
  // The head's losses as `options` has them, in f32 whatever the compute type, without dropout and noise. Not for divided
  // parameters.
  TokenLoss loss_of_head(const MicroBatch& batch, const HeadLossOptions& options) const;
  // What the projector makes of the tower's output: [A, H] f32.
  at::Tensor project(const at::Tensor& states) const;
  // Logits [N, V] at the labelled positions (tests).
  at::Tensor logits(const MicroBatch& batch, bool training) const;

 private:
  // Dropout and noise with a generator of their own: the same on any number of threads, after a resume and when recomputed.
  struct Noise {
    double residual, adapter;  // dropout
    at::Generator generator;
    at::Tensor drop(const at::Tensor& x, double p);
  };
  void add(const std::string& name, PartOfModel part, std::vector<std::int64_t> shape);
  void add_tower();
  void add_decoder();
  at::Tensor cast(const std::string& name) const { return at(name).to(compute_); }
  at::Tensor linear(const at::Tensor& x, const std::string& name) const;
  // linear() of several weights side by side, with their adapters.
  at::Tensor linears(const at::Tensor& x, const std::vector<std::string>& names, Noise& noise) const;
  at::Tensor encoder_layer(const at::Tensor& x, const std::string& prefix,
                           const std::shared_ptr<const AttentionPlan>& plan) const;
  at::Tensor decoder_layer(const at::Tensor& x, const std::string& prefix, const std::shared_ptr<const AttentionPlan>& plan,
                           Noise& noise) const;
  // body(x), or recomputed() with the parameters whose names begin with `prefix`.
  at::Tensor layer(const at::Tensor& x, const std::string& prefix, const LayerBody& body) const;
  // body(x), through the unit store when there is one. `unit`: as unit_name() of the parameters that body reads.
  at::Tensor part(const at::Tensor& x, const std::string& unit, const LayerBody& body) const;
  at::Tensor conv_frames(const std::vector<at::Tensor>& mels, const std::vector<AttentionBlock>& kept) const;
  MicroBatch placed(const MicroBatch& batch) const;
  at::Tensor audio_states(const MicroBatch& batch) const;
  const std::string& head_name() const;
  at::Tensor embed(const MicroBatch& batch, Noise& noise, double neftune) const;
  at::Tensor final_states(const MicroBatch& batch, bool training) const;

  ModelConfig config_;
  at::ScalarType compute_;
  at::Device device_;
  at::TensorOptions floats_;  // f32 on the device
  ForwardOptions options_;
  AdapterOptions adapters_;
  std::vector<Parameter> parameters_;
  std::map<std::string, std::size_t> index_;
  at::Tensor cos_, sin_;
  UnitStore* units_ = nullptr;
  std::vector<LogMel> silence_;  // what a rank encodes that has no audio while others have
};

// The unit (UnitStore) that a parameter belongs to.
std::string unit_name(const std::string& parameter);

}  // namespace areason::train
