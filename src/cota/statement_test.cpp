// The language that chains are translated into, and its judge: every form of statement once true and once false, what stays
// open, lines as models really send them, and ten thousand mutated ones.
#include "cota/statement.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "cota/statement_judge.h"

namespace areason::claims {
namespace {

// Two barks, a siren under a talk of a man and a woman, a bell at the end.
Sample scene() {
  Sample s;
  s.id = "x";
  s.kind = "sound-last";
  s.question = "Which sound is last? (a) dog bark (b) bell (c) siren";
  s.choices = {"dog bark", "bell", "siren"};
  s.answer_text = "bell";
  s.answer_letter = "b";
  s.timeline = {{0, "background noise", 0.0, 14.0, -50, "", ""},
                {0, "dog bark", 0.5, 1.0, -20, "", ""},
                {0, "dog bark", 2.0, 2.6, -22, "", ""},
                {0, "siren", 4.0, 8.0, -30, "", ""},
                {0, "speech", 5.0, 6.5, -21, "flite:kal16", "where are you going with 4 7 2"},
                {0, "speech", 9.0, 10.0, -24, "flite:slt", "to the fire"},
                {0, "speech", 10.5, 11.4, -21, "flite:kal16", "then take the bucket"},
                {0, "bell", 12.0, 13.5, -26, "", ""}};
  return s;
}

// Of a line with several statements, the first that does not hold.
Verdict judged(const Sample& sample, const std::string& line) {
  const Statements statements = parse_statements(line);
  EXPECT_FALSE(statements.read.empty()) << line;
  for (const Statement& s : statements.read)
    if (const Verdict v = StatementJudge(sample, nullptr).judge(s); v != Verdict::kHolds) return v;
  return Verdict::kHolds;
}

TEST(StatementJudge, WhatFitsHolds) {
  const Sample sample = scene();
  for (const char* line : {"heard(siren)",
                           "not heard(cat meow)",
                           "count(dog bark) = 2",
                           "count(dog bark) < 3",
                           "count(cat meow) = 0",
                           "kinds() = 3",
                           "kinds() = 4",
                           "voices() = 2",
                           "voices(man) = 1",
                           "count(man) = 2",
                           "words(woman) = 3",
                           "digits(man 1 #1) = 3",
                           "start(siren) = 4",
                           "start(siren) ~ 4.3",
                           "end(siren) = 8.0",
                           "length(bell) = 1.5",
                           "length(each dog bark) < 1",
                           "length(siren) = 2 * length(bell) + 1",
                           "level(dog bark #1) - level(siren) = 10",
                           "level(siren) < level(bell)",
                           "gap(dog bark #1; dog bark #2) = 1",
                           "start(dog bark #2) - start(dog bark #1) = 1.5",
                           "start(dog bark #2) - start(dog bark #1) = 1",
                           "shared(siren; man 1 #1) = 1.5",
                           "clip() = 14",
                           "files() = 1",
                           "before(dog bark; siren)",
                           "not before(bell; siren)",
                           "next(dog bark; siren)",
                           "order(dog bark; siren; speech; bell)",
                           "first(dog bark)",
                           "last(bell)",
                           "nth(siren; 2)",
                           "nth(siren; 3)",
                           "first(man)",
                           "nth(woman; 2)",
                           "overlap(siren; speech)",
                           "not overlap(dog bark; any)",
                           "during(man 1 #1; siren)",
                           "alone(bell)",
                           "at(siren; 7)",
                           "within(bell; 11; 14)",
                           "silent(2.7; 3.9)",
                           "overlaps() = 1",
                           "overlaps(speech) = 0",
                           "mentions(woman; \"fire\")",
                           "mentions(man; \"bucket\"; \"going\"; \"7\")",
                           "silent(end(dog bark #2); start(siren))",
                           "2 <= count(dog bark) < 3",
                           "heard(bell) and heard(siren)",
                           "before(dog bark; siren; bell)",
                           "not count(dog bark) = 3",
                           "count(dog bark) = two",
                           "start(siren) = 4000 ms",
                           "longest(siren)",
                           "shortest(dog bark)",
                           "loudest(dog bark)",
                           "quietest(siren)",
                           "says(man; \"where are you going\")",
                           "says(person 2; \"to the fire\")",
                           "topic(man; \"bucket\")",
                           "is(man; man)",
                           "is(person 2; woman)",
                           "same_voice(\"where are you going\"; \"then take\")",
                           "answer(b)",
                           "answer(bell)",
                           "start(any #3) >= 3",
                           "end(dog bark) <= clip() / 2",
                           "start(cat meow|siren) = 4",
                           "count(speech) - count(siren) = 2",
                           "says(man; \"where are you going with four seven two\")"})
    EXPECT_EQ(judged(sample, line), Verdict::kHolds) << line;
}

TEST(StatementJudge, WhatFitsInNoWayIsFalse) {
  const Sample sample = scene();
  for (const char* line : {"heard(cat meow)",
                           "not heard(siren)",
                           "count(dog bark) = 3",
                           "count(dog bark) > 2",
                           "kinds() = 7",
                           "voices() = 3",
                           "voices(woman) = 2",
                           "count(woman) = 2",
                           "words(woman) = 5",
                           "digits(man 1 #1) = 4",
                           "start(siren) = 5",
                           "start(siren) ~ 6",
                           "end(siren) = 9.5",
                           "length(bell) = 3",
                           "length(each dog bark) > 1",
                           "length(siren) = 4 * length(bell)",
                           "level(siren) - level(dog bark #1) = 10",
                           "gap(dog bark #1; dog bark #2) = 2",
                           "shared(siren; man 1 #1) = 3",
                           "clip() = 20",
                           "files() = 2",
                           "before(siren; dog bark)",
                           "not before(dog bark; siren)",
                           "next(dog bark; bell)",
                           "not next(dog bark; siren)",
                           "order(siren; dog bark; bell)",
                           "first(siren)",
                           "last(dog bark)",
                           "nth(bell; 1)",
                           "first(woman)",
                           "not first(dog bark)",
                           "overlap(bell; siren)",
                           "not overlap(siren; speech)",
                           "during(siren; bell)",
                           "alone(siren)",
                           "at(siren; 10)",
                           "within(bell; 2; 4)",
                           "silent(4; 8)",
                           "overlaps() = 3",
                           "overlaps(speech) = 1",
                           "mentions(woman; \"bucket\")",
                           "mentions(man; \"bucket\"; \"spade\")",
                           "mentions(man; \"bucket\"; \"8\")",
                           "silent(end(siren); start(bell))",
                           "2 <= count(dog bark) < 2",
                           "heard(bell) and heard(cat meow)",
                           "before(siren; dog bark; bell)",
                           "not count(dog bark) = 2",
                           "longest(bell)",
                           "loudest(siren)",
                           "not longest(siren)",
                           "says(woman; \"where are you going\")",
                           "says(man; \"where are you flying\")",
                           "says(man; \"where are you going with four seven three\")",
                           "says(man; \"going you are where\")",
                           "topic(woman; \"bucket\")",
                           "is(man; woman)",
                           "is(person 2; man)",
                           "same_voice(person 1; person 2)",
                           "answer(a)",
                           "answer(siren)",
                           "length(cat meow) = 1",
                           "heard(dog bark #3)",
                           "is(person 3; man)",
                           "count(cat meow) = 1",
                           "length(each cat meow) < 9"})
    EXPECT_EQ(judged(sample, line), Verdict::kFalse) << line;
}

TEST(StatementJudge, WhatTheTimelineCannotTellStaysOpen) {
  const Sample sample = scene();
  for (const char* line : {"other(the siren is shrill)", "is(man; angry)", "heard(frobnication)", "music(piano)",
                           "heard(noise)", "topic(woman; \"water for the horses\")", "answer(nothing of these)"})
    EXPECT_EQ(judged(sample, line), Verdict::kOpen) << line;
  Sample silent = scene();
  for (TimelineEntry& e : silent.timeline) e.text.clear();
  EXPECT_EQ(judged(silent, "says(man; \"anything at all\")"), Verdict::kOpen);
  EXPECT_EQ(judged(silent, "words(man) = 7"), Verdict::kOpen);
}

TEST(StatementJudge, MusicAndTraits) {
  Sample s;
  s.id = "m";
  s.caption = "0.0 to 9.0 s: music. The music: organ, slow, 3/4, waltz feel, minor, sad.";
  s.timeline = {{0, "music", 0.0, 9.0, -20, "", ""}};
  s.kind = "music-mood";
  for (const char* line : {"music(organ)", "music(slow)", "music(3/4)", "music(minor)", "not music(major)", "music(sad)"})
    EXPECT_EQ(judged(s, line), Verdict::kHolds) << line;
  for (const char* line : {"music(piano)", "music(fast)", "music(4/4)", "music(major)", "not music(minor)", "music(happy)"})
    EXPECT_EQ(judged(s, line), Verdict::kFalse) << line;
}

TEST(StatementJudge, FilesByNumber) {
  Sample s = scene();
  s.timeline.push_back({1, "dog bark", 1.0, 2.0, -20, "", ""});
  for (const char* line : {"count(dog bark @1) = 2", "count(dog bark @2) = 1", "not heard(siren @2)", "files() = 2",
                           "first(dog bark @2)", "start(dog bark @2) = 1", "clip(@2) = 2"})
    EXPECT_EQ(judged(s, line), Verdict::kHolds) << line;
  for (const char* line : {"count(dog bark @2) = 2", "heard(siren @2)", "clip(@2) = 14"})
    EXPECT_EQ(judged(s, line), Verdict::kFalse) << line;
}

TEST(StatementParser, TakesWhatModelsReallySend) {
  const Statements found = parse_statements(
      "Here you are:\n```\n<claims>\n- heard(siren)\n2. not overlap(siren, dog bark)\n  * `count(dog bark) = 2`.\nheard(cat "
      "meow) = no\n"
      "!heard(cow moo)\nNOT(before(bell; siren))\nstart(\"a; b\") == 3 s\nThat is all.\n</claims>\nThanks!");
  ASSERT_EQ(found.read.size(), 7u);
  EXPECT_EQ(found.unread, (std::vector<std::string>{"That is all"}));
  EXPECT_EQ(found.read[1].of.size(), 2u);
  EXPECT_TRUE(found.read[1].denied);
  EXPECT_EQ(found.read[2].relation, "=");
  for (const std::size_t i : {3u, 4u, 5u}) EXPECT_TRUE(found.read[i].denied) << found.read[i].source;
  EXPECT_EQ(found.read[6].left.of[0][0].text, "a; b");
}

TEST(StatementParser, LeavesWhatIsNone) {
  for (const char* line :
       {"siren", "start(siren)", "start() = 3", "heard()", "heard(siren", "before(siren)", "begin(siren) = 2", "= 3",
        "nth(siren; third)", "count(dog bark) = twoish", "silent(1)", "start(siren) = (4", "1 = 1 =", "heard(siren) and more"})
    EXPECT_TRUE(parse_statements(line).read.empty()) << line;
  EXPECT_TRUE(parse_statements(std::string(100'000, '(')).read.empty());
  std::string deep = "1 = ";
  for (int i = 0; i < 400; ++i) deep += "(1+";
  EXPECT_TRUE(parse_statements(deep + "1" + std::string(400, ')')).read.empty());
}

TEST(StatementParser, MutatedAnswers) {
  const std::string good =
      "start(dog bark #2 @1) - end(siren) ~ 2.5\nnot overlap(any; each dog bark)\nsays(man 2; \"to the fire\")\n"
      "order(dog bark; siren|bell; speech)\nwithin(bell; 2; 4)\ncount(speech) * 2 >= (3 + 1) / 2\nanswer(b)\n";
  const std::string bits[] = {"(", ")",    ";",     "\"", "#",    "@",  "|",  "=",
                              "~", "not ", "each ", "-1", "\xff", "e9", "\n", "9999999999999"};
  Random random(11);
  const Sample sample = scene();
  const StatementJudge judge(sample, nullptr);
  int taken = 0;
  for (int i = 0; i < 10'000; ++i) {
    std::string text = good;
    for (int k = random.between(1, 8); k > 0 && !text.empty(); --k) {
      const std::size_t at = random.below(static_cast<std::uint32_t>(text.size()));
      if (random.chance(0.5)) {
        text.erase(at, static_cast<std::size_t>(random.between(1, 12)));
      } else {
        text.insert(at, bits[random.below(std::size(bits))]);
      }
    }
    for (const Statement& s : parse_statements(text).read) {
      judge.judge(s);
      ++taken;
    }
  }
  EXPECT_GT(taken, 20'000);
}

}  // namespace
}  // namespace areason::claims
