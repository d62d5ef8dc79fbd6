#pragma once
// Base64 as clients send clips in it. Called by chat_request.cpp. Thread rule: a pure function.
#include <optional>
#include <string>
#include <string_view>

namespace areason::serve {

// The bytes behind base64 (RFC 4648, section 4; white space between the characters is skipped, padding may be missing);
// nothing when the text holds anything else.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace areason::serve
