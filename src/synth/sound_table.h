#pragma once
// The sound classes: names as used in questions and answers, the family that makes good distractors, and where their recordings
// come from (facts/data_side.md 6.3). Called by synth (recordings) and cota (distractors). Thread rule: constant data.
#include <string>
#include <vector>

namespace areason {

struct SoundClass {
  std::string name;    // "dog bark"
  std::string family;  // "animal", "bird", "water", "vehicle", "human", "tool", "weapon", "signal", "household", "nature"
  std::vector<std::string> patterns;  // "QA:dog.ogg": package abbreviation, glob relative to its sound directory
};

const std::vector<SoundClass>& sound_classes();

}  // namespace areason
