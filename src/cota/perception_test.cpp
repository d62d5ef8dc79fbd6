// What is heard in scenes built by hand, and how a caption says it.
#include "cota/perception.h"

#include <gtest/gtest.h>

#include "cota/question.h"
#include "cota/scene_testing.h"

namespace areason {
namespace {

TEST(Perception, CaptionOfSounds) {
  const Scene s = scene_of(SceneType::kSound, {sound("dog bark", 0.6, 1.4), sound("thunder", 2.9, 4.3)}, 5);
  EXPECT_EQ(perceive(s).caption, "0.5 to 1.5 s: dog bark. 3.0 to 4.5 s: thunder.");
  EXPECT_EQ(half_seconds(0), "0.0");
  EXPECT_EQ(half_seconds(25), "12.5");
}

TEST(Perception, NothingLastsNoTime) {
  const Scene s = scene_of(SceneType::kSound, {sound("bell", 1.0, 1.1)}, 2);
  EXPECT_EQ(perceive(s).caption, "1.0 to 1.5 s: bell.");
}

TEST(Perception, CaptionOfSpeech) {
  const Scene s = scene_of(SceneType::kDialogue,
                           {speech("v1", "woman", "where is the ball", 0.5, 1.5), speech("v2", "man", "in the park", 2, 3),
                            speech("v1", "woman", "", 3.5, 4)},
                           5);
  EXPECT_EQ(perceive(s).caption,
            "0.5 to 1.5 s: speaker 1, a woman, in English, says \"where is the ball\". 2.0 to 3.0 s: speaker 2, a man, in "
            "English, says "
            "\"in the park\". 3.5 to 4.0 s: speaker 1, a woman, in English.");
  EXPECT_EQ(perceive(s).speakers, 2);
}

TEST(Perception, AVoiceOfKnownMannerIsCalledByItAndItsPlace) {
  auto a = speech("v1", "woman", "yes", 0, 1), b = speech("v2", "man", "no", 1.5, 2.5), c = speech("v1", "woman", "yes", 3, 4);
  a.manner = c.manner = "squeaky", b.manner = "lilting";
  EXPECT_EQ(perceive(scene_of(SceneType::kDialogue, {a, b, c}, 4)).caption,
            "0.0 to 1.0 s: a woman, squeaky one, in English, says \"yes\". 1.5 to 2.5 s: a man, lilting two, in English, says "
            "\"no\". 3.0 to 4.0 s: a woman, squeaky one, in English, says \"yes\".");
  // The paper's sets number their speakers.
  for (Event* e : {&a, &b, &c}) e->detail.emplace();
  EXPECT_NE(perceive(scene_of(SceneType::kDialogue, {a, b, c}, 4)).caption.find("speaker 2, a man, in English"),
            std::string::npos);
}

TEST(Perception, PhrasesOfUnknownWordsAreJoined) {
  auto a = speech("v", "", "", 0, 1), b = speech("v", "", "", 1.5, 3);
  a.language = b.language = "French";
  EXPECT_EQ(perceive(scene_of(SceneType::kLanguage, {a, b}, 4)).caption, "0.0 to 3.0 s: speaker 1, in French.");
}

TEST(Perception, WindowsOfALongClip) {
  const Scene s = scene_of(SceneType::kLong, {sound("bell", 5, 6), sound("train", 29, 32), sound("thunder", 35, 36)}, 40);
  const Listening l = listen(s);
  EXPECT_EQ(l.form, ListeningForm::kLong);
  EXPECT_EQ(l.caption(),
            "Audio 1: 5.0 to 6.0 s: bell. 29.0 to 30.0 s: train. Audio 2: 0.0 to 2.0 s: train. 5.0 to 6.0 s: thunder.");
  EXPECT_TRUE(l.audios[0].heard[1].cut);
  EXPECT_FALSE(l.audios[0].heard[0].cut);
}

TEST(Perception, OnlyShortPlainEnglishIsQuoted) {
  Event e = speech("v", "man", "Anna buys  the red ball!", 0, 1);
  EXPECT_EQ(quotable_text(e), "anna buys the red ball");
  e.language = "German";
  EXPECT_EQ(quotable_text(e), "");
  e = speech("v", "man", "one two three four five six seven eight nine ten", 0, 1);
  EXPECT_EQ(quotable_text(e), "");
  e = speech("v", "man", "caf\xc3\xa9", 0, 1);
  EXPECT_EQ(quotable_text(e), "");
}

}  // namespace
}  // namespace areason
