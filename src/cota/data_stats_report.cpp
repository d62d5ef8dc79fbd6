// The figures of data_stats.h for people: a text table, and a page with plots.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cota/data_stats.h"
#include "text/html.h"

namespace areason {
namespace {

constexpr double kBin = 100;                            // words; the bins of the paper's figure 4
constexpr std::size_t kFewestBins = 6, kMostBins = 15;  // its axis ends at 1,200

double percent(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string names_of(const std::map<std::string, std::size_t>& counts) {
  std::string out;
  for (const auto& [name, count] : counts) out += (out.empty() ? "" : ", ") + name;
  return out;
}

const PaperRow* paper_row(const std::string& set) {
  for (const PaperRow& row : paper_table_2()) {
    if (set == row.set) return &row;
  }
  return nullptr;
}

std::string spread(const Measure& m, int digits) {
  return m.empty() ? "-" : fmt::format("{:.{}f} / {:.{}f} / {:.{}f}", m.least(), digits, m.mean(), digits, m.most(), digits);
}

// Cuts before a UTF-8 continuation byte, so that columns stay valid.
std::string cut(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most - 1;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "~";
}

std::string letter_line(const LetterBalance& b) {
  std::size_t all = 0;
  for (const std::size_t n : b.counts) all += n;
  std::string out = fmt::format("{} options:", b.options);
  for (std::size_t i = 0; i < b.counts.size(); ++i)
    out += fmt::format("  {} {} ({:.1f} %)", static_cast<char>('a' + i), b.counts[i], percent(b.counts[i], all));
  return out + fmt::format("  p {:.3f}{}", b.p, b.skewed() ? "  SKEWED" : "");
}

std::string composition_text(const DataStatistics& s) {
  std::string out = fmt::format("{:<16} {:<8} {:<28} {:<14} {:>8} {:>7} {:>9} {:>7} {:>16}\n", "set", "category", "skill",
                                "teacher", "samples", "%", "synthetic", "clips", "paper (k, %)");
  for (const SetStatistics* set : s.sets()) {
    const PaperRow* row = paper_row(set->name);
    out += fmt::format("{:<16} {:<8} {:<28} {:<14} {:>8} {:>7.2f} {:>9} {:>7} {:>16}\n", cut(set->name, 16),
                       cut(set->category, 8), cut(set->skill, 28), cut(names_of(set->teachers), 14), set->samples,
                       percent(set->samples, s.samples()), set->synthetic ? "yes" : "no", set->clips,
                       row == nullptr ? "-" : fmt::format("{:.1f}, {:.2f}", row->thousands, row->percent));
  }
  return out + fmt::format("{:<69} {:>8}\n", "all", s.samples());
}

std::string words_text(const DataStatistics& s) {
  std::string out = fmt::format("\nwords: min / mean / max\n{:<16}", "set");
  for (const char* column : {"question", "planning", "caption", "reasoning", "summary", "response", "chain"})
    out += fmt::format(" {:>16}", column);
  out += "\n";
  for (const SetStatistics* set : s.sets()) {
    out += fmt::format("{:<16} {:>16}", cut(set->name, 16), spread(set->question_words, 0));
    for (const Measure& m : set->section_words) out += fmt::format(" {:>16}", spread(m, 0));
    out += fmt::format(" {:>16}\n", spread(set->chain_words, 0));
  }
  return out;
}

std::string table_row(const std::vector<std::string>& cells, const char* tag) {
  std::string out = "<tr>";
  for (const std::string& cell : cells) out += fmt::format("<{}>{}</{}>", tag, html_text(cell), tag);
  return out + "</tr>\n";
}

std::string composition_html(const DataStatistics& s) {
  std::string out =
      "<section><h2>Composition (the paper's table 2)</h2><table>" +
      table_row({"set", "category", "skill", "teacher", "samples", "%", "synthetic", "clips", "paper, thousands", "paper, %"},
                "th");
  for (const SetStatistics* set : s.sets()) {
    const PaperRow* row = paper_row(set->name);
    out += table_row({set->name, set->category, set->skill, names_of(set->teachers), std::to_string(set->samples),
                      fmt::format("{:.2f}", percent(set->samples, s.samples())), set->synthetic ? "yes" : "no",
                      std::to_string(set->clips), row == nullptr ? "–" : fmt::format("{:.1f}", row->thousands),
                      row == nullptr ? "–" : fmt::format("{:.2f}", row->percent)},
                     "td");
  }
  out += table_row({"all", "", "", "", std::to_string(s.samples()), "100.00", "", "", "", ""}, "td");
  return out +
         "</table><p class=\"notes\">The rows of the paper's table add up to 971.3 thousand, from which its percentages are "
         "taken; its title says 1.2 million.</p></section>\n";
}

std::string words_html(const DataStatistics& s) {
  std::string out =
      "<section><h2>Words (the paper's figures 4 and 6)</h2><table>" +
      table_row({"set", "question", "planning", "caption", "reasoning", "summary", "response", "chain", "tokens"}, "th");
  std::vector<HtmlBar> means;
  for (const SetStatistics* set : s.sets()) {
    std::vector<std::string> cells = {set->name, spread(set->question_words, 0)};
    for (const Measure& m : set->section_words) cells.push_back(spread(m, 0));
    cells.push_back(spread(set->chain_words, 0));
    cells.push_back(spread(set->chain_tokens, 0));
    out += table_row(cells, "td");
    means.push_back({set->name, set->chain_words.mean(), {{set->chain_words.least(), set->chain_words.most()}}, true});
  }
  out += "</table><p class=\"notes\">least / mean / most</p>\n" +
         html_bars("words of a chain: mean, from least to most", means, 1);
  for (const SetStatistics* set : s.sets()) {
    HtmlHistogram h;
    h.title = set->name + ": samples by words of the chain";
    h.unit = "words (line: moving average)";
    h.bin_width = set->chain_words.most() > kBin * 2 ? kBin : kBin / 5;
    const auto bins = static_cast<std::size_t>(set->chain_words.most() / h.bin_width) + 1;
    h.counts.resize(std::clamp(bins, kFewestBins, kMostBins));
    for (const float v : set->chain_words.values)
      h.counts[std::min(h.counts.size() - 1, static_cast<std::size_t>(v / h.bin_width))] += 1;
    out += html_histogram(h);
  }
  return out + "</section>\n";
}

std::string durations_html(const DataStatistics& s) {
  std::vector<HtmlBar> means;
  std::string table = table_row({"set", "clips", "not read", "least", "mean", "median", "most", "hours"}, "th");
  for (const SetStatistics* set : s.sets()) {
    const Measure& m = set->seconds;
    means.push_back({set->name, m.mean(), {{m.least(), m.most()}}, true});
    table +=
        table_row({set->name, std::to_string(set->clips), std::to_string(set->unread_clips), fmt::format("{:.2f}", m.least()),
                   fmt::format("{:.2f}", m.mean()), fmt::format("{:.2f}", m.median()), fmt::format("{:.2f}", m.most()),
                   fmt::format("{:.2f}", m.mean() * static_cast<double>(m.values.size()) / 3600)},
                  "td");
  }
  return "<section><h2>Seconds of clips</h2><table>" + table + "</table>\n" +
         html_bars("seconds of a clip: mean, from least to most", means, 2) + "</section>\n";
}

std::string counts_html(const std::string& title, const std::map<std::string, std::size_t>& counts) {
  std::vector<std::pair<std::string, std::size_t>> sorted(counts.begin(), counts.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<HtmlBar> bars;
  for (const auto& [name, count] : sorted) bars.push_back({name, static_cast<double>(count), {}, true});
  return "<section>" + html_bars(title, bars, 0) + "</section>\n";
}

std::string letters_html(const DataStatistics& s) {
  std::string out = "<section><h2>Right answers by letter</h2>";
  for (const LetterBalance& b : s.letters()) {
    std::vector<HtmlBar> bars;
    for (std::size_t i = 0; i < b.counts.size(); ++i)
      bars.push_back({std::string("(") + static_cast<char>('a' + i) + ")", static_cast<double>(b.counts[i]), {}, true});
    out += html_bars(
        fmt::format("{} options: p {:.3f} that even draws differ as much{}", b.options, b.p, b.skewed() ? ", skewed" : ""),
        bars, 0);
  }
  const auto [yes, no] = s.yes_and_no();
  if (yes + no > 0)
    out += html_bars("yes and no", {{"yes", static_cast<double>(yes), {}, true}, {"no", static_cast<double>(no), {}, true}}, 0);
  return out + "</section>\n";
}

}  // namespace

std::string statistics_text(const DataStatistics& s) {
  std::string out = composition_text(s) + words_text(s);
  out += fmt::format("\n{:<16} {:>7} {:>24}{}\n", "set", "clips", "seconds", "   tokens of a chain");
  for (const SetStatistics* set : s.sets())
    out += fmt::format("{:<16} {:>7} {:>24}   {}\n", cut(set->name, 16), set->clips, spread(set->seconds, 2),
                       spread(set->chain_tokens, 0));
  out += "\ntasks:";
  for (const auto& [task, count] : s.tasks()) out += fmt::format("  {} {}", task, count);
  out += "\n\nright answers by letter\n";
  for (const LetterBalance& b : s.letters()) out += letter_line(b) + "\n";
  const auto [yes, no] = s.yes_and_no();
  if (yes + no > 0) out += fmt::format("yes {} ({:.1f} %)  no {}\n", yes, percent(yes, yes + no), no);
  return out;
}

std::string statistics_html(const DataStatistics& s) {
  std::string out = html_head("Audio-Reasoner: data", fmt::format("{} samples", s.samples()));
  out += composition_html(s) + words_html(s) + durations_html(s);
  out += "<h2>Tasks and kinds of questions</h2>\n" + counts_html("samples by task", s.tasks()) +
         counts_html("samples by kind of question", s.kinds()) + letters_html(s);
  return out + "</body></html>\n";
}

}  // namespace areason
