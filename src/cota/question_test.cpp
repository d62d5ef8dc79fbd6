// Questions about scenes built by hand: the answers are those of the timeline, and no other option is true too.
#include "cota/question.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>

#include "base/random.h"
#include "cota/scene_testing.h"

namespace areason {
namespace {

TEST(Pieces, FillAndLists) {
  EXPECT_EQ(fill("the {x} and the {y}, {x}", {"a {x}", "b"}), "the a {x} and the b, a {x}");  // values are not filled again
  EXPECT_EQ(list_words({"a"}), "a");
  EXPECT_EQ(list_words({"a", "b", "c"}), "a, b and c");
}

Draft make(const std::string& kind, const Scene& scene, Random& random) {
  for (const NamedMaker& maker : question_makers()) {
    if (maker.kind != kind) continue;
    const auto draft = maker.make(listen(scene), collect_material({&scene}), random);
    if (draft) return *draft;
  }
  return {};
}

TEST(SoundQuestions, AnswersAreThoseOfTheTimeline) {
  const Scene s =
      scene_of(SceneType::kSound, {sound("dog bark", 0.5, 1.5), sound("thunder", 2.0, 5.0), sound("bell", 4.0, 4.6)}, 6);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    EXPECT_EQ(make("sound-first", s, random).answer, "dog bark");
    EXPECT_EQ(make("sound-last", s, random).answer, "");  // the thunder ends after the bell
    EXPECT_EQ(make("sound-order", s, random).answer, "dog bark, thunder, bell");
    const Draft overlap = make("sound-overlap", s, random);
    if (overlap.answer == "yes") {
      EXPECT_NE(overlap.question.find("thunder"), std::string::npos);
      EXPECT_NE(overlap.question.find("bell"), std::string::npos);
    }
    const Draft longer = make("sound-longer", s, random);
    EXPECT_NE(longer.answer, "bell");
    if (longer.question.find("thunder") != std::string::npos) {
      EXPECT_EQ(longer.answer, "thunder");
    }
    const Draft after = make("sound-after", s, random);
    EXPECT_EQ(after.answer, after.question.find("dog bark") != std::string::npos ? "thunder" : "bell");
  }
}

TEST(SoundQuestions, NoOptionIsAlsoTrue) {
  const Scene s = scene_of(SceneType::kSound, {sound("road traffic", 0.5, 1.5), sound("thunder", 2.0, 3.0)}, 4);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random random(seed);
    const Draft d = make("sound-name", s, random);
    ASSERT_EQ(d.choices.size(), 4u);
    EXPECT_EQ(std::set<std::string>(d.choices.begin(), d.choices.end()).size(), 4u);
    int heard = 0;
    for (const std::string& choice : d.choices) {
      heard += choice == "road traffic" || choice == "thunder" ? 1 : 0;
      EXPECT_NE(choice, "car horn");  // a recording of traffic may hold one
    }
    EXPECT_EQ(heard, 1);
    const Draft presence = make("sound-presence", s, random);
    const bool there =
        presence.question.find("road traffic") != std::string::npos || presence.question.find("thunder") != std::string::npos;
    EXPECT_EQ(presence.answer, there ? "yes" : "no") << presence.question;
  }
}

TEST(SoundQuestions, Counting) {
  const Scene s = scene_of(SceneType::kSound, {sound("bell", 0.5, 1), sound("bell", 2, 2.5), sound("thunder", 3, 4)}, 5);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    const Draft d = make("sound-count", s, random);
    const bool bell = d.question.find("bell") != std::string::npos, thunder = d.question.find("thunder") != std::string::npos;
    EXPECT_EQ(d.answer, bell ? "2" : thunder ? "1" : "3") << d.question;
  }
}

TEST(SpeechQuestions, DigitsWordsAndVoices) {
  const Scene s = scene_of(SceneType::kSpeech, {speech("v", "woman", "anna lives in room three seven one", 0.5, 3)}, 4);
  Random random(3);
  EXPECT_EQ(make("speech-digits", s, random).answer, "3 7 1");
  EXPECT_EQ(make("speech-word", s, random).answer, "anna");
  EXPECT_EQ(make("speech-gender", s, random).answer, "woman");
  const Scene split = scene_of(SceneType::kSpeech, {speech("v", "woman", "tom sees two apples and one ball", 0.5, 3)}, 4);
  EXPECT_EQ(make("speech-digits", split, random).answer, "");  // not one number
}

TEST(PairQuestions, SameAndMore) {
  const Scene a = scene_of(SceneType::kSound, {sound("bell", 0.5, 1), sound("bell", 2, 2.5)}, 3);
  const Scene b = scene_of(SceneType::kSound, {sound("bell", 0.5, 1)}, 2);
  for (const NamedMaker& maker : question_makers()) {
    Random random(1);
    const auto draft = maker.make(listen_pair(a, b), collect_material({&a, &b}), random);
    if (maker.kind == "pair-same") {
      EXPECT_EQ(draft->answer, "yes");
    }
    if (maker.kind == "pair-more") {
      EXPECT_EQ(draft->answer, "audio 1");
    }
    if (maker.kind == "pair-where") {
      EXPECT_FALSE(draft.has_value());
    }
    if (maker.kind.starts_with("sound-")) {
      EXPECT_FALSE(draft.has_value());
    }
  }
}

}  // namespace
}  // namespace areason
