#include "train/flops.h"

#include <algorithm>
#include <chrono>
#include <mutex>

#include "chat/prompt.h"
#include "train/device.h"

namespace areason::train {
namespace {

// Pairs of a query and a key that meet.
double pairs(const std::vector<AttentionBlock>& blocks) {
  double sum = 0;
  for (const AttentionBlock& b : blocks) {
    const auto n = static_cast<double>(b.count);
    sum += n * static_cast<double>(b.prefix) + (b.causal ? n * (n + 1) / 2 : n * n);
  }
  return sum;
}

double decoder_flops(const DecoderConfig& c, const MicroBatch& batch) {
  const double h = c.width, d = c.head_dim > 0 ? c.head_dim : c.width / c.heads, q = c.heads * d, kv = c.kv_heads * d;
  const double layer = h * (2 * q + 2 * kv) + 3.0 * h * c.ffn;
  const auto tokens = static_cast<double>(batch.ids.numel());
  return c.layers * (2 * tokens * layer + 4 * pairs(batch.blocks) * q) +
         2.0 * static_cast<double>(batch.labels.numel()) * h * c.vocab_size;
}

double tower_flops(const AudioEncoderConfig& c, const MicroBatch& batch) {
  const double w = c.width, layer = 4 * w * w + 2 * w * c.ffn;
  double sum = 0;
  for (const LogMel& mel : batch.mels) {
    const auto n = static_cast<double>(encoder_positions(mel.valid_frames));
    sum += 2.0 * mel.frames * 3 * c.mel_bins * w + 2 * n * 3 * w * w + c.layers * (2 * n * layer + 4 * n * n * w);
  }
  return sum;
}

}  // namespace

double training_flops(const TrainModel& model, const std::vector<MicroBatch>& batches) {
  double trained[3] = {};
  for (const Parameter& p : model.parameters()) {
    if (p.value.requires_grad() && !p.adapter) trained[static_cast<int>(p.part)] = 1;
  }
  const ModelConfig& c = model.config();
  double sum = 0;
  for (const MicroBatch& batch : batches) {
    sum += decoder_flops(c.text, batch) * (2 + trained[static_cast<int>(PartOfModel::kDecoder)]);
    sum += tower_flops(c.audio, batch) * (1 + 2 * trained[static_cast<int>(PartOfModel::kAudioTower)]);
    sum += 2.0 * static_cast<double>(batch.audio_positions.numel()) * c.audio.width * c.text.width *
           (2 + trained[static_cast<int>(PartOfModel::kProjector)]);
  }
  return sum;
}

double measured_peak(BatchWorkers& workers, const TrainModel& model) {
  using Clock = std::chrono::steady_clock;
  const at::Device device = model.device();
  const int side = device.is_cuda() ? 8192 : 512;  // enough to fill a GPU
  const auto options = at::TensorOptions().dtype(model.compute_type()).device(device);
  std::mutex mutex;
  double total = 0;
  workers.on_each([&](int) {
    const at::NoGradGuard guard;
    const at::Tensor a = at::ones({side, side}, options), b = at::ones_like(a);
    double best = at::mm(a, b).sizes()[0] > 0 ? 1e9 : 0;  // seconds; the first product is a warm-up
    wait_for(device);
    const auto start = Clock::now();
    while (Clock::now() - start < std::chrono::milliseconds(50)) {
      const auto begin = Clock::now();
      at::mm(a, b);
      wait_for(device);
      best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
    }
    const std::lock_guard lock(mutex);
    total += 2.0 * side * side * side / best;
  });
  return total;
}

}  // namespace areason::train
