// The rules of the rewards, on chains as they are written.
#include "train/rewards.h"

#include <gtest/gtest.h>

#include "cota/check.h"

namespace areason::train {
namespace {

// What data synth writes about a rooster, a big cat and a gunshot.
Sample sample() {
  Sample s;
  s.id = "s";
  s.kind = "sound-presence";
  s.question = "Is there a gunshot?";
  s.choices = {"yes", "no"};
  s.answer_text = "yes";
  const auto event = [&](const char* label, double from, double to) {
    TimelineEntry e;
    e.label = label;
    e.from = from;
    e.to = to;
    s.timeline.push_back(e);
  };
  event("background noise", 0, 7.2);
  event("rooster or hen", 0.42, 1.97);
  event("big cat roar", 2.19, 3.97);
  event("gunshot", 4.6, 5.08);
  return s;
}

std::string chain(const std::string& caption, const std::string& response = "Yes, there is a gunshot.") {
  Chain c;
  for (const Section section : kSections) c[section] = "I listen.";
  c[Section::kCaption] = caption;
  c[Section::kResponse] = response;
  return render_chain(c);
}

constexpr const char* kTrue = "0.5 to 2.0 s: rooster or hen. 2.0 to 4.0 s: big cat roar. 4.5 to 5.0 s: gunshot.";

TEST(Rewards, AnAnswerIsRightWhenTheScorerSaysSo) {
  const Sample s = sample();
  for (const std::string& text : {chain(kTrue), chain(kTrue, "No, there is none."), std::string("yes"), std::string("maybe")})
    EXPECT_EQ(answer_reward(s, text), check_answer(s, text) ? 1 : 0) << text;
  EXPECT_EQ(answer_reward(s, chain(kTrue)), 1);
  EXPECT_EQ(answer_reward(s, chain(kTrue, "No.")), 0);
}

TEST(Rewards, StructureWantsAllFiveInOrderClosedAndFilled) {
  EXPECT_EQ(structure_reward(chain(kTrue)), 1);
  std::string text = chain(kTrue);
  EXPECT_EQ(structure_reward(text.substr(0, text.find("</RESPONSE>"))), 0) << "not closed";
  EXPECT_EQ(structure_reward(chain("")), 0) << "an empty section";
  const std::size_t at = text.find("<SUMMARY>"), end = text.find("</SUMMARY>");
  EXPECT_EQ(structure_reward(text.substr(0, at) + text.substr(end + 10)), 0) << "a section is missing";
  EXPECT_EQ(structure_reward("The answer is yes."), 0);
  const std::size_t summary = text.find("<SUMMARY>"), reasoning = text.find("<REASONING>");
  std::string swapped = text;
  swapped.replace(summary, 9, "<XXXXXXXX").replace(reasoning, 11, "<SUMMARY>..");
  EXPECT_EQ(structure_reward(swapped), 0) << "out of order";
}

TEST(Rewards, LengthFallsInAStraightLine) {
  const LengthRule rule{100, 200};
  EXPECT_EQ(length_reward(100, Ending::kByItself, rule), 0);
  EXPECT_DOUBLE_EQ(length_reward(150, Ending::kByItself, rule), -0.5);
  EXPECT_EQ(length_reward(200, Ending::kByItself, rule), -1);
  EXPECT_EQ(length_reward(40, Ending::kCut, rule), -1);
  EXPECT_EQ(length_reward(4000, Ending::kCut, {0, 200}), 0) << "no budget, no penalty";
}

TEST(Rewards, ACaptionIsHeldAgainstTheTimeline) {
  const Sample s = sample();
  EXPECT_DOUBLE_EQ(caption_reward(s, chain(kTrue)).value(), 1);
  EXPECT_EQ(caption_reward(s, chain("")).value(), 0) << "saying nothing does not pay";
  const double half = caption_reward(s, chain("0.5 to 2.0 s: rooster or hen.")).value();
  EXPECT_NEAR(half, 1.0 / 3, 1e-12);
  const double with_a_lie = caption_reward(s, chain(std::string(kTrue) + " 5.5 to 6.5 s: dog bark.")).value();
  EXPECT_LE(with_a_lie, 0.5);
  const double wrong_time =
      caption_reward(s, chain("0.5 to 2.0 s: rooster or hen. 2.0 to 4.0 s: big cat roar. 0.5 to 1.0 s: gunshot.")).value();
  EXPECT_LE(wrong_time, 0.5);
  // Other sections are not the caption's fault.
  EXPECT_EQ(caption_reward(s, chain(kTrue, "A dog barks.")), caption_reward(s, chain(kTrue)));
  Sample blind = s;
  blind.timeline.clear();
  EXPECT_FALSE(caption_reward(blind, chain(kTrue)).has_value());
}

TEST(Rewards, PartsAreWeighedAndAddedUp) {
  RewardRule rule;
  rule.weights = {1, 0.25, 0.5, 2};
  rule.length = {10, 20};
  const std::string text = chain("0.5 to 2.0 s: rooster or hen.");
  const JudgedAnswer judged = judge(sample(), {text, 15, Ending::kByItself}, rule);
  EXPECT_NEAR(judged.total, 1 + 0.25 + 0.5 / 3 - 2 * 0.5, 1e-12);
  rule.weights = {1, 0, 0, 0};
  EXPECT_EQ(judge(sample(), {text, 15, Ending::kByItself}, rule).total, 1);
}

}  // namespace
}  // namespace areason::train
