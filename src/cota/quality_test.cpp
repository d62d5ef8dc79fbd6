#include "cota/quality.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace areason {
namespace {

Sample asked(const std::string& id, const std::string& clip, const std::string& question, const std::string& letter = "") {
  Sample s;
  s.id = id;
  s.source.set = "own";
  s.source.id = clip;
  s.question = question;
  if (!letter.empty()) {
    s.choices = {"cat", "dog", "cow", "owl"};
    s.answer_letter = letter;
    s.answer_text = s.choices[static_cast<std::size_t>(letter[0] - 'a')];
    s.question += " (a) cat (b) dog (c) cow (d) owl";
  }
  return s;
}

TEST(Quality, NearlyEqualQuestionsAreThoseAboutOneClip) {
  QualityReport report;
  report.add(asked("1", "x", "How many times does the dog bark in the clip?"));
  report.add(asked("2", "x", "How many times does the dog bark in this clip?"));
  report.add(asked("3", "x", "Which sound comes after the dog?"));
  report.add(asked("4", "y", "How many times does the dog bark in the clip?"));
  EXPECT_EQ(report.near_duplicates(), 1);
  ASSERT_EQ(report.examples().size(), 1u);
  EXPECT_EQ(report.examples()[0].first + report.examples()[0].second, "12");
  EXPECT_EQ(report.distinct_questions(), 3);
}

TEST(Quality, OptionsDoNotMakeQuestionsDifferent) {
  QualityReport report;
  Sample other = asked("2", "x", "What is heard?", "b");
  report.add(asked("1", "x", "What is heard?", "a"));
  other.question = "What is heard? (a) rain (b) dog (c) bell (d) drum";
  report.add(other);
  EXPECT_EQ(report.near_duplicates(), 1);
}

TEST(Quality, LettersThatFavourOnePlaceAreSkewed) {
  QualityReport even, skewed;
  for (int i = 0; i < 400; ++i) {
    const std::string id = std::to_string(i);
    even.add(asked(id, id, "What is heard " + id, std::string(1, static_cast<char>('a' + i % 4))));
    skewed.add(asked(id, id, "What is heard " + id, std::string(1, i % 10 < 4 ? 'b' : static_cast<char>('a' + i % 4))));
  }
  EXPECT_FALSE(even.letters().skewed);
  EXPECT_EQ(even.letters().gold[2], 100);
  EXPECT_TRUE(skewed.letters().skewed);
  EXPECT_TRUE(skewed.to_json()["letters"]["skewed"].get<bool>());
}

TEST(Quality, PlanningMustNotNameTheAnswer) {
  const auto leaks = [](const std::string& planning) {
    Sample s = asked("1", "x", "Which animal is heard?", "b");
    s.sections[Section::kPlanning] = planning;
    return planning_names_answer(s);
  };
  EXPECT_TRUE(leaks("I will show that it is the dog."));
  EXPECT_TRUE(leaks("The answer is B."));
  EXPECT_FALSE(leaks("I compare the animals with what I hear."));
  EXPECT_FALSE(leaks("I listen for the cat, the dog, the cow and the owl."));
  Sample named = asked("1", "x", "How often does the dog bark?");
  named.answer_text = "dog";
  named.sections[Section::kPlanning] = "I listen for the dog.";
  EXPECT_FALSE(planning_names_answer(named)) << "the question names it";
}

}  // namespace
}  // namespace areason
