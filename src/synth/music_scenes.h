#pragma once
// Scenes of music: composed pieces rendered by FluidSynth with one of four soundfonts; test-unseen has a soundfont of its own.
// Called by scene_maker.cpp. Errors: Error(kInput) naming a missing soundfont or fluidsynth with the install command.
// Thread rule: free functions.
#include <string>
#include <vector>

#include "synth/speech_scenes.h"

namespace areason {

struct SoundFont {
  std::string package, path, licence;  // path below the package root
  bool unseen = false;
};

const std::vector<SoundFont>& sound_fonts();

void compose_music(Mix& mix, const SceneContext& context, Random& random);
// A piece with one or two sounds over it.
void compose_music_with_sounds(Mix& mix, const SceneContext& context, Random& random);

}  // namespace areason
