#include "eval/report_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/files.h"
#include "cot/sections.h"
#include "llm/audio_data.h"
#include "text/utf8.h"

namespace areason {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  const std::string valid = is_valid_utf8(text) ? std::string(text) : repair_utf8(text);
  for (const char c : valid) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return out;
}

constexpr const char* kHead = R"html(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Audio-Reasoner: evaluation</title>
<style>
body{font:15px/1.45 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:.5rem 0}th,td{padding:.2rem .6rem;text-align:right;border-bottom:1px solid #ddd}
th:first-child,td:first-child{text-align:left}tr.ours{background:#eef5ff;font-weight:600}td small{font-weight:400;color:#555}
.mark{color:#b00}.notes{color:#555;font-size:90%}details{border:1px solid #ddd;border-radius:4px;margin:.4rem 0;padding:.4rem .6rem}
summary{cursor:pointer}.right{border-left:5px solid #2a2}.wrong{border-left:5px solid #c33}.other{border-left:5px solid #bb0}
pre{white-space:pre-wrap;background:#f6f6f6;padding:.5rem;overflow-wrap:anywhere}h4{margin:.6rem 0 .2rem}
button{margin-right:.4rem}
</style></head><body><h1>Evaluation</h1>
)html";

constexpr const char* kScript = R"html(<script>
document.querySelectorAll('nav button').forEach(function(b){b.onclick=function(){
var want=b.dataset.show;b.closest('section').querySelectorAll('details').forEach(function(d){
d.style.display=want=='all'||d.classList.contains(want)?'':'none'})}})
</script></body></html>
)html";

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
  const double scale = 420 / most;
  std::string out = fmt::format("<svg width=\"860\" height=\"{}\" role=\"img\" aria-label=\"{}\">", 20 * rows.size() + 24,
                                escaped(table.columns[column]));
  out += fmt::format("<text x=\"0\" y=\"14\" font-weight=\"600\">{}, {}</text>", escaped(table.columns[column]),
                     escaped(table.unit));
  int y = 22;
  for (const ReportRow* row : rows) {
    const ReportCell& cell = row->cells[column];
    const double width = *cell.value * scale;
    out += fmt::format("<text x=\"330\" y=\"{}\" text-anchor=\"end\" font-size=\"12\">{}</text>", y + 13,
                       escaped(row->model.size() > 52 ? row->model.substr(0, 50) + "…" : row->model));
    out += fmt::format("<rect x=\"340\" y=\"{}\" width=\"{:.1f}\" height=\"14\" fill=\"{}\"/>", y + 2, width,
                       row->ours ? "#2b6cb0" : "#bbb");
    if (cell.interval)
      out += fmt::format("<path d=\"M{:.1f} {} H{:.1f}\" stroke=\"#000\" stroke-width=\"2\"/>",
                         340 + cell.interval->low * scale, y + 9, 340 + cell.interval->high * scale);
    out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" font-size=\"12\">{:.2f}</text>",
                       346 + std::max(width, cell.interval ? cell.interval->high * scale : 0), y + 13, *cell.value);
    y += 20;
  }
  return out + "</svg>\n";
}

std::string table_html(const ReportTable& table) {
  std::string out = fmt::format("<section><h2>Table {}: {} ({})</h2><table><tr><th>model</th>", table.number,
                                escaped(table.title), escaped(table.unit));
  for (const std::string& column : table.columns) out += "<th>" + escaped(column) + "</th>";
  out += "</tr>\n";
  for (const ReportRow& row : table.rows) {
    out += fmt::format("<tr{}><td>{}</td>", row.ours ? " class=\"ours\"" : "", escaped(row.model));
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
    out += fmt::format("<li><span class=\"mark\">{}</span> {}</li>", i + 1, escaped(table.marks[i]));
  for (const std::string& note : table.notes) out += "<li>" + escaped(note) + "</li>";
  return out + "</ul>\n" + bars(table, table.columns.size() - 1) + "</section>\n";
}

const char* mime_of(const std::string& extension) {
  if (extension == ".flac") return "audio/flac";
  if (extension == ".mp3") return "audio/mpeg";
  if (extension == ".ogg") return "audio/ogg";
  return extension == ".mp4" ? "video/mp4" : "audio/wav";
}

class SampleWriter {
 public:
  explicit SampleWriter(const HtmlOptions& options)
      : options_(options), bytes_left_(static_cast<std::uint64_t>(options.embed_mib * 1048576)) {}

  std::string section(const ReportRun& run) {
    const Predictions predictions = read_run(run.run);
    std::map<std::string, const SampleScore*> verdicts;
    for (const SampleScore& sample : run.score.samples) verdicts[sample.id] = &sample;
    std::string out = fmt::format("<section><h2>{}: {}</h2><p>{}</p>{}", escaped(run.name), escaped(run.run.benchmark),
                                  escaped(run.model), counts(run.score));
    out +=
        "<nav><button data-show=\"all\">all</button><button data-show=\"right\">right</button><button "
        "data-show=\"wrong\">wrong</button><button data-show=\"other\">unread, missing, judged</button></nav>\n";
    int shown = 0;
    for (const RunItem& item : run.run.all) {
      if (shown >= options_.samples) break;
      const auto verdict = verdicts.find(item.item->id);
      if (verdict == verdicts.end()) continue;
      const auto line = predictions.lines.find(item.item->id);
      out += sample(item, *verdict->second, line == predictions.lines.end() ? Json::object() : line->second);
      ++shown;
    }
    if (static_cast<std::size_t>(shown) < run.run.all.size())
      out += fmt::format("<p class=\"notes\">{} of {} samples are shown (--samples)</p>", shown, run.run.all.size());
    return out + "</section>\n";
  }

 private:
  static std::string counts(const BenchmarkScore& score) {
    std::string out = "<table><tr><th>figure</th><th>value</th><th>95 %</th><th>n</th></tr>";
    for (const Figure& f : score.figures)
      out += fmt::format("<tr><td>{}</td><td>{:.2f}</td><td>{:.2f} to {:.2f}</td><td>{}</td></tr>", escaped(f.name), f.value,
                         f.interval.low, f.interval.high, f.n);
    out += "</table><p class=\"notes\">";
    for (const auto& [name, n] : score.counts.all()) out += fmt::format("{} {}; ", escaped(name), n);
    return out + "</p>";
  }

  std::string sample(const RunItem& item, const SampleScore& verdict, const Json& line) {
    const char* kind = verdict.outcome == "right" ? "right" : verdict.outcome == "wrong" ? "wrong" : "other";
    std::string out = fmt::format("<details class=\"{}\"><summary>{}: {} ({:.2f})</summary>", kind, escaped(verdict.id),
                                  escaped(verdict.outcome), verdict.value);
    for (const std::string& path : item.item->audio) out += player(path);
    out += "<h4>asked</h4><pre>" + escaped(item.prompt) + "</pre>";
    out += "<h4>right answer</h4><pre>" + escaped(gold(item.item->fields)) + "</pre>";
    out += "<h4>scored</h4><pre>" + escaped(verdict.answer) + "</pre>";
    return out + reply(line) + "</details>\n";
  }

  static std::string gold(const Json& fields) {
    for (const char* key : {"answer", "answer_gt", "gt"})
      if (fields.contains(key)) return fields[key].is_string() ? fields[key].get<std::string>() : dump_json(fields[key]);
    return "";
  }

  // The chain section by section, or the reply as it is.
  static std::string reply(const Json& line) {
    for (const char* key : {"model_output", "answer_prediction", "response"}) {
      if (!line.contains(key) || !line[key].is_string()) continue;
      const std::string text = line[key].get<std::string>();
      const ParsedChain chain = parse_chain(text);
      if (!chain.complete) return "<h4>reply</h4><pre>" + escaped(text) + "</pre>";
      std::string out;
      for (const Section section : kSections)
        out += fmt::format("<h4>{}</h4><pre>{}</pre>", section_key(section), escaped(chain.chain[section]));
      return out;
    }
    return "<p>no reply</p>";
  }

  std::string player(const std::string& path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error) return "<p>no clip: " + escaped(path) + "</p>";
    const std::string extension = std::filesystem::path(path).extension().string();
    std::string source = "file://" + escaped(std::filesystem::absolute(path).string());
    if (size <= bytes_left_) {
      bytes_left_ -= size;
      source = fmt::format("data:{};base64,{}", mime_of(extension), llm::base64(read_file(path)));
    }
    return "<audio controls preload=\"none\" src=\"" + source + "\"></audio>";
  }

  const HtmlOptions& options_;
  std::uint64_t bytes_left_;
};

}  // namespace

std::string report_to_html(const std::vector<ReportTable>& tables, const std::vector<ReportRun>& runs,
                           const HtmlOptions& options) {
  std::string out = kHead;
  out += "<p>Rows in blue are ours, with 95 % intervals; the others are as printed in arXiv 2503.02318.</p>\n";
  for (const ReportTable& table : tables) out += table_html(table);
  SampleWriter writer(options);
  for (const ReportRun& run : runs) out += writer.section(run);
  return out + kScript;
}

}  // namespace areason
