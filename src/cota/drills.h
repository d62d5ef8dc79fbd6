#pragma once
// Text-only practice for a decoder that starts from nothing: the questions about clips, asked of made-up timelines whose
// caption stands in the question, and plainer look-ups (look_up_drills.h). A chain's decisive words are look-ups (the letter of
// an option, the place of a sound), yet in the questions about clips they are one token in a hundred: nano did not learn them
// there in 80,000 samples. Called by synth_job.cpp.
// Thread rule: free functions.
#include <cstdint>
#include <vector>

#include "cota/question.h"
#include "cota/sample.h"

namespace areason {

// Samples without audio, of kind "look-up" or of the kind whose chain they practise. Depends on its arguments only.
std::vector<Sample> make_drills(const Material& material, int count, std::uint64_t seed);

}  // namespace areason
