#include "cota/check.h"

#include <gtest/gtest.h>

#include "cota/stats.h"

namespace areason {
namespace {

Sample choice_sample() {
  Sample s;
  s.id = "a";
  s.kind = "sound-first";
  s.question = "Which sound comes first? (a) rain (b) dog bark (c) bell (d) train";
  s.choices = {"cow moo", "dog bark", "bell", "train"};
  s.answer_text = "dog bark";
  s.answer_letter = "b";
  return s;
}

TEST(Check, LetterOfTheLastAnswer) {
  EXPECT_EQ(answer_letter("The answer is B."), 1);
  EXPECT_EQ(answer_letter("the answer is (b)."), 1);
  EXPECT_EQ(answer_letter("So, the ANSWER IS: **C**"), 2);
  EXPECT_EQ(answer_letter("First the answer is A, no, the answer is d"), 3);
  EXPECT_EQ(answer_letter("The answer is a."), 0);
  EXPECT_EQ(answer_letter("The answer is a dog bark."), -1);
  EXPECT_EQ(answer_letter("The answer is bell."), -1);
  EXPECT_EQ(answer_letter("no letter"), -1);
  EXPECT_EQ(answer_letter(""), -1);
}

TEST(Check, Choice) {
  const Sample s = choice_sample();
  EXPECT_TRUE(check_answer(s, "It is the dog bark. The answer is B."));
  EXPECT_TRUE(check_answer(s, "the answer is (b)"));
  EXPECT_TRUE(check_answer(s, "It is the dog bark."));
  EXPECT_FALSE(check_answer(s, "It is the dog bark. The answer is C."));
  EXPECT_FALSE(check_answer(s, "The dog bark or the bell."));
  EXPECT_FALSE(check_answer(s, "It is the rain."));
  EXPECT_FALSE(check_answer(s, ""));
  EXPECT_TRUE(check_answer(s, "<THINK><SUMMARY>The answer is A.</SUMMARY></THINK><RESPONSE>\nThe answer is B.</RESPONSE>"));
}

TEST(Check, LongerOptionWinsOverItsPart) {
  Sample s = choice_sample();
  s.kind = "music-instrument";
  s.choices = {"guitar", "electric guitar", "organ", "flute"};
  s.answer_text = "electric guitar";
  EXPECT_TRUE(check_answer(s, "The electric guitar."));
  EXPECT_FALSE(check_answer(s, "The guitar."));
}

TEST(Check, EitherTakesTheFirstNamed) {
  Sample s;
  s.kind = "speech-gender";
  s.choices = {"man", "woman"};
  s.answer_text = "woman";
  EXPECT_TRUE(check_answer(s, "The speaker is a woman."));
  EXPECT_FALSE(check_answer(s, "The speaker is a man."));
  EXPECT_FALSE(check_answer(s, "A man, not a woman."));
}

TEST(Check, YesNoNumbersAndDigits) {
  Sample s;
  s.kind = "sound-presence";
  s.answer_text = "yes";
  EXPECT_TRUE(check_answer(s, "Yes, I hear the bell."));
  EXPECT_FALSE(check_answer(s, "No, but yes would be nice."));
  s.kind = "sound-count";
  s.answer_text = "3";
  EXPECT_TRUE(check_answer(s, "There are 3 sounds."));
  EXPECT_TRUE(check_answer(s, "One, two, three: three sounds."));
  EXPECT_FALSE(check_answer(s, "There are 13 sounds."));
  EXPECT_FALSE(check_answer(s, "Some sounds."));
  s.kind = "speech-digits";
  s.answer_text = "4 0 7";
  EXPECT_TRUE(check_answer(s, "The digits are 4 0 7."));
  EXPECT_TRUE(check_answer(s, "four zero seven"));
  EXPECT_TRUE(check_answer(s, "407"));
  EXPECT_FALSE(check_answer(s, "4 7 0"));
  EXPECT_EQ(last_number("99999999999999999999"), -1);  // no overflow
}

TEST(Check, NameMustStandAlone) {
  Sample s;
  s.kind = "sound-name-open";
  s.answer_text = "dog bark";
  EXPECT_TRUE(check_answer(s, "It is the dog bark."));
  EXPECT_TRUE(check_answer(s, "a DOG BARK!"));
  EXPECT_FALSE(check_answer(s, "It is the dog bark or thunder."));
  EXPECT_FALSE(check_answer(s, "It is the dog."));
  s.kind = "speech-language-open";
  s.answer_text = "French";
  EXPECT_TRUE(check_answer(s, "The language is French."));
}

TEST(Check, ProblemsAreFound) {
  Sample s = choice_sample();
  s.caption = "0.5 to 1.5 s: dog bark. 2.0 to 4.0 s: bell.";
  for (auto& text : s.sections.text) text = "x";
  s.sections[Section::kResponse] = "The answer is B.";
  s.sections[Section::kReasoning] = "The dog bark is at 0.5 s and lasts 1.0 s.";
  EXPECT_TRUE(sample_problems(s).empty());
  Sample wrong_time = s;
  wrong_time.sections[Section::kReasoning] = "It is at 9.0 s.";
  EXPECT_EQ(sample_problems(wrong_time).size(), 1u);
  Sample wrong_quote = s;
  wrong_quote.sections[Section::kReasoning] = "Somebody says \"hello\".";
  EXPECT_EQ(sample_problems(wrong_quote).size(), 1u);
  wrong_quote.timeline.push_back({0, "speech", 0, 1, 0, "", "hello"});
  EXPECT_TRUE(sample_problems(wrong_quote).empty());
  Sample wrong_answer = s;
  wrong_answer.sections[Section::kResponse] = "The answer is C.";
  EXPECT_EQ(sample_problems(wrong_answer).size(), 1u);
  Sample twice = s;
  twice.choices[3] = "bell";
  EXPECT_EQ(sample_problems(twice).size(), 1u);
}

TEST(Score, TableByKind) {
  std::vector<Sample> samples(4, choice_sample());
  for (int i = 0; i < 4; ++i) samples[static_cast<std::size_t>(i)].id = std::to_string(i);
  samples[3].kind = "sound-presence";
  samples[3].answer_text = "yes";
  samples[3].answer_letter = "";
  const Score score = score_answers(samples, {{"0", "The answer is B."}, {"1", "The answer is A."}, {"3", "Yes."}});
  ASSERT_EQ(score.rows.size(), 2u);
  EXPECT_EQ(score.rows[0].items, 3);
  EXPECT_EQ(score.rows[0].right, 1);
  EXPECT_EQ(score.rows[0].missing, 1);
  EXPECT_NEAR(score.rows[0].standard_error(), 0.2722, 1e-4);  // sqrt(1/3 * 2/3 / 3)
  EXPECT_NEAR(score.mean_over_kinds, (1.0 / 3 + 1) / 2, 1e-12);
  EXPECT_EQ(score.all.items, 4);
  EXPECT_NE(score_table(score).find("sound-presence"), std::string::npos);
}

}  // namespace
}  // namespace areason
