// Scoring whole files: hostile inputs end in named counts, stages and statistics are what they say.
#include "eval/score.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/testing.h"
#include "eval/compare.h"
#include "eval/functions.h"

namespace areason {
namespace {

class ScoreFiles : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) { return scratch_.put(name, text); }
  BenchmarkScore score(const std::string& benchmark, const std::string& text, ScoreStage stage = ScoreStage::kRaw) {
    PredictionFiles files;
    files.paths = {write("predictions.jsonl", text)};
    files.reply_keys = reply_keys(benchmark);
    files.limits.bytes = 1 << 20;
    files.data = data_;
    ScoreOptions options;
    options.benchmark = benchmark;
    options.stage = stage;
    return score_files(files, options);
  }
  const ScratchDir scratch_;
  std::string data_;
};

Json mmau_item(const std::string& id, const std::string& reply) {
  return {{"id", id},
          {"task", "sound"},
          {"difficulty", "easy"},
          {"sub-category", "X"},
          {"question", "Who?"},
          {"answer", "Man"},
          {"choices", {"Man", "Woman", "Child"}},
          {"model_output", reply}};
}
std::string lines(const std::vector<Json>& items) {
  std::string out;
  for (const Json& item : items) out += dump_json(item) + "\n";
  return out;
}

TEST_F(ScoreFiles, AnArrayAndLinesAreTheSame) {
  const Json items = Json::array({mmau_item("a", "man"), mmau_item("b", "{\"[\\\" Woman")});
  const BenchmarkScore from_array = score("mmau", "\xEF\xBB\xBF " + dump_json(items, 2) + "\n");
  const BenchmarkScore from_lines = score("mmau", lines({items[0], items[1]}));
  EXPECT_EQ(from_array.official.out, from_lines.official.out);
  EXPECT_EQ(from_array.samples.size(), 2u);
  EXPECT_DOUBLE_EQ(from_array.figures[0].value, 50);
  EXPECT_TRUE(from_array.official_stop.empty());
}

TEST_F(ScoreFiles, HostileLinesAreCountedByName) {
  std::string text = lines({mmau_item("a", "man")});
  text += "{\"id\": \"torn\n[]\n3\n{\"id\": \"deep\", \"x\": " + std::string(5000, '[') + std::string(5000, ']') + "}\n";
  text += "{\"id\": \"long\", \"model_output\": \"" + std::string(2 << 20, 'x') + "\"}\n";
  text += "{\"id\": \"wide\", \"x\": [" + std::string(500000, ',') + "]}\n";
  text += lines({mmau_item("a", "woman"), mmau_item("z", "man")});
  text +=
      "{\"id\": \"bytes\", \"task\": \"sound\", \"difficulty\": \"easy\", \"answer\": \"Man\", \"choices\": [\"Man\"], "
      "\"model_output\": \"man \xff\"}";
  const BenchmarkScore s = score("mmau", text);
  for (const char* name : {"malformed_json", "record_too_complex", "record_too_long", "duplicate_id", "invalid_utf8"})
    EXPECT_GE(s.counts.of(name), 1) << name;
  EXPECT_EQ(s.counts.of("not_an_object"), 2);
  EXPECT_EQ(s.counts.of("record_too_complex"), 2);
  EXPECT_EQ(s.samples.size(), 3u);
  EXPECT_DOUBLE_EQ(s.figures[0].value, 100);
}

TEST_F(ScoreFiles, ABrokenArrayEndsEarly) {
  const BenchmarkScore s = score("mmau", "[" + dump_json(mmau_item("a", "man")) + ", {\"id\": ");
  EXPECT_EQ(s.counts.of("file_ends_early"), 1);
  EXPECT_EQ(s.samples.size(), 1u);
  EXPECT_EQ(score("mmau", "[] tail").counts.of("text_after_array"), 1);
  EXPECT_EQ(score("mmau", "").official.last_error, "ZeroDivisionError: division by zero");
}

TEST_F(ScoreFiles, TypeTrapsOfTheReleasedFiles) {
  Json as_string = mmau_item("string", "man"), five = mmau_item("five", "(E) five"), eight = mmau_item("eight", "h");
  as_string["choices"] = R"(["Man","Woman"])";
  five["choices"] = {"one", "two", "three", "four", "five"};
  five["answer"] = "five";
  eight["choices"] = {"1", "2", "3", "4", "5", "6", "7", "8"};
  eight["answer"] = "8";
  Json listed = mmau_item("listed", "man"), null_reply = mmau_item("null", ""), number = mmau_item("number", "");
  listed["task"] = {"sound"};
  listed["model_output"] = {"man"};
  null_reply["model_output"] = nullptr;
  number["model_output"] = 3;
  Json no_gold = mmau_item("gold", "man"), bad_choices = mmau_item("choices", "man"), odd = mmau_item("odd", "man");
  no_gold["answer"] = nullptr;
  bad_choices["choices"] = "Man, Woman";
  odd["task"] = "smell";
  Json without = mmau_item("without", "");
  without.erase("model_output");
  const BenchmarkScore s =
      score("mmau", lines({as_string, five, eight, listed, null_reply, number, no_gold, bad_choices, odd, without}),
            ScoreStage::kMapped);
  for (const char* name : {"choices_as_json_string", "5_choices", "8_choices", "null_reply", "reply_not_text", "bad_gold",
                           "bad_choices", "unknown_task", "missing_reply"})
    EXPECT_EQ(s.counts.of(name), 1) << name;
  EXPECT_EQ(s.counts.of("list_typed_field"), 2);
  EXPECT_EQ(s.samples.size(), 10u);
  EXPECT_EQ(s.figures[0].n, 5);  // without missing and invalid ones
  EXPECT_DOUBLE_EQ(s.figures[0].value, 100);
  EXPECT_EQ(s.figures[1].n, 8);
  EXPECT_NE(s.official_stop, "");
}

TEST_F(ScoreFiles, StagesSayWhatTheWordingCosts) {
  const std::string chain = "<THINK>\n<PLANNING>\nMan or woman?</PLANNING>\n</THINK>\n<RESPONSE>\nThe answer is A.</RESPONSE>";
  const std::string text = lines({mmau_item("a", chain), mmau_item("b", "The answer is (a)."), mmau_item("c", "Man")});
  const BenchmarkScore raw = score("mmau", text);
  EXPECT_NEAR(raw.figures[0].value, 100.0 / 3, 1e-9);
  EXPECT_NEAR(raw.stages[1].value, 100.0 / 3, 1e-9);
  EXPECT_DOUBLE_EQ(raw.stages[2].value, 100);
  EXPECT_EQ(raw.counts.of("response_closed"), 1);
  EXPECT_EQ(raw.counts.of("chain_incomplete"), 1);
  EXPECT_EQ(raw.counts.of("mapped_by_letter"), 2);
  EXPECT_FALSE(raw.warnings.empty());
  const BenchmarkScore mapped = score("mmau", text, ScoreStage::kMapped);
  EXPECT_DOUBLE_EQ(mapped.figures[0].value, 100);
  EXPECT_NE(mapped.official.out.find("Total Accuracy: 100.00% over 3 samples"), std::string::npos);
}

TEST_F(ScoreFiles, DataIsJoinedById) {
  Json a = mmau_item("a", ""), b = mmau_item("b", "");
  a.erase("model_output");
  b.erase("model_output");
  data_ = write("data.json", dump_json(Json::array({a, b})));
  const BenchmarkScore s =
      score("mmau", "{\"id\": \"a\", \"response\": \"man\"}\n{\"id\": \"nobody\", \"response\": \"man\"}\n");
  EXPECT_EQ(s.counts.of("id_not_in_data"), 1);
  EXPECT_EQ(s.counts.of("no_prediction"), 1);
  EXPECT_DOUBLE_EQ(s.figures[0].value, 100);
  EXPECT_DOUBLE_EQ(s.figures[1].value, 50);  // the missing one is wrong
}

TEST_F(ScoreFiles, MeldsAndCovostsOwnTablesAreData) {
  data_ = write("test_sent_emo.csv", "Utterance,Emotion,Dialogue_ID,Utterance_ID\r\n\"a, b\",joy,0,1\r\ny,fear,0,2\r\nodd\r\n");
  const BenchmarkScore meld = score("meld", "{\"id\": \"dia0_utt1\", \"response\": \"joy\"}\n");
  EXPECT_EQ(meld.counts.of("no_prediction"), 1);
  EXPECT_EQ(meld.counts.of("bad_row"), 1);
  EXPECT_EQ(meld.counts.of("missing_audio"), 0) << "nothing is listened to";
  EXPECT_EQ(meld.samples.size(), 2u);
  data_ = write("covost_v2.zh-CN_en.test.tsv", "path\tsentence\ttranslation\tclient_id\na.mp3\t好\tThis is good.\tme\n");
  const BenchmarkScore covost = score("covost2", "{\"id\": \"covost_zh_en_test/a.mp3\", \"response\": \"This is good.\"}\n");
  EXPECT_NEAR(covost.figures[0].value, 100, 1e-6);
}

// Python's own object model, where files are odd: values of tools/fuzz_scripts.py's runs of the scripts.
TEST(Scripts, EndAsPythonEndsThem) {
  const auto last = [](const char* function, const char* key, const Json& items) {
    return eval_function({{"function", function}, {key, items}})["stderr_last"].get<std::string>();
  };
  const Json item = mmau_item("a", "man");
  const auto changed = [&](const char* key, const Json& value) {
    Json out = item;
    out[key] = value;
    return Json::array({out});
  };
  EXPECT_EQ(last("mmau_aggregate", "items", {3}), "TypeError: argument of type 'int' is not iterable");
  EXPECT_EQ(last("mmau_aggregate", "items", {{"model_output"}}), "TypeError: list indices must be integers or slices, not str");
  EXPECT_EQ(last("mmau_aggregate", "items", {"no item"}), "ZeroDivisionError: division by zero");
  EXPECT_EQ(last("mmau_aggregate", "items", changed("choices", 7)), "TypeError: 'int' object is not iterable");
  EXPECT_EQ(last("mmau_aggregate", "items", changed("task", {"sound"})), "TypeError: unhashable type: 'list'");
  EXPECT_EQ(last("mmau_aggregate", "items", changed("task", "a\u200b'")), "KeyError: \"a\\u200b'\"");
  EXPECT_EQ(last("mmau_aggregate", "items", changed("choices", {{"Man", 1}, {"Woman", 2}})), "") << "a dict is its keys";
  const Json empty_name = eval_function({{"function", "mmau_aggregate"}, {"items", changed("sub-category", "")}});
  EXPECT_NE(empty_name["stdout"].get<std::string>().find("\n : 100.00% over 1 samples\n"), std::string::npos);
  const Json line = {{"task_name", {"x"}}, {"dataset_name", "y"}, {"response", "A"}};
  EXPECT_EQ(last("airbench_foundation_aggregate", "lines", Json::array({line})),
            "TypeError: can only concatenate list (not \"str\") to list");
  EXPECT_EQ(last("airbench_foundation_aggregate", "lines", {{{"task_name", "x"}, {"dataset_name", "y"}, {"response", "A"}}}),
            "KeyError: 'answer_gt'");
  EXPECT_EQ(last("airbench_chat_aggregate", "items", {1.5}), "TypeError: 'float' object is not subscriptable");
}

TEST_F(ScoreFiles, FoundationHasAnHonestDenominator) {
  std::vector<Json> items;
  for (const char* reply : {"C", "A", "c", "The answer is C"})
    items.push_back({{"task_name", "Sound_AQA"},
                     {"dataset_name", "avqa"},
                     {"choice_a", "x"},
                     {"choice_b", "y"},
                     {"choice_c", "z"},
                     {"answer_gt", "z"},
                     {"response", reply},
                     {"uniq_id", items.size()}});
  items.push_back(items[0]);  // the same uniq_id
  const BenchmarkScore s = score("airbench-foundation", lines(items));
  EXPECT_NE(s.official.out.find("Sound_AQA_avqa: Sum=2, correct=1, acc=0.5\ntotal_sum: 2\nfail_num: 2\n"), std::string::npos);
  EXPECT_DOUBLE_EQ(s.figures[0].value, 50);
  EXPECT_DOUBLE_EQ(s.figures[1].value, 25);
  EXPECT_DOUBLE_EQ(s.stages[2].value, 75);
  EXPECT_EQ(s.counts.of("duplicate_id"), 1);
}

TEST_F(ScoreFiles, ChatIsTheMeanOfBothOrders) {
  const auto item = [](const char* task, const char* plain, const char* swapped) {
    return Json{{"task_name", task}, {"gpt-score", plain}, {"gpt-score-swapped", swapped}};
  };
  const BenchmarkScore s =
      score("airbench-chat", lines({item("speech_QA", "5 7", "9 5"), item("sound_QA", "5 6", "8 8"),
                                    item("music_QA", "x", "4 5"), item("speech_and_sound_QA", "5 2", "4 5"),
                                    item("speech_and_music_QA", "nothing", "?"), item("smell_QA", "1 1", "1 1")}));
  EXPECT_DOUBLE_EQ(s.figures[1].value, 8);  // speech: 7 and 9
  EXPECT_DOUBLE_EQ(s.figures[0].value, (8 + 7 + 4 + 3) / 4.0);
  EXPECT_EQ(s.counts.of("unread_judge_reply"), 2);
  EXPECT_EQ(s.counts.of("unknown_task_name"), 1);
}

TEST_F(ScoreFiles, TranslationGoesByTheSource) {
  const BenchmarkScore s =
      score("covost2",
            lines({{{"source", "covost_en_zh_test"}, {"gt", "我喜欢吃苹果"}, {"response", "我喜欢吃苹果"}},
                   {{"source", "covost_zh_en_test"}, {"gt", "the cat is on the mat"}, {"response", "the cat sat on the mat"}},
                   {{"source", "covost_en_ja_test"}, {"gt", "x"}, {"response", "x"}},
                   {{"source", "x"}, {"gt", "x"}, {"response", "x"}}}));
  EXPECT_NE(s.official.out.find("source: covost_en_zh_test  cnt: 1 bleu score: 100.0000\n"), std::string::npos);
  EXPECT_NE(s.official.out.find("source: covost_zh_en_test  cnt: 1 bleu score: 37.9918\n"), std::string::npos);
  EXPECT_EQ(s.details["sources"]["covost_en_zh_test"]["signature"],
            "nrefs:1|case:mixed|eff:no|tok:zh|smooth:exp|version:2.6.0");
  EXPECT_EQ(s.counts.of("unsupported_tokenizer"), 1);
  EXPECT_EQ(s.counts.of("no_source"), 1);
  EXPECT_STREQ(s.figures[0].method, "bootstrap");
}

TEST_F(ScoreFiles, EmotionPrintsAllScales) {
  std::vector<Json> items;
  for (const auto& [gold, said] : {std::pair{"neutral", " neutral"}, {"joy", "joy."}, {"joy", "happy"}, {"fear", "no idea"}})
    items.push_back({{"gt", gold}, {"response", said}, {"source", "meld_test"}});
  const BenchmarkScore s = score("meld", lines(items));
  EXPECT_EQ(s.official.out, "meld_test ACC_score: 0.25 4\n");
  EXPECT_NEAR(s.figures[1].value, 100.0 / 3, 1e-9);  // recall 1, 0, 0
  EXPECT_DOUBLE_EQ(s.stages[2].value, 50);
  EXPECT_EQ(s.counts.of("named_by_a_synonym_only"), 1);
  EXPECT_EQ(s.counts.of("no_label"), 3);
}

TEST_F(ScoreFiles, RunsAreComparedItemByItem) {
  std::vector<Json> a, b;
  for (int i = 0; i < 40; ++i) {
    const std::string id = "item" + std::to_string(i);
    a.push_back(mmau_item(id, i < 20 ? "man" : "woman"));
    b.push_back(mmau_item(id, i < 32 ? "man" : "woman"));
  }
  b.push_back(mmau_item("extra", "man"));
  const Comparison c = compare_scores(score("mmau", lines(a)), score("mmau", lines(b)), {});
  EXPECT_EQ(c.common, 40);
  EXPECT_EQ(c.only_in_b, 1);
  ASSERT_FALSE(c.verdicts.empty());
  EXPECT_EQ(c.verdicts[0].only_b, 12);
  EXPECT_NEAR(c.verdicts[0].p, 2 * std::pow(0.5, 12), 1e-12);
  EXPECT_FALSE(c.metrics[0].noise);
  EXPECT_NEAR(c.metrics[0].b - c.metrics[0].a, 30, 1e-9);
  b[20] = mmau_item("item20", "woman");
  const Comparison same = compare_scores(score("mmau", lines(a)), score("mmau", lines(a)), {});
  EXPECT_TRUE(same.metrics[0].noise);
  EXPECT_FALSE(same.warnings.empty());
  EXPECT_THROW(compare_scores(score("mmau", lines(a)), score("mmau", lines({mmau_item("q", "man")})), {}), Error);
}

TEST(Statistics, WilsonMcNemarBootstrap) {
  const Interval i = wilson_interval(50, 100);  // statsmodels proportion_confint(50, 100, method="wilson")
  EXPECT_NEAR(i.low, 0.4038315, 1e-6);
  EXPECT_NEAR(i.high, 0.5961685, 1e-6);
  EXPECT_EQ(wilson_interval(0, 0).high, 1);
  EXPECT_EQ(wilson_interval(0, 100).low, 0);
  EXPECT_EQ(wilson_interval(100, 100).high, 1);
  EXPECT_NEAR(proportion_error(617, 1000), 0.015380, 1e-5);
  EXPECT_NEAR(mcnemar_exact(3, 10), 0.0922852, 1e-6);  // scipy.stats.binomtest(3, 13).pvalue
  EXPECT_EQ(mcnemar_exact(0, 0), 1);
  const auto mean = [](std::span<const std::uint32_t> picks) {
    double sum = 0;
    for (const std::uint32_t p : picks) sum += p < 500 ? 1 : 0;
    return sum / static_cast<double>(picks.size());
  };
  const Bootstrap b = bootstrap(1000, mean, {});
  EXPECT_NEAR(b.error, 0.0158, 0.002);  // sqrt(0.25 / 1000)
  EXPECT_NEAR(b.interval.low, 0.469, 0.006);
}

}  // namespace
}  // namespace areason
