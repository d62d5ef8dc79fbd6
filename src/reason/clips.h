#pragma once
// Clips as the model hears them: decoded, cut into windows, encoded. Recently heard clips are kept, so that the next question
// on the same file costs nothing. Called by the session. Errors: Error(kInput) naming the file. Thread rule: one thread.
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "audio/log_mel.h"
#include "audio/windows.h"
#include "model/backend.h"
#include "reason/file_cache.h"
#include "reason/session.h"

namespace areason {

struct ClipWindow {
  AudioEmbeddings embeddings;
  std::uint64_t content = 0;  // a hash of the samples: equal numbers, equal embeddings
};

struct HeardClip {
  HeardAudio heard;
  std::vector<ClipWindow> windows;
};

class ClipCache {
 public:
  // `files` may be null; `identity` names the model in it.
  ClipCache(ModelBackend& model, const LogMelConfig& config, FileCache* files, const std::string& identity)
      : model_(&model), extractor_(config), files_(files), identity_(identity) {}
  // Adds the time it took to seconds["decode"] and seconds["encode"].
  std::shared_ptr<const HeardClip> load(const std::string& path, LongAudio policy, std::map<std::string, double>& seconds);

 private:
  std::shared_ptr<HeardClip> read(const std::string& path, LongAudio policy, std::map<std::string, double>& seconds);
  ClipWindow encode(const AudioWindow& window, const std::string& path);
  AudioEmbeddings embeddings_of(const AudioWindow& window, const std::string& hash);

  struct Entry {
    std::string key;
    std::shared_ptr<const HeardClip> clip;
  };
  ModelBackend* model_;
  LogMelExtractor extractor_;
  FileCache* files_;
  std::string identity_;
  std::list<Entry> recent_;  // most recent first
};

}  // namespace areason
