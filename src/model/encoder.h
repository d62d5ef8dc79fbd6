#pragma once
// The audio tower and the projector on the valid frames only (design decision 3). Internal to src/model.
// Thread rule: one caller at a time per pool.
#include "kernels/linear.h"
#include "model/qwen2_audio.h"
#include "model/weights.h"

namespace areason {

AudioEmbeddings run_encoder(const KernelContext& context, const EncoderWeights& weights, const AudioEncoderConfig& config,
                            const LogMel& mel);

}  // namespace areason
