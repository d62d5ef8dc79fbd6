#pragma once
// Any imported set (`data import`, DIR/clips.jsonl) as sounds to mix Complex Audio from. A clip's name is its fact "label", or
// "labels" where there is one only, or the folder that its file lies in; up to the first comma, in lower case ("Vehicle horn,
// car horn, honking": "vehicle horn"). Clips with several labels, duplicates and those over 30 s are left out.
// Called by the CLI and tests. Thread rule: free functions. Errors: Error(kInput) as import_clip.h; also when nothing is left.
#include <string>
#include <vector>

#include "synth/sound_pool.h"

namespace areason {

struct ImportedSounds {
  std::vector<PoolSound> sounds;
  int without_name = 0, several_names = 0, too_long = 0, excluded = 0;
};
// Clips of split "test" are the unseen ones; where there are none, a fifth of the groups.
ImportedSounds sounds_of_import(const std::string& clips_file);

}  // namespace areason
