#include "eval/report_html.h"

#include <fmt/format.h>

#include <algorithm>

#include "eval/python_text.h"
#include "text/html.h"

namespace areason {

namespace {

constexpr const char* kStyle =
    "tr.ours{background:#eef5ff;font-weight:600}td small{font-weight:400;color:#555;white-space:nowrap}\n"
    ".plots{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem}.bar{display:inline-block;height:.7em;background:#2b6cb0}\n"
    "td.bars{text-align:left;width:12rem}dl{display:grid;grid-template-columns:7rem 1fr;gap:.2rem .8rem;margin:.5rem 0}\n"
    "dt{color:#666}dd{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}summary b{font-weight:600}\n"
    "summary i{color:#666;font-style:normal}audio{display:block;margin:.4rem 0}.mark{color:#b00}\n"
    "details{border:1px solid #ddd;border-radius:4px;margin:.4rem 0;padding:.4rem .6rem}summary{cursor:pointer}\n"
    ".right{border-left:5px solid #2a2}.wrong{border-left:5px solid #c33}.other{border-left:5px solid #bb0}\n"
    "button{margin-right:.4rem}\n";

constexpr const char* kScript = R"html(<script>
document.querySelectorAll('nav button').forEach(function(b){b.onclick=function(){
var want=b.dataset.show;b.closest('section').querySelectorAll('details.sample').forEach(function(d){
d.style.display=want=='all'||d.classList.contains(want)?'':'none'})}})
</script></body></html>
)html";

// Names of our rows are long ("run: model (prompt …)"); a bar has room for the run's.
std::string bar_label(const ReportRow& row) {
  const std::string name = row.ours ? row.model.substr(0, row.model.find(": ")) : row.model;
  const std::u32string letters = py::decode(name);
  return html_text(letters.size() > 27 ? py::encode(letters.substr(0, 26)) + "…" : name);
}

constexpr double kBarsFrom = 200, kBarsWidth = 260;

// Bars of one column over the rows, ours with their intervals; from 0 to the largest value.
std::string bars(const ReportTable& table, std::size_t column) {
  double most = 0;
  std::vector<const ReportRow*> rows;
  for (const ReportRow& row : table.rows) {
    const ReportCell& cell = row.cells[column];
    if (!cell.value) continue;
    rows.push_back(&row);
    most = std::max({most, *cell.value, cell.interval ? cell.interval->high : 0});
  }
  if (rows.empty() || most <= 0) return "";
  const double scale = kBarsWidth / most;
  std::string out = fmt::format("<svg width=\"530\" height=\"{}\" role=\"img\" aria-label=\"{}\">", 20 * rows.size() + 24,
                                html_text(table.columns[column]));
  out += fmt::format("<text x=\"0\" y=\"14\" font-weight=\"600\">{}, {}</text>", html_text(table.columns[column]),
                     html_text(table.unit));
  int y = 22;
  for (const ReportRow* row : rows) {
    const ReportCell& cell = row->cells[column];
    const double width = *cell.value * scale;
    out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\" font-size=\"12\"{}>{}</text>", kBarsFrom - 8, y + 13,
                       row->ours ? " font-weight=\"600\"" : "", bar_label(*row));
    out += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{:.1f}\" height=\"14\" fill=\"{}\"/>", kBarsFrom, y + 2, width,
                       row->ours ? "#2b6cb0" : "#bbb");
    if (cell.interval)
      out += fmt::format("<path d=\"M{:.1f} {} H{:.1f}\" stroke=\"#000\" stroke-width=\"2\"/>",
                         kBarsFrom + cell.interval->low * scale, y + 9, kBarsFrom + cell.interval->high * scale);
    out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" font-size=\"12\">{:.2f}</text>",
                       kBarsFrom + 6 + std::max(width, cell.interval ? cell.interval->high * scale : 0), y + 13, *cell.value);
    y += 20;
  }
  return out + "</svg>\n";
}

// A plot of every column in which we have a figure; of the last one where we have none.
std::string plots(const ReportTable& table) {
  std::string out;
  for (std::size_t c = 0; c < table.columns.size(); ++c) {
    const bool ours =
        std::any_of(table.rows.begin(), table.rows.end(), [&](const ReportRow& row) { return row.ours && row.cells[c].value; });
    if (ours) out += bars(table, c);
  }
  if (out.empty()) out = bars(table, table.columns.size() - 1);
  return "<div class=\"plots\">" + out + "</div>";
}

std::string table_html(const ReportTable& table) {
  std::string out = fmt::format("<section><h2>{}</h2><table><tr><th>model</th>", html_text(table_heading(table)));
  for (const std::string& column : table.columns) out += "<th>" + html_text(column) + "</th>";
  out += "</tr>\n";
  for (const ReportRow& row : table.rows) {
    out += fmt::format("<tr{}><td>{}</td>", row.ours ? " class=\"ours\"" : "", html_text(row.model));
    for (const ReportCell& cell : row.cells) {
      out += "<td>" + (cell.value ? fmt::format("{:.2f}", *cell.value) : std::string("–"));
      if (cell.interval) out += fmt::format("<br><small>{:.1f} to {:.1f}</small>", cell.interval->low, cell.interval->high);
      if (cell.mark > 0) out += fmt::format(" <sup class=\"mark\">{}</sup>", cell.mark);
      out += "</td>";
    }
    out += "</tr>\n";
  }
  out += "</table><ul class=\"notes\">";
  for (std::size_t i = 0; i < table.marks.size(); ++i)
    out += fmt::format("<li><span class=\"mark\">{}</span> {}</li>", i + 1, html_text(table.marks[i]));
  for (const std::string& note : table.notes) out += "<li>" + html_text(note) + "</li>";
  return out + "</ul>\n" + plots(table) + "</section>\n";
}

}  // namespace

std::string report_to_html(const std::vector<ReportTable>& tables, const std::vector<ReportRun>& runs,
                           const HtmlOptions& options) {
  std::string out = html_head("Audio-Reasoner: evaluation", "Evaluation", kStyle);
  out +=
      "<p>Rows in blue are ours, with 95 % intervals; the others of numbered tables are as printed in arXiv 2503.02318.</p>\n";
  for (const ReportTable& table : tables) out += table_html(table);
  return out + samples_to_html(runs, options) + kScript;
}

}  // namespace areason
