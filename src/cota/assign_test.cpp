// Whole assignments and drills over a random world: every kind is asked, and every chain agrees with its caption.
#include "cota/assign.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "cota/check.h"
#include "cota/drills.h"
#include "cota/kinds.h"
#include "cota/quality.h"
#include "cota/scene_testing.h"

namespace areason {
namespace {

// assign_* throw when a sample contradicts itself (sample_problems), so this is the gold check of every kind.
TEST(Assign, TrainingAsksEveryKindAndAgreesWithItself) {
  const auto clips = random_clips(150);
  const auto samples = assign_training(pointers(clips), {});
  std::map<std::string, int> by_kind, letters;
  std::set<std::string> ids;
  for (const Sample& s : samples) {
    ++by_kind[s.kind];
    if (s.choices.size() == 4 && !s.answer_letter.empty()) ++letters[s.answer_letter];
    EXPECT_TRUE(ids.insert(s.id).second) << s.id;
    EXPECT_EQ(s.sections[Section::kCaption], s.caption);
    EXPECT_TRUE(sample_problems(s).empty());
  }
  for (const Kind& kind : kinds()) {
    if (kind.name != "look-up") {
      EXPECT_GT(by_kind[std::string(kind.name)], 0) << kind.name;
    }
  }
  int all = 0;
  for (const auto& [letter, count] : letters) all += count;
  // Letters are uniform: with n draws the share of each is within 4 standard deviations of 1/4.
  for (const auto& [letter, count] : letters) EXPECT_NEAR(count, 0.25 * all, 4 * std::sqrt(0.1875 * all)) << letter;
  EXPECT_GT(samples.size(), 3.5 * static_cast<double>(clips.size()));
}

// As `data stats` counts them: two kinds may share a wording ("Which language is spoken?", with options and without), and "how
// fast the beats follow" gives "fast" away.
TEST(Assign, TrainingAsksNothingTwiceAndPlanningGivesNothingAway) {
  const auto clips = random_clips(150);
  QualityReport quality;
  std::map<std::string, int> tempo;
  for (const Sample& s : assign_training(pointers(clips), {})) {
    quality.add(s);
    if (s.kind == "music-tempo") ++tempo[s.answer_text];
  }
  EXPECT_EQ(quality.near_duplicates(), 0) << quality.text();
  EXPECT_EQ(quality.planning_leaks(), 0);
  EXPECT_GT(tempo["fast"], 0) << "another wording, not another answer";
}

TEST(Drills, AgreeWithThemselvesAndDependOnTheSeedOnly) {
  const auto clips = random_clips(30);
  std::vector<const Scene*> scenes;
  for (const Clip& clip : clips) scenes.push_back(&clip.scene);
  const Material material = collect_material(scenes);
  const auto drills = make_drills(material, 600, 7);
  ASSERT_EQ(drills.size(), 600u);
  std::map<std::string, int> letters;
  std::set<std::string> kinds_drilled;
  for (const Sample& s : drills) {
    EXPECT_TRUE(s.audio.empty());
    EXPECT_TRUE(sample_problems(s).empty()) << sample_problems(s)[0];
    EXPECT_EQ((s.turns.empty() ? s.question : s.turns[0].question).find(s.caption + " "), 0u);
    ++letters[s.answer_letter];
    kinds_drilled.insert(s.kind);
  }
  EXPECT_EQ(letters.size(), 5u);  // a to d, and none
  for (const char* kind :
       {"look-up", "sound-order", "sound-before", "sound-count", "turn-after", "pair-same", "speech-who", "mixed-during"})
    EXPECT_TRUE(kinds_drilled.contains(kind)) << kind;
  EXPECT_EQ(sample_to_json(make_drills(material, 200, 7)[199]), sample_to_json(drills[199]));
  EXPECT_NE(sample_to_json(make_drills(material, 1, 8)[0]), sample_to_json(drills[0]));
}

TEST(Assign, TheSameClipsGiveTheSameCaptionForEveryQuestion) {
  const auto clips = random_clips(5);
  std::map<std::vector<std::string>, std::string> captions;
  for (const Sample& s : assign_training(pointers(clips), {})) {
    const auto [it, first] = captions.try_emplace(s.audio, s.caption);
    EXPECT_EQ(it->second, s.caption);
  }
}

TEST(Assign, TestIsBalancedAndCounted) {
  const auto clips = random_clips(250);
  AssignOptions options;
  options.test_per_kind = 20;
  const TestAssignment test = assign_test(pointers(clips), options);
  std::map<std::string, std::map<std::string, int>> answers;
  std::map<std::string, int> items;
  for (const Sample& s : test.samples) {
    ++items[s.kind];
    if (find_kind(s.kind).form == AnswerForm::kYesNo) ++answers[s.kind][s.answer_text];
  }
  for (const Kind& kind : kinds()) {
    const std::string name(kind.name);
    EXPECT_EQ(items[name], kind.tested == Tested::kYes ? 20 - (test.missing.contains(name) ? test.missing.at(name) : 0) : 0)
        << name;
  }
  EXPECT_TRUE(test.missing.empty()) << test.missing.begin()->first;
  for (const auto& [kind, counts] : answers) EXPECT_EQ(counts.at("yes"), 10) << kind;
}

}  // namespace
}  // namespace areason
