// The report's tables as text, Markdown and JSON.
#include <fmt/format.h>

#include <algorithm>

#include "eval/report.h"

namespace areason {
namespace {

std::string cell_text(const ReportCell& cell) {
  if (!cell.value) return "-";
  std::string out = fmt::format("{:.2f}", *cell.value);
  if (cell.interval) out += fmt::format(" [{:.1f}, {:.1f}]", cell.interval->low, cell.interval->high);
  if (cell.mark > 0) out += fmt::format(" ({})", cell.mark);
  return out;
}

std::string remarks(const ReportTable& table, const std::string& bullet) {
  std::string out;
  for (std::size_t i = 0; i < table.marks.size(); ++i) out += fmt::format("{}({}) {}\n", bullet, i + 1, table.marks[i]);
  for (const std::string& note : table.notes) out += bullet + note + "\n";
  return out;
}

bool has_ours(const ReportTable& table) {
  return std::any_of(table.rows.begin(), table.rows.end(), [](const ReportRow& row) { return row.ours; });
}

}  // namespace

std::string table_heading(const ReportTable& table) {
  const std::string number = table.number > 0 ? fmt::format("Table {}: ", table.number) : "";
  return fmt::format("{}{} ({})", number, table.title, table.unit);
}

std::string tables_to_text(const std::vector<ReportTable>& tables) {
  std::string out;
  for (const ReportTable& table : tables) {
    std::vector<std::size_t> widths = {5};
    for (const std::string& column : table.columns) widths.push_back(column.size());
    for (const ReportRow& row : table.rows) {
      widths[0] = std::max(widths[0], row.model.size());
      for (std::size_t i = 0; i < row.cells.size(); ++i)
        widths[i + 1] = std::max(widths[i + 1], cell_text(row.cells[i]).size());
    }
    out += table_heading(table) + "\n" + fmt::format("  {:<{}}", "model", widths[0]);
    for (std::size_t i = 0; i < table.columns.size(); ++i) out += fmt::format("  {:>{}}", table.columns[i], widths[i + 1]);
    out += "\n";
    for (const ReportRow& row : table.rows) {
      out += fmt::format("{} {:<{}}", row.ours ? "*" : " ", row.model, widths[0]);
      for (std::size_t i = 0; i < row.cells.size(); ++i) out += fmt::format("  {:>{}}", cell_text(row.cells[i]), widths[i + 1]);
      out += "\n";
    }
    if (!has_ours(table)) out += "  (no run of this benchmark)\n";
    out += remarks(table, "  ") + "\n";
  }
  return out + "* ours, with 95 % intervals; the other rows of numbered tables as the paper prints them (arXiv 2503.02318)\n";
}

std::string tables_to_markdown(const std::vector<ReportTable>& tables) {
  std::string out;
  for (const ReportTable& table : tables) {
    out += "**" + table_heading(table) + "**\n\n| model |";
    std::string rule = "|---|";
    for (const std::string& column : table.columns) {
      out += " " + column + " |";
      rule += "---|";
    }
    out += "\n" + rule + "\n";
    for (const ReportRow& row : table.rows) {
      out += row.ours ? "| **" + row.model + "** |" : "| " + row.model + " |";
      for (const ReportCell& cell : row.cells) out += " " + cell_text(cell) + " |";
      out += "\n";
    }
    out += "\n" + remarks(table, "- ") + "\n";
  }
  return out +
         "Bold: ours, with 95 % intervals. The other rows of numbered tables are as the paper prints them (arXiv "
         "2503.02318).\n";
}

Json tables_to_json(const std::vector<ReportTable>& tables, const std::vector<ReportRun>& runs) {
  Json out = {{"tables", Json::array()}, {"runs", Json::array()}};
  for (const ReportTable& table : tables) {
    Json rows = Json::array();
    for (const ReportRow& row : table.rows) {
      Json cells = Json::object();
      for (std::size_t i = 0; i < row.cells.size(); ++i) {
        const ReportCell& cell = row.cells[i];
        Json one = {{"value", cell.value ? Json(*cell.value) : Json()}};
        if (cell.interval) one["interval95"] = {cell.interval->low, cell.interval->high};
        if (cell.n > 0) one["n"] = cell.n;
        if (cell.mark > 0) one["error"] = table.marks[static_cast<std::size_t>(cell.mark) - 1];
        cells[table.columns[i]] = std::move(one);
      }
      rows.push_back({{"model", row.model}, {"by", row.ours ? "us" : "paper"}, {"cells", std::move(cells)}});
    }
    out["tables"].push_back({{"number", table.number > 0 ? Json(table.number) : Json()},
                             {"benchmark", table.benchmark},
                             {"title", table.title},
                             {"unit", table.unit},
                             {"rows", std::move(rows)},
                             {"notes", table.notes}});
  }
  for (const ReportRun& run : runs)
    out["runs"].push_back({{"name", run.name},
                           {"model", run.model},
                           {"manifest", run.run.manifest},
                           {"score", score_to_json(run.score, WithSamples::kNo)}});
  return out;
}

}  // namespace areason
