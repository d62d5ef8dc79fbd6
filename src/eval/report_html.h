#pragma once
// The report as one page that needs nothing beside it: the tables, bars with intervals (SVG), and single samples to browse with
// audio player, chain, answer and verdict. Clips are put into the page up to a limit and linked beyond it. Called by
// `eval report --format html`. Everything that a model or a data file says is escaped. Thread rule: free function.
#include <string>
#include <string_view>
#include <vector>

#include "eval/report.h"

namespace areason {

struct HtmlOptions {
  int samples = 200;     // a run
  double embed_mib = 8;  // of clips
};
// The part with the runs: figures, groups, counts, samples.
std::string samples_to_html(const std::vector<ReportRun>& runs, const HtmlOptions& options);
std::string report_to_html(const std::vector<ReportTable>& tables, const std::vector<ReportRun>& runs,
                           const HtmlOptions& options);

}  // namespace areason
