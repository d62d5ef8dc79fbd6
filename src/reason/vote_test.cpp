#include "reason/vote.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace areason {
namespace {

TEST(Vote, AnswersAreComparedWithoutWhatDoesNotMatter) {
  const std::pair<const char*, const char*> cases[] = {
      {"B", "B"},
      {"B.", "B"},
      {"(b)", "B"},
      {"b) a dog", "B"},
      {"**B**", "B"},
      {"B: a dog", "B"},
      {"The answer is B.", "B"},
      {"The correct answer is (C) rain.", "C"},
      {"Option D", "D"},
      {"A dog.", "dog"},
      {"The dog!", "dog"},
      {"a dog, then a bell", "dog then a bell"},
      {"The answer is a dog.", "dog"},
      {"It is a bell", "bell"},
      {"3.5 seconds", "3.5 seconds"},
      {"3.", "3"},
      {"I hear the bell.", "i hear the bell"},
      {"Émile", "Émile"},
      {"A", "A"},
      {" \n", ""},
      {"?!", ""},
      {"the", "the"},
  };
  for (const auto& [response, wanted] : cases) EXPECT_EQ(normalised_answer(response), wanted) << response;
}

Answer sample(const std::string& response) {
  Answer out;
  out.sections[Section::kResponse] = response;
  out.complete = true;
  out.finish_reason = "stop";
  return out;
}

TEST(Vote, TheMostSamplesWinAndTheEarlierOfEquals) {
  std::vector<Answer> samples;
  for (const char* response : {"A dog", "a bell", "The dog.", "", "rain", "The bell!"}) samples.push_back(sample(response));
  samples.push_back(sample("a bell"));
  samples.back().finish_reason = "interrupted";
  const Vote vote = count_votes(samples);
  EXPECT_EQ(vote.voters, 5u);
  ASSERT_EQ(vote.shares.size(), 3u);
  EXPECT_EQ(vote.shares[0].answer, "A dog");
  EXPECT_EQ(vote.shares[0].samples, (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(vote.shares[1].key, "bell");
  EXPECT_EQ(vote.winner(), 0u);
  const Json json = vote_to_json(vote, samples, "m");
  EXPECT_EQ(json["votes"][0]["count"], 2);
  EXPECT_DOUBLE_EQ(json["votes"][2]["share"].get<double>(), 0.2);
  EXPECT_EQ(json["samples"].size(), 7u);
  EXPECT_EQ(json["sections"]["response"], "A dog");
}

TEST(Vote, WithoutStructureTheWholeTextVotes) {
  std::vector<Answer> samples(2);
  samples[0].text = "a bell";
  samples[1].text = "The bell.";
  EXPECT_EQ(count_votes(samples).shares.front().samples.size(), 2u);
  EXPECT_EQ(count_votes(std::vector<Answer>(3)).winner(), 0u);
}

}  // namespace
}  // namespace areason
