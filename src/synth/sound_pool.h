#pragma once
// Named sounds that clips are mixed from, wherever they came from: the recordings of installed packages (recordings.h) or any
// list of files with labels (cota makes one out of an imported set). Called by complex_audio.cpp and set makers in cota.
// Decoded samples are kept up to a limit, so that a list of a hundred thousand files can be used.
// Thread rule: constant after construction but for the samples, which are loaded under a lock. Samples: mono at kSynthRate,
// silence at both ends cut, at most 30 s. Errors: Error(kInput) naming a file that cannot be read.
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "synth/recordings.h"
#include "synth/scene.h"
#include "synth/signal.h"

namespace areason {

struct PoolSound {
  std::string label;    // "dog bark"
  std::string family;   // of labels that make good wrong answers for each other, "" when unknown
  SourceRef source;     // its path is read; the hash may be empty
  bool unseen = false;  // used by test-unseen only
};

class SoundPool {
 public:
  explicit SoundPool(std::vector<PoolSound> sounds, std::uint64_t cache_bytes = std::uint64_t{512} << 20);
  ~SoundPool();
  // Every recording of the library's classes.
  static std::unique_ptr<SoundPool> of_packages(const SoundLibrary& library);

  const std::vector<PoolSound>& sounds() const { return sounds_; }
  // Labels that have a sound on that side, sorted.
  const std::vector<std::string>& labels(bool unseen) const { return labels_[unseen ? 1 : 0]; }
  // A random sound of the label on that side.
  std::size_t pick(const std::string& label, bool unseen, Random& random) const;
  std::shared_ptr<const Samples> samples(std::size_t sound) const;
  // With the file's SHA-256.
  SourceRef source(std::size_t sound) const;

 private:
  struct Cache;
  std::vector<PoolSound> sounds_;
  std::vector<std::string> labels_[2];
  std::map<std::string, std::vector<std::size_t>> by_label_[2];
  std::unique_ptr<Cache> cache_;
};

}  // namespace areason
