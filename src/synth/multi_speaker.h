#pragma once
// Scenes of the set Multi-Speaker (the paper's appendix B.1): a script, a voice for each of its speakers, the lines one after
// the other with pauses and now and then an overlap, all in one room with noise. The truth (who, what, from, to, level, words)
// is in the scene. Called by cota's set job and tests. A scene depends on (seed, clip id, split, script) and on the voices
// only. Thread rule: make() may run on several threads at once. Errors: those of the voices.
#include <cstdint>
#include <string>

#include "synth/dialogue_script.h"
#include "synth/scene.h"
#include "synth/voice_bank.h"

namespace areason {

struct MultiSpeakerOptions {
  std::uint64_t seed = 1;
  double overlap_share = 0.2;     // of the lines that begin before the one before has ended
  double room_share = 0.7;        // of the clips that have echoes
  double longest_seconds = 29.5;  // later lines are left out; `ask` hears 30 s in one window
};

class MultiSpeaker {
 public:
  // The voices must outlive this.
  MultiSpeaker(const VoiceBank& voices, const MultiSpeakerOptions& options);
  Scene make(const std::string& clip_id, const std::string& split, const DialogueScript& script) const;

 private:
  const VoiceBank& voices_;
  MultiSpeakerOptions options_;
};

}  // namespace areason
