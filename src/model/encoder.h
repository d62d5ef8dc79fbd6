#pragma once
// The audio tower and the projector on the valid frames only (design decision 3), for several windows in one pass: matrix
// products see the positions of all of them, attention and convolutions each window by itself, so that a window's embeddings
// are the same in any company. Integer weights make integer products, also in attention (encoder_attention.h).
// Internal to src/model. Thread rule: one caller at a time per pool.
#include <span>
#include <vector>

#include "kernels/linear.h"
#include "model/qwen2_audio.h"
#include "model/weights.h"

namespace areason {

// Embeddings of each window, in order. Throws Error(kModel, kInput) when a window does not fit the model.
std::vector<AudioEmbeddings> run_encoder(const KernelContext& context, const EncoderWeights& weights,
                                         const AudioEncoderConfig& config, std::span<const LogMel* const> mels);
inline AudioEmbeddings run_encoder(const KernelContext& context, const EncoderWeights& weights,
                                   const AudioEncoderConfig& config, const LogMel& mel) {
  const LogMel* one = &mel;
  return std::move(run_encoder(context, weights, config, std::span(&one, 1)).front());
}

}  // namespace areason
