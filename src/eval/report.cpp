#include "eval/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <initializer_list>

#include "base/error.h"
#include "eval/judge.h"
#include "eval/mmau.h"
#include "eval/paper_tables_data.h"
#include "eval/scorers.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

bool is_run(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "manifest.json", ignored);
}

void find_runs(const fs::path& folder, int depth, std::vector<std::string>& found) {
  if (is_run(folder)) return found.push_back(folder.string());
  if (depth == 0) return;
  std::error_code ignored;
  std::vector<fs::path> inside;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    if (entry.is_directory(ignored)) inside.push_back(entry.path());
  std::sort(inside.begin(), inside.end());
  for (const fs::path& path : inside) find_runs(path, depth - 1, found);
}

ReportCell cell_of(const Figure& figure) {
  ReportCell cell{figure.value, std::nullopt, figure.n, 0};
  if (*figure.method != 0) cell.interval = figure.interval;
  if (figure.n == 0) cell.value.reset();
  return cell;
}

const Figure* find_figure(const BenchmarkScore& score, const std::string& name) {
  for (const Figure& figure : score.figures)
    if (figure.name == name) return &figure;
  return nullptr;
}

ReportCell group_cell(const BenchmarkScore& score, const std::string& by, const std::string& name) {
  for (const GroupFigure& group : score.groups)
    if (group.by == by && group.name == name) return cell_of(group.figure);
  return {};
}

ReportCell named_cell(const BenchmarkScore& score, const std::string& name) {
  const Figure* figure = find_figure(score, name);
  return figure == nullptr ? ReportCell{} : cell_of(*figure);
}

std::vector<ReportCell> named_cells(const BenchmarkScore& score, std::initializer_list<const char*> names) {
  std::vector<ReportCell> cells;
  for (const char* name : names) cells.push_back(named_cell(score, name));
  return cells;
}

// The four kinds of mixtures are too small to stand alone.
ReportCell mixed_cell(const BenchmarkScore& score) {
  long right = 0, n = 0;
  for (const SampleScore& sample : score.samples) {
    if (sample.groups.empty() || !sample.groups[0].second.starts_with("mix-") || sample.outcome == "invalid") continue;
    ++n;
    right += sample.value == 1 ? 1 : 0;
  }
  return cell_of(proportion_figure("mixed", right, n));
}

std::vector<ReportCell> mmar_cells(const BenchmarkScore& score) {
  return {group_cell(score, "modality", "sound"),         group_cell(score, "modality", "music"),
          group_cell(score, "modality", "speech"),        mixed_cell(score),
          named_cell(score, "accuracy_missing_is_wrong"), named_cell(score, "rubric_score")};
}

std::vector<ReportCell> translation_cells(const BenchmarkScore& score) {
  std::vector<ReportCell> cells;
  for (const char* source : {" covost_en_zh_test", " covost_zh_en_test"})
    for (const char* column : {"p1", "p2", "p3", "p4", "p_mean"})
      cells.push_back(named_cell(score, std::string(column) + source));
  const bool both = cells[0].value && cells[5].value;
  cells.push_back(both ? named_cell(score, "p_mean") : ReportCell{});
  return cells;
}

std::vector<ReportCell> cells_of(const BenchmarkScore& score) {
  if (score.benchmark == "mmau")
    return {group_cell(score, "task", "sound"), group_cell(score, "task", "music"), group_cell(score, "task", "speech"),
            named_cell(score, "accuracy_missing_is_wrong")};
  if (score.benchmark == "mmar") return mmar_cells(score);
  if (score.benchmark == "airbench-chat") return named_cells(score, {"sound", "music", "speech", "mixed", "average"});
  if (score.benchmark == "covost2") return translation_cells(score);
  if (score.benchmark == "meld") return {named_cell(score, "accuracy")};
  return named_cells(score, {"SoundAQA", "MusicAQA", "SER", "SIC", "SNV", "Average"});
}

ReportTable paper_table(const Json& printed) {
  ReportTable table;
  table.number = printed["number"].get<int>();
  table.benchmark = printed["benchmark"].get<std::string>();
  table.title = printed["title"].get<std::string>();
  table.unit = printed["unit"].get<std::string>();
  for (const Json& column : printed["columns"]) table.columns.push_back(column.get<std::string>());
  for (const Json& note : printed["notes"]) table.notes.push_back(note.get<std::string>());
  for (const Json& line : printed["rows"]) {
    ReportRow row{line["model"].get<std::string>(), false, {}};
    for (const Json& value : line["values"]) {
      row.cells.push_back({});
      if (value.is_number()) row.cells.back().value = value.get<double>();
    }
    table.rows.push_back(std::move(row));
  }
  for (const Json& mark : printed["marks"]) {
    const auto column = std::find(table.columns.begin(), table.columns.end(), mark["column"].get<std::string>());
    const auto row = std::find_if(table.rows.begin(), table.rows.end(),
                                  [&](const ReportRow& r) { return r.model == mark["model"].get<std::string>(); });
    if (column == table.columns.end() || row == table.rows.end()) continue;
    table.marks.push_back(mark["note"].get<std::string>());
    row->cells[static_cast<std::size_t>(column - table.columns.begin())].mark = static_cast<int>(table.marks.size());
  }
  return table;
}

// Figures beside the paper's must say when they are of other data: clips of make-benchmark, or a file that is neither release.
std::string data_note(const EvalRun& run) {
  const fs::path data = run.manifest["data"].value("path", std::string());
  for (const fs::path& folder : {data, data.parent_path()})
    if (fs::exists(folder / "benchmark.json")) return ", items of eval make-benchmark, not the paper's";
  const bool unknown = run.benchmark == "mmau" && mmau_version_of_file(run.data.sha256).empty();
  return unknown ? ", neither release of MMAU-mini" : "";
}

// Says so when not all items have been answered: the figures are then of those that have, or of too few.
std::string model_label(const EvalRun& run) {
  const Json& model = run.manifest["model"];
  std::string name = model.value("name", std::string());
  if (name.empty()) name = fs::path(model.value("path", std::string("?"))).lexically_normal().filename().string();
  const std::size_t answered = read_run(run).lines.size();
  const std::string missing = answered < run.all.size() ? fmt::format(", {} answered", answered) : "";
  return fmt::format("{} (prompt {}, n = {}{}{})", name, run.manifest["prompt"].value("name", std::string("?")), run.all.size(),
                     missing, data_note(run));
}

}  // namespace

std::vector<ReportRun> collect_runs(const ReportOptions& options) {
  std::vector<std::string> found;
  for (const std::string& folder : options.folders) find_runs(folder, 3, found);
  if (found.empty())
    throw Error(ErrorCode::kInput, "no run in " + (options.folders.empty() ? "" : options.folders.front()),
                "name folders that `eval run --out` made, or one that holds them");
  std::vector<ReportRun> out;
  for (const std::string& folder : found) {
    ReportRun one;
    one.run = reopen_run(folder);
    one.name = fs::path(folder).lexically_normal().filename().string();
    one.model = model_label(one.run);
    RunScoreOptions score;
    score.score = {one.run.benchmark, options.stage, "auto", options.bootstrap};
    Counts ignored;
    if (one.run.benchmark == "airbench-chat") score.extra = chat_verdicts(one.run, ignored);
    one.score = score_run(one.run, score);
    if (one.run.benchmark == "mmar" && !read_verdicts(folder, ignored).empty())
      one.score.figures.push_back(score_rubrics(one.run, options.bootstrap).figures.front());
    out.push_back(std::move(one));
  }
  return out;
}

std::vector<ReportTable> report_tables(const std::vector<ReportRun>& runs) {
  std::vector<ReportTable> tables;
  const Json printed = parse_json(kPaperTables, "paper_tables.json");
  for (const Json& one : printed["tables"]) {
    const std::string benchmark = one["benchmark"].get<std::string>();
    const bool asked = std::any_of(runs.begin(), runs.end(), [&](const ReportRun& r) { return r.run.benchmark == benchmark; });
    if (one["number"].get<int>() == 0 && !asked) continue;
    tables.push_back(paper_table(one));
    for (const ReportRun& run : runs)
      if (run.run.benchmark == tables.back().benchmark)
        tables.back().rows.push_back({run.name + ": " + run.model, true, cells_of(run.score)});
  }
  return tables;
}

}  // namespace areason
