#pragma once
// Writes short pieces whose facts are known by construction: melody over chords, bass and drums that make the metre audible.
// Called by music_scenes.cpp. Thread rule: free functions; the piece depends on the random numbers only.
#include <string>
#include <vector>

#include "base/random.h"
#include "synth/midi.h"
#include "synth/scene.h"

namespace areason {

struct LeadInstrument {
  std::string name;  // "violin"
  int program;       // General MIDI, from 0
  int lowest;        // the melody's lowest key
};

const std::vector<LeadInstrument>& lead_instruments();

struct Composition {
  MidiPiece piece;
  MusicFacts facts;
  double seconds = 0;  // without the last notes' decay
};

// 6 to 12 s. A third of the pieces have a mood ("calm", "energetic", "happy", "sad") that tempo, mode, drums and touch agree
// with; the others draw these independently and have the mood "".
Composition compose_piece(Random& random);

}  // namespace areason
