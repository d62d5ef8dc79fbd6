#pragma once
// An API key. It comes from an environment variable only, is never printed, and everything that a server or a library says is
// passed through redact() before it becomes a message, a log line or a file. Used by the HTTP providers of this folder.
// Thread rule: read-only once made.
#include <string>
#include <string_view>

namespace areason::llm {

class Secret {
 public:
  Secret() = default;
  // Reads the variable. Throws Error(kUsage) naming the variable (never its value) when it is unset, empty, or no header value.
  static Secret required(const std::string& variable);
  // The same, but an unset or empty variable gives an empty key: servers of one's own may need none.
  static Secret optional(const std::string& variable);

  bool empty() const { return value_.empty(); }
  // `text` with every occurrence of the key replaced by "[key]". Keys under 6 characters ("EMPTY", vLLM's placeholder) protect
  // nothing and would garble answers, so they are left.
  std::string redact(std::string_view text) const;
  // "Name: <prefix><key>", for the HTTP client alone.
  std::string header(std::string_view name, std::string_view prefix) const;

 private:
  std::string value_;
};

}  // namespace areason::llm
