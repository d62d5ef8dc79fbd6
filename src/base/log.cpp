#include "base/log.h"

#include <atomic>
#include <cstdio>
#include <mutex>
#include <string>

namespace areason {
namespace {
std::atomic<LogLevel> current_level{LogLevel::kInfo};
std::mutex output_mutex;
constexpr const char* kPrefix[] = {"debug: ", "", "warning: ", "error: "};
}  // namespace

void set_log_level(LogLevel level) { current_level = level; }

void log_message(LogLevel level, std::string_view text) {
  if (level < current_level.load()) return;
  const std::string line = kPrefix[static_cast<int>(level)] + std::string(text) + "\n";
  const std::lock_guard lock(output_mutex);
  std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace areason
