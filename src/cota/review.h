#pragma once
// Stage 3: a reviewer's verdict, and the rules that every sample is held to without any teacher (`data check`, and before a
// review is paid for). Called by stage_run, the CLI and tests. Thread rule: free functions.
#include <string>
#include <string_view>
#include <vector>

#include "cota/annotate.h"
#include "cota/import_clip.h"
#include "cota/sample.h"

namespace areason {

struct Review {
  bool right = false;
  std::string reason;  // what the reviewer wrote beside the verdict
};

// <True> or <False> anywhere (any case, also **True**, "Verdict: false", OK, No alone); the last verdict counts. None is a
// refusal: an answer without a verdict never keeps a sample.
Parsed<Review> parse_review(std::string_view text);

// What rules find wrong: structure, leaks, letters that are no option or not the answer's, quotes that nobody says, placeholder
// text, repetition, and claims that the timeline refutes: `claims`, or those that the rules of claims.h find without it.
// `facts` may be null. Each begins with a short code and a colon ("quote: nobody says …").
std::vector<std::string> sample_defects(const Sample& sample, const SourceClip* facts,
                                        const std::vector<std::string>* claims = nullptr);

}  // namespace areason
