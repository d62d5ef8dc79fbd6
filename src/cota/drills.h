#pragma once
// Text-only practice for a decoder that starts from nothing: captions to copy, times and option letters to look up, on names
// drawn at random. A chain's decisive words are look-ups (the letter of an option, the time of a sound), yet in the questions
// about clips they are one token in a hundred: nano did not learn them there in 80,000 samples. Called by synth_job.cpp.
// Thread rule: free functions.
#include <cstdint>
#include <vector>

#include "cota/question.h"
#include "cota/sample.h"

namespace areason {

// Samples of kind "look-up", without audio: the caption stands in the question. Depends on its arguments only.
std::vector<Sample> make_drills(const Material& material, int count, std::uint64_t seed);

}  // namespace areason
