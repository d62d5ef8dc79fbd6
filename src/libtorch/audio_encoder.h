#pragma once
// The audio tower and the projector on libtorch, on the valid frames only, one window a call. Reference: transformers
// modeling_qwen2_audio.py. Called by torch_model.cpp. Thread rule: one caller at a time.
#include "libtorch/tensors.h"
#include "model/backend.h"

namespace areason::libtorch {

class AudioEncoder {
 public:
  AudioEncoder(const AudioEncoderConfig& config, EncoderTensors weights, const Place& place)
      : config_(config), weights_(std::move(weights)), place_(place) {}
  // Throws as check_mel().
  AudioEmbeddings run(const LogMel& mel) const;

 private:
  at::Tensor convolved(const LogMel& mel, int positions) const;
  at::Tensor layer(const at::Tensor& h, const EncoderLayerTensors& weights) const;
  at::Tensor normalized(const at::Tensor& h, const NormTensors& norm) const;

  AudioEncoderConfig config_;
  EncoderTensors weights_;
  Place place_;
};

}  // namespace areason::libtorch
