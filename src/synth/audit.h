#pragma once
// Can a sound's class be guessed from loudness and bandwidth alone (as a class whose recordings all come from one 11 kHz
// package could)? Compares the recordings as packaged with the same sounds as clips. Called by the tests; the finished clips of
// a data set are audited by cota/audit.h. Thread rule: free functions.
#include <span>
#include <string>
#include <vector>

#include "synth/recordings.h"

namespace areason {

// The frequency in Hz below which `share` of the power lies.
double roll_off_hz(std::span<const float> samples, double share);

struct SoundAudit {
  // Share of unseen recordings whose class is the nearest centroid (of the known ones) in (log roll-off, level).
  double accuracy_as_packaged = 0;
  double accuracy_as_clips = 0;
  double chance = 0;
  // One line a class: recordings, seconds, median roll-off and level by package.
  std::string table;
};

SoundAudit audit_sounds(const SoundLibrary& library);

}  // namespace areason
