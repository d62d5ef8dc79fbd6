#include "text/html.h"

#include <fmt/format.h>

#include <algorithm>

#include "text/utf8.h"

namespace areason {
namespace {

constexpr const char* kStyle =
    "body{font:15px/1.45 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;color:#222}\n"
    "table{border-collapse:collapse;margin:.5rem 0}th,td{padding:.2rem .6rem;text-align:right;border-bottom:1px solid #ddd}\n"
    "th:first-child,td:first-child{text-align:left}.notes{color:#555;font-size:90%}\n";

}  // namespace

std::string html_text(std::string_view text) {
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

std::string html_head(const std::string& title, const std::string& headline, std::string_view more_style) {
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + html_text(title) + "</title>\n<style>\n" +
         kStyle + std::string(more_style) + "</style></head><body><h1>" + html_text(headline) + "</h1>\n";
}

std::string html_bars(const std::string& title, const std::vector<HtmlBar>& bars, int digits) {
  double most = 0;
  for (const HtmlBar& bar : bars) most = std::max({most, bar.value, bar.range ? bar.range->second : 0});
  if (most <= 0) return "";
  const double scale = 420 / most;
  std::string out =
      fmt::format("<svg width=\"860\" height=\"{}\" role=\"img\" aria-label=\"{}\">", 20 * bars.size() + 24, html_text(title));
  out += fmt::format("<text x=\"0\" y=\"14\" font-weight=\"600\">{}</text>", html_text(title));
  int y = 22;
  for (const HtmlBar& bar : bars) {
    out += fmt::format("<text x=\"330\" y=\"{}\" text-anchor=\"end\" font-size=\"12\">{}</text>", y + 13,
                       html_text(bar.label.size() > 52 ? repair_utf8(bar.label.substr(0, 50)) + "…" : bar.label));
    out += fmt::format("<rect x=\"340\" y=\"{}\" width=\"{:.1f}\" height=\"14\" fill=\"{}\"/>", y + 2, bar.value * scale,
                       bar.ours ? "#2b6cb0" : "#bbb");
    if (bar.range)
      out += fmt::format("<path d=\"M{:.1f} {} H{:.1f}\" stroke=\"#000\" stroke-width=\"2\"/>", 340 + bar.range->first * scale,
                         y + 9, 340 + bar.range->second * scale);
    out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" font-size=\"12\">{:.{}f}</text>",
                       346 + std::max(bar.value, bar.range ? bar.range->second : 0) * scale, y + 13, bar.value, digits);
    y += 20;
  }
  return out + "</svg>\n";
}

std::string html_histogram(const HtmlHistogram& h) {
  const double most = h.counts.empty() ? 0 : *std::max_element(h.counts.begin(), h.counts.end());
  if (most <= 0) return "";
  constexpr double kLeft = 50, kTop = 24, kHigh = 130, kWide = 480;
  const double column = kWide / static_cast<double>(h.counts.size());
  std::string out = fmt::format("<svg width=\"560\" height=\"200\" role=\"img\" aria-label=\"{}\">", html_text(h.title));
  out += fmt::format("<text x=\"0\" y=\"14\" font-weight=\"600\">{}</text>", html_text(h.title));
  out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\" font-size=\"11\">{:.0f}</text>", kLeft - 6, kTop + 8, most);
  std::string line;
  for (std::size_t i = 0; i < h.counts.size(); ++i) {
    const double x = kLeft + column * static_cast<double>(i), high = h.counts[i] / most * kHigh;
    out += fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"#9bbfe0\"/>", x + 1,
                       kTop + kHigh - high, column - 2, high);
    double sum = 0;
    int bins = 0;
    for (std::size_t k = i == 0 ? 0 : i - 1; k < std::min(h.counts.size(), i + 2); ++k, ++bins) sum += h.counts[k];
    line += fmt::format("{}{:.1f},{:.1f}", line.empty() ? "" : " ", x + column / 2, kTop + kHigh - sum / bins / most * kHigh);
    const bool labelled = h.counts.size() <= 13 || i % 2 == 0;
    if (labelled)
      out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\" font-size=\"10\">{:g}</text>", x,
                         kTop + kHigh + 14, h.bin_width * static_cast<double>(i));
  }
  out += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"#b33\" stroke-width=\"2\"/>", line);
  out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\" font-size=\"11\">{}</text>", kLeft + kWide, kTop + kHigh + 30,
                     html_text(h.unit));
  return out + "</svg>\n";
}

}  // namespace areason
