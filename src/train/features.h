#pragma once
// Audio for training: files to windows to log-mel, and the cache of a frozen tower's outputs (after pooling and the final norm,
// before the projector). Called by batches.cpp and trainer.cpp.
// The cache is two files: features.f16 (rows of W half floats, only appended) and index.jsonl (one clip a line, written after
// its rows), so that a killed build goes on where it was. Keys are path, size, time of change and the tower's fingerprint.
// Thread rule: build on one thread; afterwards constant.
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "audio/log_mel.h"
#include "base/mmap.h"
#include "train/train_model.h"

namespace areason::train {

// Log-mels of a clip's windows of at most 30 s (LongAudio::kWindows).
std::vector<LogMel> clip_mels(const std::string& path, const LogMelExtractor& extractor);

// Changes when any weight of the tower does.
std::string tower_fingerprint(const TrainModel& model);

class BatchWorkers;

class FeatureCache {
 public:
  FeatureCache(std::string directory, std::string fingerprint, int width);
  // Encodes what is missing, with progress on standard error. Clips without an audio token or unreadable ones are left out
  // with a warning.
  struct Tools {
    const TrainModel& model;
    const LogMelExtractor& extractor;
    BatchWorkers& workers;
  };
  void build(const std::vector<std::string>& paths, const Tools& tools);
  bool contains(const std::string& path) const;
  std::vector<int> window_tokens(const std::string& path) const;
  std::vector<at::Tensor> features(const std::string& path) const;  // views into the map

 private:
  struct Entry {
    std::int64_t row = 0;
    std::vector<int> tokens;
  };
  void read_index();
  std::string key(const std::string& path) const;
  void append(const std::string& key, const std::vector<LogMel>& mels, const at::Tensor& features);

  std::string directory_, fingerprint_;
  int width_;
  std::int64_t rows_ = 0;
  std::unordered_map<std::string, Entry> entries_;     // by key
  std::unordered_map<std::string, std::string> keys_;  // path -> key
  std::unique_ptr<MappedFile> map_;
};

}  // namespace areason::train
