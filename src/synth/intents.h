#pragma once
// Scenes of an acted line whose intent is known: what the speaker wants by saying it. The voice packs of hedgewars, whose file
// names tell the event, as acted.h uses them for moods; packs are split as acted_pack_is_unseen() says. The paper's sarcasm set
// has no free recordings, so this stands in for it. Called by cota's set job.
// Errors: Error(kInput) with the install command when hedgewars-data is missing. Thread rule: constant after construction.
#include <string>
#include <vector>

#include "base/random.h"
#include "synth/scene.h"

namespace areason {

// "greets somebody", "threatens somebody" …: what follows "The speaker".
const std::vector<std::string>& acted_intents();

class ActedIntents {
 public:
  explicit ActedIntents(const std::string& package_root);
  Scene make(const std::string& clip_id, const std::string& split, std::uint64_t seed) const;

 private:
  struct Line {
    std::string id, path, pack, intent;
    bool unseen = false;
  };
  std::vector<Line> lines_;
};

}  // namespace areason
