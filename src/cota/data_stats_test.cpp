#include "cota/data_stats.h"

#include <gtest/gtest.h>

#include "audio/write.h"
#include "base/files.h"
#include "base/json.h"
#include "base/testing.h"

namespace areason {
namespace {

Sample sample(const std::string& set, const std::string& letter, int words) {
  Sample s;
  s.id = set + letter + std::to_string(words);
  s.source.set = set;
  s.domain = "sound";
  s.task = "complex_audio";
  s.kind = "complex-background";
  s.question = "Which one? (a) x (b) y";
  s.choices = {"x", "y"};
  s.answer_letter = letter;
  s.answer_text = letter == "a" ? "x" : "y";
  s.teacher = "oracle";
  for (int i = 0; i < words; ++i) s.sections[Section::kReasoning] += "word ";
  s.sections[Section::kResponse] = "It is <x> & y.";
  return s;
}

TEST(DataStatistics, CountsAndMeasures) {
  const std::string folder = scratch_path("stats");
  make_directories(folder);
  write_flac(folder + "/a.flac", {std::vector<float>(32000, 0.1F), 16000});
  write_file_atomic(folder + "/broken.flac", "no sound");
  DataStatistics statistics([](const std::string& text) { return text.size(); });
  for (const int words : {10, 20, 60}) {
    Sample s = sample("complex_audio", "a", words);
    s.audio = {"a.flac"};
    statistics.add(s, folder);
  }
  Sample broken = sample("own <set>", "b", 5);
  broken.audio = {"broken.flac", "missing.flac"};
  statistics.add(broken, folder);
  const auto sets = statistics.sets();
  ASSERT_EQ(sets.size(), 2u);
  EXPECT_EQ(sets[0]->name, "complex_audio");
  EXPECT_TRUE(sets[0]->synthetic);
  EXPECT_EQ(sets[0]->skill, "Complex Audio QA");
  EXPECT_EQ(sets[0]->clips, 1u);  // three samples about one clip
  EXPECT_NEAR(sets[0]->seconds.mean(), 2.0, 1e-6);
  EXPECT_EQ(sets[1]->unread_clips, 2u);
  const Measure& words = sets[0]->section_words[static_cast<std::size_t>(Section::kReasoning)];
  EXPECT_EQ(words.least(), 10);
  EXPECT_EQ(words.most(), 60);
  EXPECT_EQ(words.mean(), 30);
  EXPECT_EQ(words.median(), 20);
  EXPECT_EQ(sets[0]->chain_words.median(), 20 + 5);
  EXPECT_GT(sets[0]->chain_tokens.least(), 60);

  const Json json = statistics_json(statistics);
  EXPECT_EQ(json["samples"], 4);
  EXPECT_EQ(json["sets"][0]["words"]["chain"]["max"], 65);
  EXPECT_EQ(json["tasks"]["complex_audio"], 4);
  EXPECT_NE(statistics_text(statistics).find("20.0, 2.06"), std::string::npos);  // the paper's row beside ours
  const std::string html = statistics_html(statistics);
  EXPECT_NE(html.find("own &lt;set&gt;"), std::string::npos);
  for (const char* outside : {"<set>", "<script", "http:", "https:", "src="})
    EXPECT_EQ(html.find(outside), std::string::npos) << outside;
}

TEST(DataStatistics, LettersAreCalledSkewedWhenTheyAre) {
  DataStatistics even, odd;
  for (int i = 0; i < 200; ++i) {
    even.add(sample("s", i % 2 == 0 ? "a" : "b", i), ".");
    odd.add(sample("s", i % 4 == 0 ? "a" : "b", i), ".");
  }
  ASSERT_EQ(even.letters().size(), 1u);
  EXPECT_EQ(even.letters()[0].counts, (std::vector<std::size_t>{100, 100}));
  EXPECT_NEAR(even.letters()[0].p, 1, 1e-9);
  EXPECT_FALSE(even.letters()[0].skewed());
  EXPECT_NEAR(odd.letters()[0].chi_square, 50, 1e-9);  // (50-100)^2/100 + (150-100)^2/100
  EXPECT_TRUE(odd.letters()[0].skewed());
}

TEST(DataStatistics, NothingIsNoTrouble) {
  const DataStatistics none;
  EXPECT_FALSE(statistics_text(none).empty());
  EXPECT_NE(statistics_html(none).find("</html>"), std::string::npos);
  EXPECT_EQ(statistics_json(none)["samples"], 0);
}

}  // namespace
}  // namespace areason
