#pragma once
// What an implementation of the network offers to the engine: log-mel -> audio embeddings -> logits, with keys and values of
// any number of sequences. Implemented by the native model (qwen2_audio.h) and by the plug-in for libtorch (src/libtorch,
// found by load_backend.h). Called by infer, reason and probe. Thread rule: one thread owns a model and its caches; threads
// inside are the implementation's. Shapes are row-major; T = positions, H = config().text.width, V = the vocabulary.
// A plug-in must be built with the very same header: backend_plugin.h.
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audio/log_mel.h"
#include "kernels/kv_type.h"
#include "model/config.h"

namespace areason {

// Memory of all caches of a model: what several share counts once.
struct KvMemory {
  std::size_t bytes = 0;
  std::size_t peak = 0;
};

// One model's keys and values of one sequence, as its implementation keeps them.
struct KvSequence {
  virtual ~KvSequence() = default;
  virtual std::unique_ptr<KvSequence> clone() const = 0;
  virtual void truncate(int new_length) = 0;
  virtual std::vector<std::string_view> pages() const = 0;
  int length = 0;
};

// Keys and values of one sequence, all layers. A clone() shares them, so that it costs next to nothing; what one of the two
// appends, the other does not see. A new one fits any model and becomes that model's with its first positions.
class KvCache {
 public:
  KvCache clone() const { return KvCache(sequence_ == nullptr ? nullptr : sequence_->clone()); }
  int length() const { return sequence_ == nullptr ? 0 : sequence_->length; }
  // Forgets positions >= length.
  void truncate(int length) {
    if (sequence_ != nullptr) sequence_->truncate(length);
  }
  // The bytes of its pages (the last may be half full), as the model's restore_cache() takes them.
  std::vector<std::string_view> pages() const {
    return sequence_ == nullptr ? std::vector<std::string_view>() : sequence_->pages();
  }

  KvCache() = default;
  explicit KvCache(std::unique_ptr<KvSequence> sequence) : sequence_(std::move(sequence)) {}
  // For the model alone; null at the beginning.
  KvSequence* sequence() const { return sequence_.get(); }

 private:
  std::unique_ptr<KvSequence> sequence_;
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

class ModelBackend {
 public:
  virtual ~ModelBackend() = default;

  virtual const ModelConfig& config() const = 0;
  // Encoder and projector for any number of windows: of each chat's audio_tokens(mel.valid_frames) rows, in the given order.
  // How many share a pass is the implementation's; a window's rows are the same in any company. Throws as check_mel().
  virtual std::vector<AudioEmbeddings> encode_windows(std::span<const LogMel* const> mels) = 0;
  AudioEmbeddings encode_audio(const LogMel& mel) {
    const LogMel* one = &mel;
    return std::move(encode_windows({&one, 1}).front());
  }
  // Appends every item's ids (with audio inserted) to its cache, with one pass over the weights. Returns logits [sum of items'
  // logits][V] in the items' order. Caches must be distinct. Throws as check_items(). On an error no cache has grown.
  virtual std::vector<float> forward_batch(std::span<const BatchItem> items) = 0;
  // The same for one sequence: [1][V] or [ids.size()][V] logits.
  std::vector<float> forward(std::span<const int> ids, std::span<const AudioInsert> audio, KvCache& cache, Logits logits) {
    const BatchItem item{ids, audio, &cache, logits == Logits::kAll ? static_cast<int>(ids.size()) : 1};
    return forward_batch({&item, 1});
  }
  // The most rows that the engine should put into one pass of answers in progress.
  virtual int pass_rows() const = 0;

  virtual KvType kv_type() const = 0;
  virtual KvMemory kv_memory() const = 0;
  // A cache of `length` positions from the bytes of its pages, one after the other. Throws Error(kInput) when they do not fit.
  virtual KvCache restore_cache(std::span<const std::byte> pages, int length) const = 0;

 protected:
  ModelBackend() = default;
  ModelBackend(ModelBackend&&) = default;
  ModelBackend& operator=(ModelBackend&&) = default;
};

// What no model takes, whatever it is implemented with. Throws Error(kInput) when the positions would pass
// config.text.max_positions, Error(kModel) for ids outside the vocabulary.
void check_items(const ModelConfig& config, std::span<const BatchItem> items);
// Throws Error(kModel, kInput) when a window does not fit the encoder.
void check_mel(const AudioEncoderConfig& config, const LogMel& mel);

}  // namespace areason
