#pragma once
// Figures about a sample file: items by kind, answers, gold letters, words a section; and the score of answers by kind.
// Called by synth_job and `data stats`, `data score`. Thread rule: free functions.
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "cota/sample.h"

namespace areason {

Json sample_statistics(const std::vector<Sample>& samples);

// One row a kind and the mean over kinds.
struct ScoreRow {
  std::string kind;
  int items = 0, right = 0, missing = 0;  // missing: no answer given; counts as wrong
  double chance = 0;                      // of guessing evenly
  double majority = 0;                    // of always giving the most frequent answer
  double accuracy() const { return items == 0 ? 0 : static_cast<double>(right) / items; }
  double standard_error() const;
};
struct Score {
  std::vector<ScoreRow> rows;  // in the order of kinds(), kinds without items left out
  ScoreRow all;                // over all items
  double mean_over_kinds = 0;
};

struct GivenAnswer {
  std::string id, text;
};
// Lines {"id", "text"} or {"id", "sections": {"response"}}. Throws Error(kInput).
std::vector<GivenAnswer> read_answers(const std::string& path);

Score score_answers(const std::vector<Sample>& samples, const std::vector<GivenAnswer>& answers);
std::string score_table(const Score& score);
Json score_to_json(const Score& score);

}  // namespace areason
