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
