#pragma once
// Self-consistency: which answer do several samples of one question agree on? Answers are compared without what does not
// matter (case, punctuation, articles, "The answer is"), or by the letter of a choice where they name one. Called by the
// session and the CLI. Thread rule: pure functions.
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "reason/session.h"

namespace areason {

// "B" for "B. a dog", "(b)" or "The answer is B."; else words in lower case: "a dog" for "The dog!".
std::string normalised_answer(std::string_view response);

struct VoteShare {
  std::string key;                   // normalised
  std::string answer;                // as its first sample wrote it
  std::vector<std::size_t> samples;  // indices
};

struct Vote {
  std::vector<VoteShare> shares;  // most votes first; as many votes: the earlier sample first
  std::size_t voters = 0;         // samples with a response; the others do not vote
  // The sample whose answer stands for all: the first of the largest share; 0 when nobody voted.
  std::size_t winner() const { return shares.empty() ? 0 : shares.front().samples.front(); }
};

Vote count_votes(std::span<const Answer> samples);
// The winner's answer_to_json() with "votes" [{answer, count, share}] and "samples" [{response, complete, finish_reason}].
Json vote_to_json(const Vote& vote, std::span<const Answer> samples, const std::string& model);

}  // namespace areason
