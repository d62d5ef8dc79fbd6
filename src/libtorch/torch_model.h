#pragma once
// The model behind load.h: encoder, decoder and pool of keys and values on one device, in f32, bf16 or f16. Called by nobody
// else. Thread rule: as ModelBackend's.
#include <memory>
#include <string>

#include "libtorch/audio_encoder.h"
#include "libtorch/load.h"
#include "libtorch/text_decoder.h"

namespace areason::libtorch {

class TorchModel final : public ModelBackend {
 public:
  TorchModel(const std::string& model, const Place& place);

  const ModelConfig& config() const override { return config_; }
  std::vector<AudioEmbeddings> encode_windows(std::span<const LogMel* const> mels) override;
  std::vector<float> forward_batch(std::span<const BatchItem> items) override;
  int pass_rows() const override { return 512; }
  KvType kv_type() const override;
  KvMemory kv_memory() const override { return pool_->memory(); }
  // Throws Error(kUsage): what is on the device is not kept in files.
  KvCache restore_cache(std::span<const std::byte> pages, int length) const override;

 private:
  void adopt(KvCache& cache) const;

  ModelConfig config_;
  Place place_;
  std::unique_ptr<ModelWeights> weights_;  // tensors may lie in its memory
  AudioEncoder encoder_;
  TextDecoder decoder_;
  std::shared_ptr<KvPool> pool_;
};

}  // namespace areason::libtorch
