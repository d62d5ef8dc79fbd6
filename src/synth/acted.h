#pragma once
// Scenes of acted voices with a mood: the voice packs of hedgewars, whose file names tell the event and so the mood
// (facts/data_side.md 6.6). Packs are split as acted_pack_is_unseen() says. Called by scene_maker.cpp.
// Errors: Error(kInput) with the install command when hedgewars-data is missing. Thread rule: constant after construction.
#include <string>
#include <vector>

#include "synth/speech_scenes.h"

namespace areason {

// "happy", "sad", "angry", "afraid", "surprised".
const std::vector<std::string>& acted_moods();

struct ActedLine {
  std::string id, path, pack, mood, language;
  bool unseen = false;
};

class ActedVoices {
 public:
  explicit ActedVoices(const std::string& package_root);
  const std::vector<ActedLine>& lines() const { return lines_; }
  // One line, or two of one speaker and mood.
  void compose(Mix& mix, const SceneContext& context, Random& random) const;

 private:
  std::vector<const ActedLine*> candidates(bool unseen, const std::string& mood, const std::string& pack) const;
  std::vector<ActedLine> lines_;
};

}  // namespace areason
