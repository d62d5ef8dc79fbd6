#pragma once
// The paper's tables 4 to 8 as printed, with known errors of their columns marked, beside the same figures of our runs. Called
// by `eval report`. Tables are a value that three writers print: text, Markdown, JSON; report_html.h writes the page. The
// paper's rows: paper_tables.json. Errors: Error(kInput) for a folder without runs. Thread rule: values and free functions.
#include <optional>
#include <string>
#include <vector>

#include "eval/run.h"

namespace areason {

struct ReportCell {
  std::optional<double> value;
  std::optional<Interval> interval;  // 95 %, ours only
  long n = 0;                        // ours only
  int mark = 0;                      // number of the note that says what is wrong with it
};
struct ReportRow {
  std::string model;
  bool ours = false;
  std::vector<ReportCell> cells;
};
struct ReportTable {
  int number = 0;  // 0: not one of the paper's
  std::string benchmark, title, unit;
  std::vector<std::string> columns;
  std::vector<ReportRow> rows;
  std::vector<std::string> marks;  // notes by number, from 1
  std::vector<std::string> notes;
};

// A run with its score, as the report needs it.
struct ReportRun {
  std::string name;   // the folder's last part
  std::string model;  // "nano, prompt ours, 1200 items"
  EvalRun run;
  BenchmarkScore score;
};

struct ReportOptions {
  std::vector<std::string> folders;  // runs, or folders that hold runs
  ScoreStage stage = ScoreStage::kMapped;
  BootstrapOptions bootstrap;
};
// Reads and scores every run that is found.
std::vector<ReportRun> collect_runs(const ReportOptions& options);
// The five tables, and MMAR's where there is a run of it; each run is a row of its benchmark's.
std::vector<ReportTable> report_tables(const std::vector<ReportRun>& runs);

// "Table 4: MMAU-mini, accuracy (%)"
std::string table_heading(const ReportTable& table);
std::string tables_to_text(const std::vector<ReportTable>& tables);
std::string tables_to_markdown(const std::vector<ReportTable>& tables);
Json tables_to_json(const std::vector<ReportTable>& tables, const std::vector<ReportRun>& runs);

}  // namespace areason
