#pragma once
// What happens to audio longer than the encoder's window (30 s). Called by reason and the trainer.
#include <string>
#include <vector>

#include "audio/waveform.h"

namespace areason {

enum class LongAudio {
  kWindows,   // several numbered audios of at most 30 s (default of `ask`)
  kTruncate,  // the first 30 s, as the reference does
  kError,     // refuse
};

// "windows", "truncate", "error"; throws Error(kUsage) otherwise.
LongAudio parse_long_audio(const std::string& name);

struct AudioWindow {
  Waveform audio;
  double from_seconds = 0;
  bool truncated = false;  // something after this window was dropped
};

// Splits 16 kHz audio. `name` is used in the error of kError. A last window of under 0.1 s is joined to nothing: it is dropped
// and the window before it marked truncated.
std::vector<AudioWindow> split_long_audio(const Waveform& audio, LongAudio policy, double window_seconds,
                                          const std::string& name);

}  // namespace areason
