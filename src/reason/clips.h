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
  // The clips in the order of `paths`; windows that are not known yet are encoded together. Adds the time it took to
  // seconds["decode"] and seconds["encode"].
  std::vector<std::shared_ptr<const HeardClip>> load(const std::vector<std::string>& paths, LongAudio policy,
                                                     std::map<std::string, double>& seconds);

 private:
  struct Entry {
    std::string key;  // empty: not to be kept
    std::shared_ptr<const HeardClip> clip;
  };
  struct Reading;
  std::shared_ptr<const HeardClip> known(const std::string& key);
  Reading read(const std::string& path, std::string key, LongAudio policy);
  void prepare(Reading& reading);
  void encode(std::vector<Reading>& readings);
  bool find_on_disk(const std::string& name, AudioEmbeddings& out);
  void keep(Entry entry);

  ModelBackend* model_;
  LogMelExtractor extractor_;
  FileCache* files_;
  std::string identity_;
  std::list<Entry> recent_;  // most recent first
};

}  // namespace areason
