#pragma once
// The plainest practice without audio: letters of options and times of a caption, looked up among names of every sort. Called
// by drills.cpp. Thread rule: free functions.
#include <string>
#include <vector>

#include "base/random.h"
#include "cota/question.h"
#include "cota/sample.h"

namespace areason {

// Every name a question may hold: sounds, words, languages, moods, instruments. Sorted, without repeats.
std::vector<std::string> all_names(const Material& material);
// One sample of kind "look-up" on names of `names` (at least six).
Sample make_look_up(const std::vector<std::string>& names, Random& random);

}  // namespace areason
