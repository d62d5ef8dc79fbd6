#include "cli/progress_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "base/log.h"

namespace areason {

void ProgressLine::operator()(const Progress& p) {
  const bool last = p.done >= p.total;
  if (p.seconds - reported_ < 2 && !last) return;
  reported_ = p.seconds;
  const double rate = static_cast<double>(p.now) / std::max(p.seconds, 1e-9);
  const std::string left =
      p.now == 0 ? "" : fmt::format(", {:.0f} s left", static_cast<double>(p.total - std::min(p.done, p.total)) / rate);
  const std::string line = fmt::format("{} of {} answered, {:.2f} a second{}{}", p.done, p.total, rate, p.more, left);
  if (isatty(STDERR_FILENO) != 0) {
    std::cerr << "\r" << line << "\033[K" << (last ? "\n" : "") << std::flush;
  } else {
    log_info(line);
  }
}

void BatchProgressLine::operator()(const BatchStats& stats) {
  const double rate = static_cast<double>(stats.generated_tokens) / std::max(stats.seconds, 1e-9);
  line_({stats.questions - stats.failed, stats.skipped + stats.answered, stats.answered + stats.failed, stats.seconds,
         fmt::format(", {:.0f} tokens a second", rate)});
}

}  // namespace areason
