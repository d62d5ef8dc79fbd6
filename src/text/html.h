#pragma once
// Pieces of a report page that needs nothing beside it: escaped text, the head with its style, bars as SVG without a script.
// Called by the reports of eval and cota. Thread rule: free functions. Everything that comes from a file or a model goes
// through html_text().
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace areason {

// Invalid UTF-8 is repaired, control characters become blanks.
std::string html_text(std::string_view text);

// From <!doctype> to the headline, with the style that the pieces below count on. `more_style` is appended to it.
std::string html_head(const std::string& title, const std::string& headline, std::string_view more_style = "");

struct HtmlBar {
  std::string label;
  double value = 0;
  std::optional<std::pair<double, double>> range;  // drawn as a line over the bar
  bool ours = true;                                // coloured; grey otherwise
};
// Bars from 0 to the largest value, one below the other, each with its number ("{:.<digits>f}"). "" without a positive value.
std::string html_bars(const std::string& title, const std::vector<HtmlBar>& bars, int digits = 2);

struct HtmlHistogram {
  std::string title, unit;
  double bin_width = 1;
  std::vector<double> counts;  // the last bin also holds what lies beyond it
};
// Columns with a line of the moving average over three bins.
std::string html_histogram(const HtmlHistogram& histogram);

}  // namespace areason
