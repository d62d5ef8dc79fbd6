#pragma once
// Makes synthetic clips together with their whole truth (scene.h) from the recordings of installed Debian packages, speech
// synthesisers and FluidSynth. Called by `data synth` (cota) and the tests. A scene depends on (seed, clip id, type, split) and
// the installed package versions only, never on the order of the calls.
// Splits are by recording, voice and soundfont: everything in a "test-unseen" scene is never used by the other three splits.
// Thread rule: make() may run on several threads at once (recordings are decoded once and shared).
// Units: seconds, dBFS (RMS); audio is 16 kHz mono.
// Errors: Error(kInput) that names the package and its `apt-get install` line; Error(kUsage) for an unknown split.
#include <cstdint>
#include <memory>
#include <string>

#include "synth/scene.h"

namespace areason {

// What happens when a package of the sound table is not installed.
enum class MissingPackages {
  kError,  // data synth: the classes would silently change
  kSkip,   // tests and try-outs: use what is there; classes with fewer than two recordings are left out
};

struct SynthOptions {
  std::uint64_t seed = 1;          // of the scenes
  std::uint64_t split_seed = 1;    // which recordings are "unseen"; the same for every scene seed unless changed here
  std::string package_root = "/";  // Debian packages are looked for below this directory (usr/share/…)
  std::string work_dir = "build/synth-work";  // extracted archives and short-lived files
  MissingPackages missing = MissingPackages::kError;
};

class SceneMaker {
 public:
  explicit SceneMaker(const SynthOptions& options);
  ~SceneMaker();
  SceneMaker(const SceneMaker&) = delete;
  SceneMaker& operator=(const SceneMaker&) = delete;

  // `split`: "train", "val", "test-known" or "test-unseen".
  Scene make(const std::string& clip_id, SceneType type, const std::string& split) const;

 private:
  struct Parts;
  std::unique_ptr<const Parts> parts_;
};

}  // namespace areason
