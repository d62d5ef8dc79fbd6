// Released layouts and prompts.
#include "eval/items.h"

#include "base/error.h"
#include "eval/airbench_foundation.h"
#include "eval/prompts.h"
#include "eval/run_testing.h"
#include "eval/table_file.h"

namespace areason {
namespace {

class ItemsTest : public RunTest {
 protected:
  BenchmarkItems read(const std::string& benchmark, const std::string& data) {
    counts_ = Counts();
    ItemSource source;
    source.benchmark = benchmark;
    source.data = data;
    return read_items(source, counts_);
  }
  std::string asked(const std::string& benchmark, const std::string& prompt, const BenchmarkItem& item) {
    return render_prompt(find_prompt(benchmark, prompt).text, item, counts_).value_or("(none)");
  }
  Counts counts_;
};

TEST_F(ItemsTest, TablesAreReadInTheirDialects) {
  using Rows = std::vector<std::vector<std::string>>;
  EXPECT_EQ(parse_table("a,b\r\n\"x \"\"y\"\", z\",\"two\nlines\"\r\n,\r\n", kCsv),
            (Rows{{"a", "b"}, {"x \"y\", z", "two\nlines"}, {"", ""}}));
  EXPECT_EQ(parse_table("a\tb\n\"no quoting\tNA\nx\\\ty\tz\n", kCovostTsv),
            (Rows{{"a", "b"}, {"\"no quoting", "NA"}, {"x\ty", "z"}}));
  EXPECT_EQ(parse_table("a\rb,\"c\r\n\"\"\",\"d\"e\r", kCsv), (Rows{{"a\rb", "c\r\n\"", "de\r"}}));
  EXPECT_EQ(parse_table("a\\", kCovostTsv), (Rows{{"a\\"}})) << "an escape with nothing behind it";
}

TEST_F(ItemsTest, HostileRowsAreCounted) {
  std::string text = "a,b\nx,y\nonly one\n\"" + std::string(300, 'x') + "\",y\n";
  for (int i = 0; i < 60; ++i) text += "z,";
  text += "\n\xff,y\nlast,one\n";
  const std::string path = put("t.csv", text);
  RecordLimits limits;
  limits.bytes = 200;
  limits.values = 50;
  std::vector<std::string> first;
  read_table({path, kCsv, limits}, counts_, [&](TableRow&& row) { first.push_back(row["a"]); });
  EXPECT_EQ(first, (std::vector<std::string>{"x", "\xEF\xBF\xBD", "last"}));
  for (const char* name : {"bad_row", "record_too_long", "record_too_complex", "invalid_utf8"})
    EXPECT_EQ(counts_.of(name), 1) << name;
}

TEST_F(ItemsTest, MmauWithItsOddities) {
  put_clip("d/audio/a.flac");
  Json five = ItemsTest::mmau_item("five"), eight = five, text = five, lost = five, listed = five, null = five, odd = five;
  five["choices"] = {"a", "b", "c", "d", "Man"};
  eight["id"] = "eight";
  eight["choices"] = {"1", "2", "3", "4", "5", "6", "7", "8"};
  text["id"] = "text";
  text["choices"] = "[\"Man\", \"It's\"]";
  lost["id"] = "lost";
  lost["audio_id"] = "./audio/none.flac";
  listed["id"] = "listed";
  listed["question"] = {"Who speaks?"};
  null["id"] = "null";
  null["question"] = nullptr;
  odd["id"] = "odd";
  odd["audio_id"] = {{"x", 1}};
  const Json items = {five, eight, text, lost, listed, null, odd, five, 7, "x"};
  const auto data = read("mmau", (put("d/mmau-test-mini.json", dump_json(items)), file("d")));
  ASSERT_EQ(data.items.size(), 7u);
  EXPECT_EQ(counts_.of("duplicate_id_in_data"), 1);
  EXPECT_EQ(counts_.of("not_an_object"), 2);
  EXPECT_EQ(counts_.of("missing_audio"), 1);
  EXPECT_EQ(counts_.of("bad_audio_field"), 1);
  EXPECT_TRUE(data.items[0].has_audio);
  EXPECT_FALSE(data.items[3].has_audio);
  EXPECT_EQ(data.sha256.size(), 64u);
  EXPECT_EQ(asked("mmau", "official", data.items[2]),
            "Who speaks?  Select one option from the provided choices.\n['Man', \"It's\"].");
  EXPECT_EQ(asked("mmau", "ours", data.items[0]), "Who speaks? (a) a, (b) b, (c) c, (d) d, (e) Man");
  EXPECT_EQ(
      asked("mmau", "lmms-eval", data.items[4]),
      "Who speaks?\nA. Man\nB. Woman\nC. Child\nD. Robot\nAnswer with the option's letter from the given choices directly.");
  EXPECT_EQ(asked("mmau", "ours", data.items[5]), "(none)");
  EXPECT_EQ(counts_.of("no_prompt_field"), 1);
}

TEST_F(ItemsTest, FoundationIsAskedAsItsScriptDoes) {
  put_clip("Foundation/Sound_AQA_avqa/x.flac");
  put_clip("Foundation/Audio_Grounding_AudioGrounding/y.flac");
  const Json first = {{"path", "x.flac"},  {"question", "q?"},         {"choice_a", "yes"},      {"choice_b", "no"},
                      {"answer_gt", "no"}, {"task_name", "Sound_AQA"}, {"dataset_name", "avqa"}, {"uniq_id", 7}};
  Json second = first;
  second["task_name"] = "Audio_Grounding";
  second["dataset_name"] = "AudioGrounding";
  second["path"] = "y.wav";
  put("Foundation/Foundation_meta.json", dump_json(Json::array({first, second})));
  const auto data = read("airbench-foundation", dir_.path());
  ASSERT_EQ(data.items.size(), 2u);
  EXPECT_EQ(data.items[0].id, "Sound_AQA/avqa/7");
  EXPECT_TRUE(data.items[0].has_audio);
  EXPECT_TRUE(data.items[1].has_audio) << "Audio_Grounding's clips end in flac whatever the file says";
  EXPECT_EQ(asked("airbench-foundation", "official", data.items[0]), foundation_prompt(first));
}

TEST_F(ItemsTest, CovostInBothDirections) {
  put_clip("clips/a.flac");
  put_clip("zh-CN/clips/b.flac");
  put("covost_v2.en_zh-CN.test.tsv", "path\tsentence\ttranslation\tclient_id\na.mp3\tGo.\t走。\tme\nbad row\n");
  put("covost_v2.zh-CN_en.test.tsv", "path\tsentence\ttranslation\tclient_id\nb.mp3\t走。\tNA\tme\n");
  const auto data = read("covost2", dir_.path());
  ASSERT_EQ(data.items.size(), 2u);
  EXPECT_EQ(counts_.of("bad_row"), 1);
  EXPECT_EQ(data.items[0].fields["source"], "covost_en_zh_test");
  EXPECT_EQ(data.items[0].fields["gt"], "走。");
  EXPECT_EQ(data.items[1].fields["gt"], "NA");
  EXPECT_TRUE(data.items[0].has_audio && data.items[1].has_audio);
  EXPECT_EQ(asked("covost2", "official", data.items[0]), "Detect the language and translate the speech into Mandarin: <|en|>");
  EXPECT_EQ(asked("covost2", "ours", data.items[1]), "Translate the speech into English.");
}

TEST_F(ItemsTest, MeldFindsItsClips) {
  put_clip("output_repeated_splits_test/dia3_utt1.flac");
  put("test_sent_emo.csv",
      "Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime\r\n"
      "1,\"Why, \"\"no\"\"!\",Joey,surprise,positive,3,1,1,1,\"00:14:38,127\",\"00:14:40,000\"\r\n");
  const auto data = read("meld", dir_.path());
  ASSERT_EQ(data.items.size(), 1u);
  EXPECT_EQ(data.items[0].id, "dia3_utt1");
  EXPECT_EQ(data.items[0].fields["gt"], "surprise");
  EXPECT_EQ(data.items[0].fields["Utterance"], "Why, \"no\"!");
  EXPECT_TRUE(data.items[0].has_audio);
  EXPECT_NE(asked("meld", "kimi", data.items[0]).find("\n(D) anger\n"), std::string::npos);
}

TEST_F(ItemsTest, ConvertedCopiesOfMeldHaveItsLabelsToo) {
  put_clip("audio/a.flac");
  put("meld.jsonl",
      dump_json({{"id", "dia0_utt1"}, {"audio", "./audio/a.flac"}, {"gt", "joy"}, {"source", "meld_test"}}) + "\n");
  const auto data = read("meld", dir_.path());
  ASSERT_EQ(data.items.size(), 1u);
  EXPECT_TRUE(data.items[0].has_audio);
  EXPECT_EQ(asked("meld", "ours", data.items[0]).substr(0, 59), "What emotion do you hear in the voice? (a) neutral, (b) joy");
}

TEST_F(ItemsTest, WrongUseIsNamed) {
  EXPECT_THROW(read("mmau", dir_.path()), Error);
  EXPECT_THROW(read("mmau", file("nothing.json")), Error);
  EXPECT_THROW(read("mmau", put("empty.json", "[]")), Error);
  EXPECT_THROW(find_prompt("mmau", "none"), Error);
  BenchmarkItem item;
  EXPECT_THROW(render_prompt("{question", item, counts_), Error);
  EXPECT_EQ(render_prompt("a {{b}", item, counts_), "a {b}");
}

}  // namespace
}  // namespace areason
