#pragma once
// The Qwen2-Audio model on our own kernels: log-mel -> audio embeddings -> logits, with keys and values in shared pages. Right
// first: f32 arithmetic on f32, f16 or bf16 weights that stay memory-mapped. Reference: transformers modeling_qwen2_audio.py,
// modeling_qwen2.py. Called through backend.h, which says what the functions do. Thread rule: one thread owns a model and its
// caches; the pool inside uses all cores.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/backend.h"

namespace areason {

class Qwen2Audio final : public ModelBackend {
 public:
  // Maps the checkpoint, checks every tensor's shape. `threads` <= 0: all cores. Throws Error(kModel).
  static Qwen2Audio load(const std::string& model_dir, int threads = 0);
  ~Qwen2Audio() override;
  Qwen2Audio(Qwen2Audio&&) noexcept;
  Qwen2Audio& operator=(Qwen2Audio&&) noexcept;

  const ModelConfig& config() const override;
  // Neighbouring windows share a pass while their frames fill no more than one whole window.
  std::vector<AudioEmbeddings> encode_windows(std::span<const LogMel* const> mels) override;
  std::vector<float> forward_batch(std::span<const BatchItem> items) override;
  // Up to this many rows in a pass a row's result does not depend on the other rows, in any weight format.
  int invariant_rows() const;
  int pass_rows() const override { return invariant_rows(); }

  // How caches made from now on are stored. Default: f32 while a position takes at most 64 KiB, else f16.
  void set_kv_type(KvType type);
  KvType kv_type() const override;
  std::size_t kv_page_bytes() const;
  static constexpr int kv_page_positions() { return 32; }
  KvMemory kv_memory() const override;
  KvCache restore_cache(std::span<const std::byte> pages, int length) const override;

 private:
  struct Impl;
  explicit Qwen2Audio(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace areason
