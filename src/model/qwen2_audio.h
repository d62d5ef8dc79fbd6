#pragma once
// The Qwen2-Audio model: log-mel -> audio embeddings -> logits, with a KV cache. Right first: f32 arithmetic on f32, f16 or
// bf16 weights that stay memory-mapped. Reference: transformers modeling_qwen2_audio.py, modeling_qwen2.py.
// Called by infer and probe only. Thread rule: one thread owns a model and its caches; the pool inside uses all cores.
// Shapes are row-major; T = positions, H = config().text.width.
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "audio/log_mel.h"
#include "model/config.h"

namespace areason {

// Keys and values of one sequence, all layers. Copyable by clone() so that samples can share a prompt.
class KvCache {
 public:
  KvCache();
  ~KvCache();
  KvCache(KvCache&&) noexcept;
  KvCache& operator=(KvCache&&) noexcept;
  KvCache clone() const;
  int length() const;
  void truncate(int length);  // forgets positions >= length

  struct Data;
  Data& data() { return *data_; }
  const Data& data() const { return *data_; }

 private:
  std::unique_ptr<Data> data_;
};

struct AudioEmbeddings {
  int tokens = 0;
  std::vector<float> data;  // [tokens][H]
};

// Where audio embeddings replace token embeddings: positions [begin, begin + audio.tokens) of the ids given to forward().
struct AudioInsert {
  int begin = 0;
  const AudioEmbeddings* audio = nullptr;
};

enum class Logits { kLast, kAll };

class Qwen2Audio {
 public:
  // Maps the checkpoint, checks every tensor's shape. `threads` <= 0: all cores. Throws Error(kModel).
  static Qwen2Audio load(const std::string& model_dir, int threads = 0);
  ~Qwen2Audio();
  Qwen2Audio(Qwen2Audio&&) noexcept;
  Qwen2Audio& operator=(Qwen2Audio&&) noexcept;

  const ModelConfig& config() const;
  // Encoder and projector. Returns chat's audio_tokens(mel.valid_frames) rows.
  AudioEmbeddings encode_audio(const LogMel& mel);
  // Appends `ids` (with audio inserted) to the cache. Returns [1][V] or [ids.size()][V] logits. Throws Error(kInput) when the
  // positions would pass config().text.max_positions.
  std::vector<float> forward(std::span<const int> ids, std::span<const AudioInsert> audio, KvCache& cache, Logits logits);

 private:
  struct Impl;
  explicit Qwen2Audio(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace areason
