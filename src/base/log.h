#pragma once
// Messages for people on standard error: never on standard output, which belongs to answers. The only global mutable state of
// the project; every function is safe from any thread.
#include <string_view>

namespace areason {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

void set_log_level(LogLevel level);
void log_message(LogLevel level, std::string_view text);
inline void log_debug(std::string_view text) { log_message(LogLevel::kDebug, text); }
inline void log_info(std::string_view text) { log_message(LogLevel::kInfo, text); }
inline void log_warning(std::string_view text) { log_message(LogLevel::kWarning, text); }

}  // namespace areason
