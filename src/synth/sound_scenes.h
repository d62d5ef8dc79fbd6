#pragma once
// Scenes of sound events: single, repeated (counts), in sequence or overlapping, and the sparse long ones. Called by
// scene_maker.cpp; place_sound() also by the mixed scenes. Thread rule: free functions; the library is shared.
#include <string>

#include "base/random.h"
#include "synth/mix.h"
#include "synth/recordings.h"

namespace areason {

// One event of a class: an uninterrupted stretch of a recording (pauses inside at most 0.35 s), at most `longest` seconds,
// slightly changed in speed and colour. Rhythmic classes (footsteps, clock) are repeated into a short series.
Samples make_sound_event(const SoundLibrary& library, std::size_t recording, double longest, Random& random);
// The same out of any samples; `id` names them in Error(kInput) when they are silent.
Samples make_sound_event(const Samples& samples, const std::string& id, double longest, Random& random);
// Classes whose single sounds are too short to be recognised ("footsteps"): one sound repeated into a short series.
Samples as_sounded(const std::string& label, Samples event, double longest, Random& random);

struct SoundChoice {
  const InstalledClass* installed = nullptr;
  std::size_t recording = 0;
};

// A random class that is not among `avoid` (by name) and one of its recordings of the split's side.
SoundChoice choose_sound(const SoundLibrary& library, const std::string& split, const std::vector<std::string>& avoid,
                         Random& random);
// Places the sound; returns its end.
struct SoundPlacement {
  double at = 0;
  double longest = 3;
  double level_offset_db = 0;
};
double place_sound(Mix& mix, const SoundLibrary& library, const SoundChoice& choice, const SoundPlacement& placement,
                   Random& random);

void compose_sounds(Mix& mix, const SoundLibrary& library, const std::string& split, Random& random);
// 33 to 45 s.
void compose_long(Mix& mix, const SoundLibrary& library, const std::string& split, Random& random);

}  // namespace areason
