#pragma once
// A simple room: parallel combs with a low-pass in their loops and two all-passes in series (M. R. Schroeder, "Natural sounding
// artificial reverberation", 1962), its level set against the dry sound. Used by multi_speaker.cpp.
// Works on mono samples at kSynthRate. Thread rule: free function.
#include "synth/signal.h"

namespace areason {

struct Room {
  double decay_seconds = 0.3;  // RT60: until the echoes are 60 dB weaker
  double wet_db = -14;         // power of the echoes against that of the dry sound
  double size = 1;             // scales the delays, 0.6 (cupboard) to 1.4 (hall)
};

// Adds the echoes to `samples`; the clip keeps its length.
void add_room(Samples& samples, const Room& room);

}  // namespace areason
