#pragma once
// Scenes of synthetic speech: one sentence, conversations, speech or music together with sounds. Called by scene_maker.cpp.
// Thread rule: free functions.
#include <string>

#include "base/random.h"
#include "synth/mix.h"
#include "synth/recordings.h"
#include "synth/sentences.h"
#include "synth/voices.h"

namespace areason {

// What all the scene functions need.
struct SceneContext {
  const SoundLibrary& library;
  const std::string& work_dir;
  const std::string& package_root;
  const std::string& split;
  bool unseen() const { return split == "test-unseen"; }
};

struct SpeechPlacement {
  double at = 0;
  double level_offset_db = 0;
};

// Speaks and places; returns the end.
double place_speech(Mix& mix, const SceneContext& context, const Voice& voice, const VoiceStyle& style,
                    const Sentence& sentence, const SpeechPlacement& placement);

void compose_speech(Mix& mix, const SceneContext& context, Random& random);
// 2 to 4 voices, 3 to 6 turns.
void compose_dialogue(Mix& mix, const SceneContext& context, Random& random);
// A sentence with one to three sound events before, over or after it.
void compose_speech_with_sounds(Mix& mix, const SceneContext& context, Random& random);

}  // namespace areason
