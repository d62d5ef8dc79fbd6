// The page's second half: every run with its figures, groups and counts, and its samples one by one.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/files.h"
#include "cot/sections.h"
#include "eval/judge.h"
#include "eval/report_html.h"
#include "llm/audio_data.h"
#include "text/html.h"

namespace areason {
namespace {

const char* mime_of(const std::string& extension) {
  if (extension == ".flac") return "audio/flac";
  if (extension == ".mp3") return "audio/mpeg";
  if (extension == ".ogg") return "audio/ogg";
  return extension == ".mp4" ? "video/mp4" : "audio/wav";
}

std::string entry(std::string_view name, std::string_view text) {
  return fmt::format("<dt>{}</dt><dd>{}</dd>", html_text(name), html_text(text));
}

std::string figures_html(const BenchmarkScore& score) {
  std::string out = "<table><tr><th>figure</th><th>value</th><th>±</th><th>95 %</th><th>n</th></tr>";
  for (const Figure& f : score.figures) {
    const std::string range = *f.method != 0 ? fmt::format("{:.2f} to {:.2f}", f.interval.low, f.interval.high) : "–";
    out += fmt::format("<tr><td>{}</td><td>{:.2f}</td><td>{:.2f}</td><td>{}</td><td>{}</td></tr>", html_text(f.name), f.value,
                       f.error, range, f.n);
  }
  return out + "</table>";
}

// By task, difficulty, sub-category …; a bar is the figure in percent.
std::string groups_html(const BenchmarkScore& score) {
  if (score.groups.empty()) return "";
  std::string out =
      "<details><summary>by group</summary><table><tr><th>group</th><th></th><th>%</th><th>95 %</th><th>n</th></tr>";
  std::string by;
  for (const GroupFigure& g : score.groups) {
    if (g.by != by) out += fmt::format("<tr><th colspan=\"5\">by {}</th></tr>", html_text(g.by));
    by = g.by;
    out += fmt::format(
        "<tr><td>{}</td><td class=\"bars\"><span class=\"bar\" style=\"width:{:.1f}%\"></span></td><td>{:.1f}</td><td>{:.1f} "
        "to "
        "{:.1f}</td><td>{}</td></tr>",
        html_text(g.name), std::clamp(g.figure.value, 0.0, 100.0), g.figure.value, g.figure.interval.low,
        g.figure.interval.high, g.figure.n);
  }
  return out + "</table></details>\n";
}

std::string counts_html(const BenchmarkScore& score) {
  std::string out;
  for (const auto& [name, n] : score.counts.all()) out += fmt::format("{}{} {}", out.empty() ? "" : "; ", html_text(name), n);
  std::string warnings;
  for (const std::string& warning : score.warnings) warnings += "<li>" + html_text(warning) + "</li>";
  return "<p class=\"notes\">" + out + "</p><ul class=\"notes\">" + warnings + "</ul>";
}

class SampleWriter {
 public:
  explicit SampleWriter(const HtmlOptions& options)
      : options_(options), bytes_left_(static_cast<std::uint64_t>(options.embed_mib * 1048576)) {}

  std::string section(const ReportRun& run) {
    const Predictions predictions = read_run(run.run);
    Counts ignored;
    judged_ = read_verdicts(run.run.folder, ignored);
    std::map<std::string, const SampleScore*> verdicts;
    for (const SampleScore& sample : run.score.samples) verdicts[sample.id] = &sample;
    std::string out = fmt::format("<section><h2>{}: {}</h2><p>{}</p>", html_text(run.name), html_text(run.run.benchmark),
                                  html_text(run.model)) +
                      figures_html(run.score) + counts_html(run.score) + groups_html(run.score);
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
  std::string sample(const RunItem& item, const SampleScore& verdict, const Json& line) {
    const char* kind = verdict.outcome == "right" ? "right" : verdict.outcome == "wrong" ? "wrong" : "other";
    std::string out = fmt::format("<details class=\"sample {}\"><summary><b>{}</b> {} <i>{} ({:.2f})</i></summary>", kind,
                                  html_text(verdict.outcome), html_text(headline(item)), html_text(verdict.id), verdict.value);
    for (const std::string& path : item.item->audio) out += player(path);
    out += "<dl>" + entry("asked", item.prompt) + entry("right answer", gold(item.item->fields));
    out += entry("scored", verdict.answer) + reply(line);
    const std::string prefix = verdict.id + "|";
    for (auto at = judged_.lower_bound(prefix); at != judged_.end() && at->first.starts_with(prefix); ++at)
      out += entry("judge " + at->first.substr(prefix.size()), at->second.value("reply", std::string()));
    return out + "</dl></details>\n";
  }

  // The first line of the question.
  static std::string headline(const RunItem& item) {
    std::string text = item.prompt.substr(0, item.prompt.find('\n'));
    if (text.size() > 120) {
      std::size_t end = 117;
      while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // whole characters
      text = text.substr(0, end) + "…";
    }
    return text;
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
      if (!chain.complete) return entry("reply", text);
      std::string out;
      for (const Section section : kSections) out += entry(section_key(section), chain.chain[section]);
      return out;
    }
    return entry("reply", "(none)");
  }

  static std::string file_url(const std::string& path) {
    std::string out = "file://";
    for (const char c : std::filesystem::absolute(path).string()) {
      const bool special =
          static_cast<unsigned char>(c) <= 0x20 || std::string_view("%#?\"<>").find(c) != std::string_view::npos;
      out += special ? fmt::format("%{:02X}", static_cast<unsigned char>(c)) : std::string(1, c);
    }
    return out;
  }

  std::string player(const std::string& path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    if (error) return "<p>no clip: " + html_text(path) + "</p>";
    const std::string extension = std::filesystem::path(path).extension().string();
    std::string source = file_url(path);
    const bool embed = size <= bytes_left_;
    if (embed) {
      bytes_left_ -= size;
      source = fmt::format("data:{};base64,{}", mime_of(extension), llm::base64(read_file(path)));
    }
    // The clip's length is shown at once where that costs no reading of files.
    return fmt::format("<audio controls preload=\"{}\" src=\"{}\"></audio>", embed ? "metadata" : "none", source);
  }

  const HtmlOptions& options_;
  std::uint64_t bytes_left_;
  std::map<std::string, Json> judged_;
};

}  // namespace

std::string samples_to_html(const std::vector<ReportRun>& runs, const HtmlOptions& options) {
  SampleWriter writer(options);
  std::string out;
  for (const ReportRun& run : runs) out += writer.section(run);
  return out;
}

}  // namespace areason
