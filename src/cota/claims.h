#pragma once
// What a chain says about its clip, held against the clip's timeline: presence and absence, counts, order, first and last,
// times, lengths, overlaps, speakers, words. Reads free English, not templates: it shares no code with what writes questions
// and chains, nor with what plants errors to measure it (tools/plant_errors.py). Says nothing where it does not understand.
// Called by `data check`, the quality report and tests. Thread rule: free functions. Units: seconds.
#include <string>
#include <vector>

#include "cota/import_clip.h"
#include "cota/sample.h"

namespace areason {

// Each begins with a short code and a colon ("count: …"); empty without a timeline. `clip` may be null.
std::vector<std::string> false_claims(const Sample& sample, const SourceClip* clip);

}  // namespace areason
