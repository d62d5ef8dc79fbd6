// The paper's tables beside runs of our own.
#include "eval/report.h"

#include "base/error.h"
#include "eval/report_html.h"
#include "eval/run_llm.h"
#include "eval/run_testing.h"

namespace areason {
namespace {

const ReportTable& table(const std::vector<ReportTable>& tables, int number) {
  for (const ReportTable& one : tables)
    if (one.number == number) return one;
  throw Error(ErrorCode::kFailure, "no table", "");
}

TEST_F(RunTest, PaperRowsAreAsPrinted) {
  const auto tables = report_tables({});
  ASSERT_EQ(tables.size(), 5u);
  std::size_t rows = 0;
  for (const ReportTable& one : tables) {
    rows += one.rows.size();
    for (const ReportRow& row : one.rows) EXPECT_EQ(row.cells.size(), one.columns.size()) << one.number << " " << row.model;
  }
  EXPECT_EQ(rows, 12u + 12u + 9u + 3u + 4u);
  const ReportRow& ours = table(tables, 4).rows.back();
  EXPECT_EQ(ours.model, "Audio-Reasoner");
  EXPECT_DOUBLE_EQ(*ours.cells[3].value, 61.71);
  EXPECT_GT(ours.cells[3].mark, 0) << "the printed mean follows from nothing";
  EXPECT_FALSE(table(tables, 5).rows[0].cells[0].value) << "Whisper+GPT4 has no figure for sound";
  // The columns of table 7 that are means are means.
  for (const ReportRow& row : table(tables, 7).rows) {
    const double mean = (*row.cells[0].value + *row.cells[1].value + *row.cells[2].value + *row.cells[3].value) / 4;
    EXPECT_NEAR(*row.cells[4].value, mean, 0.0051) << row.model;
  }
}

TEST_F(RunTest, RunsStandBesideThePaper) {
  EvalRun run = open_run(options("mmau", put_mmau(30), "runs/mine"));
  run_baseline(run, Baseline::kMajority, 1);
  ReportOptions report;
  report.folders = {file("runs")};
  report.bootstrap.resamples = 50;
  const auto runs = collect_runs(report);
  ASSERT_EQ(runs.size(), 1u);
  const auto tables = report_tables(runs);
  const ReportRow& row = table(tables, 4).rows.back();
  ASSERT_TRUE(row.ours);
  EXPECT_FALSE(row.cells[0].value) << "no item of sound";
  EXPECT_NEAR(*row.cells[2].value, 100.0 * 20 / 30, 1e-9);
  ASSERT_TRUE(row.cells[3].interval);
  EXPECT_LT(row.cells[3].interval->low, *row.cells[3].value);
  EXPECT_NE(tables_to_text(tables).find("* mine: tester (prompt ours, n = 30, neither release of MMAU-mini)"),
            std::string::npos);
  EXPECT_NE(tables_to_markdown(tables).find(
                "| **mine: tester (prompt ours, n = 30, neither release of MMAU-mini)** | - | - | 66.67 ["),
            std::string::npos);
  const Json json = tables_to_json(tables, runs);
  EXPECT_EQ(json["tables"][0]["rows"].back()["by"], "us");
  EXPECT_EQ(json["runs"][0]["score"]["benchmark"], "mmau");
  report.folders = {file("mmau")};
  EXPECT_THROW(collect_runs(report), Error);
}

TEST_F(RunTest, MmarHasATableOfItsOwn) {
  Json items = Json::array();
  for (const char* modality : {"sound", "mix-sound-music", "mix-sound-speech"}) {
    Json item = mmau_item(modality);
    item["modality"] = modality;
    item["category"] = "Signal Layer";
    items.push_back(item);
  }
  put_clip("d/audio/a.flac");
  std::string lines;
  for (const Json& item : items) lines += dump_json(item) + "\n";
  put("d/MMAR-meta.jsonl", lines);
  EvalRun run = open_run(options("mmar", file("d"), "run"));
  run_baseline(run, Baseline::kMajority, 1);
  ReportOptions report;
  report.folders = {file("run")};
  const auto runs = collect_runs(report);
  const auto tables = report_tables(runs);
  ASSERT_EQ(tables.size(), 6u) << "beside the paper's five";
  const ReportRow& row = table(tables, 0).rows.back();
  ASSERT_TRUE(row.ours);
  EXPECT_DOUBLE_EQ(*row.cells[0].value, 100);
  EXPECT_FALSE(row.cells[1].value) << "no music";
  EXPECT_EQ(row.cells[3].n, 2) << "both mixtures";
  EXPECT_DOUBLE_EQ(*row.cells[4].value, 100);
  EXPECT_FALSE(row.cells[5].value) << "no judge has been asked";
  const std::string text = tables_to_text(tables);
  EXPECT_NE(text.find("\nMMAR, accuracy and rubric score (%)\n"), std::string::npos) << text;
  EXPECT_TRUE(tables_to_json(tables, runs)["tables"].back()["number"].is_null());
}

TEST_F(RunTest, FiguresOfEveryTableHaveIntervals) {
  put_clip("t/clips/a.flac");
  put("t/covost_v2.en_zh-CN.test.tsv",
      "path\tsentence\ttranslation\tclient_id\na.mp3\tGo home now.\t现在回家。\tme\nb.mp3\tYes.\t是。\tme\n");
  put("t/covost_v2.zh-CN_en.test.tsv", "path\tsentence\ttranslation\tclient_id\na.mp3\t走。\tPlease go home now.\tme\n");
  const EvalRun run = open_run(options("covost2", file("t"), "run"));
  {
    AnswerFile out(run.predictions);
    const std::vector<std::string> replies = {"现在回家吧。", "不是。", "Please go home again now."};
    for (std::size_t i = 0; i < 3; ++i) out.append(prediction_line(run, run.items[i], {replies[i], "stop", Json(), Json()}));
  }
  ReportOptions report;
  report.folders = {file("run")};
  const auto runs = collect_runs(report);
  const auto tables = report_tables(runs);
  const ReportRow& row = table(tables, 7).rows.back();
  for (std::size_t i = 0; i < row.cells.size(); ++i) {
    ASSERT_TRUE(row.cells[i].value && row.cells[i].interval) << i;
    EXPECT_GE(row.cells[i].interval->high, row.cells[i].interval->low);
    EXPECT_EQ(row.cells[i].n, i < 5 ? 2 : i < 10 ? 1 : 3) << i;
  }
  EXPECT_NEAR(*row.cells[10].value, (*row.cells[4].value + *row.cells[9].value) / 2, 1e-9);
}

TEST_F(RunTest, ThePageHoldsSamplesAndEscapesWhatTheySay) {
  Json item = mmau_item("a\"><script>alert(1)</script>");
  item["question"] = "Who <b>speaks</b> & why?";
  put_clip("d/audio/a.flac");
  EvalRun run = open_run(options("mmau", put("d/mmau-test-mini.json", dump_json(Json::array({item, mmau_item("b")}))), "run"));
  run_baseline(run, Baseline::kChance, 1);
  ReportOptions report;
  report.folders = {file("run")};
  const auto runs = collect_runs(report);
  const std::string page = report_to_html(report_tables(runs), runs, {});
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_NE(page.find("Who &lt;b&gt;speaks&lt;/b&gt; &amp; why?"), std::string::npos);
  EXPECT_NE(page.find("src=\"data:audio/flac;base64,"), std::string::npos);
  EXPECT_NE(page.find("<svg "), std::string::npos);
  EXPECT_EQ(page.find("http://"), std::string::npos);
  EXPECT_EQ(page.find("https://"), std::string::npos) << "nothing beside the page is needed";
  HtmlOptions linked;
  linked.embed_mib = 0;
  EXPECT_NE(report_to_html(report_tables(runs), runs, linked).find("src=\"file:///"), std::string::npos);
}

}  // namespace
}  // namespace areason
