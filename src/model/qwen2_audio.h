#pragma once
// The Qwen2-Audio model: log-mel -> audio embeddings -> logits, with a KV cache. Right first: f32 arithmetic on f32, f16 or
// bf16 weights that stay memory-mapped. Reference: transformers modeling_qwen2_audio.py, modeling_qwen2.py.
// Called by infer and probe only. Thread rule: one thread owns a model and its caches; the pool inside uses all cores.
// Shapes are row-major; T = positions, H = config().text.width.
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audio/log_mel.h"
#include "kernels/kv_type.h"
#include "model/config.h"

namespace areason {

// Memory of all caches of a model: pages that several share count once.
struct KvMemory {
  std::size_t bytes = 0;
  std::size_t peak = 0;
};

// Keys and values of one sequence, all layers, in pages. A clone() shares the pages, so that it costs next to nothing; what
// one of the two appends, the other does not see.
class KvCache {
 public:
  KvCache();
  ~KvCache();
  KvCache(KvCache&&) noexcept;
  KvCache& operator=(KvCache&&) noexcept;
  KvCache clone() const;
  int length() const;
  void truncate(int length);  // forgets positions >= length
  // The bytes of its pages (the last may be half full), as Qwen2Audio::restore_cache() takes them.
  std::vector<std::string_view> pages() const;

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

// Where audio embeddings replace token embeddings: rows [from, from + count) of the audio at positions [begin, begin + count)
// of the ids given to forward().
struct AudioInsert {
  int begin = 0;
  const AudioEmbeddings* audio = nullptr;
  int from = 0;
  int count = -1;  // -1: all rows from `from` on

  int rows() const { return count >= 0 ? count : audio->tokens - from; }
};

enum class Logits { kLast, kAll };

// What one sequence adds in a pass over several.
struct BatchItem {
  std::span<const int> ids;
  std::span<const AudioInsert> audio;
  KvCache* cache = nullptr;
  int logits = 1;  // of how many of the last ids logits are wanted
};

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
  // The same for several sequences with one pass over the weights: [sum of items' logits][V], in the items' order. Caches must
  // be distinct. On an error no cache has grown.
  std::vector<float> forward_batch(std::span<const BatchItem> items);
  // Up to this many rows in a pass a row's result does not depend on the other rows, in any weight format.
  int invariant_rows() const;

  // How caches made from now on are stored. Default: f32 while a position takes at most 64 KiB, else f16.
  void set_kv_type(KvType type);
  KvType kv_type() const;
  std::size_t kv_page_bytes() const;
  static constexpr int kv_page_positions() { return 32; }
  KvMemory kv_memory() const;
  // A cache of `length` positions from the bytes of its pages, one after the other. Throws Error(kInput) when they do not fit.
  KvCache restore_cache(std::span<const std::byte> pages, int length) const;

 private:
  struct Impl;
  explicit Qwen2Audio(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace areason
