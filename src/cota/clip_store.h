#pragma once
// Clips that have been made: the scene's truth beside the files it was written to, one JSON line each in DIR/clips.jsonl. The
// file is appended to while clips are made (a torn last line of a killed run is dropped) and lets questions be rewritten
// without making audio again. Called by synth_job and the audit. Thread rule: append() may be called by several threads.
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_lock.h"
#include "base/json_fwd.h"
#include "synth/scene.h"

namespace areason {

// Audio longer than this is written as several files, as `ask --long-audio windows` would hear it.
inline constexpr double kWindowSeconds = 30.0;

struct Clip {
  Scene scene;                      // without its samples
  std::vector<std::string> audio;   // files relative to DIR, one a window
  std::vector<std::string> sha256;  // of each file
  double bandwidth_hz = 0;          // 95 % of the energy lies below it (for the audit)
};

Json clip_to_json(const Clip& clip);
// Throws Error(kInput) naming `where`.
Clip clip_from_json(const Json& json, const std::string& where);
std::string_view scene_type_name(SceneType type);

struct StoredClips {
  std::string fingerprint;
  std::map<std::string, Clip> clips;
  std::size_t good_bytes = 0;  // without a torn last line
};
// Only reads; a job may be at work on the file. Throws Error(kInput).
StoredClips read_clips(const std::string& path);

class ClipStore {
 public:
  // Reads what is there. `fingerprint` names seed and version; a store of another one, or one that another process works on, is
  // refused with Error(kUsage).
  ClipStore(const std::string& path, const std::string& fingerprint);
  const Clip* find(const std::string& id) const;
  void append(Clip clip);
  // Rewrites the file sorted by id: the same bytes whatever the order of the work was.
  void finish();

 private:
  std::string path_, fingerprint_;
  FileLock lock_;
  mutable std::mutex mutex_;
  std::map<std::string, Clip> clips_;
  std::ofstream out_;
};

}  // namespace areason
