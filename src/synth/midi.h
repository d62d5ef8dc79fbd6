#pragma once
// A writer of standard MIDI files (format 0), just enough for FluidSynth. Called by music_scenes.cpp with what composer.cpp
// writes. Times in quarter notes from the start. Thread rule: values.
#include <string>
#include <vector>

namespace areason {

struct MidiNote {
  int channel = 0;    // 9 = drums
  int key = 60;       // 60 = middle C
  int velocity = 80;  // 1 to 127
  double start = 0;   // quarter notes
  double length = 1;
};

struct MidiProgram {
  int channel = 0;
  int program = 0;  // General MIDI, from 0
};

struct MidiPiece {
  double quarters_per_minute = 120;
  int meter_numerator = 4, meter_denominator = 4;
  std::vector<MidiProgram> programs;
  std::vector<MidiNote> notes;
};

// The bytes of the file.
std::string write_midi(const MidiPiece& piece);

}  // namespace areason
