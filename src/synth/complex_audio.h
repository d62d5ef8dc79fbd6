#pragma once
// Scenes of the set Complex Audio (the paper's appendix B.1): "temporal" ones, short clips one after the other (order,
// counting, durations), and "composite" ones, a long track under one to three other sounds at a known signal-to-noise ratio
// (which of them lies beneath?). Levels are loudness, the truth is in the scene. Called by cota's set job and tests. A scene
// depends on (seed, clip id, split) and the pool only. Thread rule: make() may run on several threads at once. Errors: those of
// sound_pool.h; Error(kInput) when the pool has too few labels.
#include <cstdint>
#include <string>

#include "synth/scene.h"
#include "synth/sound_pool.h"

namespace areason {

struct ComplexAudioOptions {
  std::uint64_t seed = 1;
  double composite_share = 0.45;
  double least_snr_db = 2, most_snr_db = 14;  // of a sound over the track under it
  double least_lufs = -28, most_lufs = -18;   // of a clip
};

class ComplexAudio {
 public:
  // The pool must outlive this.
  ComplexAudio(const SoundPool& pool, const ComplexAudioOptions& options);
  // `split`: test-unseen takes the pool's unseen sounds, every other one the rest.
  Scene make(const std::string& clip_id, const std::string& split) const;

 private:
  void temporal(Scene& scene, Random& random) const;
  void composite(Scene& scene, Random& random) const;
  std::string label_but(const std::vector<std::string>& avoid, bool unseen, Random& random) const;
  const SoundPool& pool_;
  ComplexAudioOptions options_;
};

// Does the sound go on without pauses, as an engine or rain does, so that it can lie under others? And the sound as a track
// of `seconds`, repeated with cross-fades where it is shorter.
bool is_sustained(const Samples& samples);
Samples sustained_track(const Samples& samples, double seconds, Random& random);

}  // namespace areason
