#include "llm/secret.h"

#include <cstdlib>

#include "base/error.h"

namespace areason::llm {
namespace {
constexpr std::size_t kShortestSecret = 6;
constexpr std::string_view kMark = "[key]";
}  // namespace

Secret Secret::required(const std::string& variable) {
  Secret secret = optional(variable);
  if (secret.empty())
    throw Error(ErrorCode::kUsage, "the environment variable " + variable + " is not set, so there is no API key",
                "export " + variable + "=…, or name another variable with the flag that ends in key-variable (--help)");
  return secret;
}

Secret Secret::optional(const std::string& variable) {
  Secret secret;
  const char* value = variable.empty() ? nullptr : std::getenv(variable.c_str());
  if (!value) return secret;
  secret.value_ = value;
  for (const char c : secret.value_)
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f)
      throw Error(ErrorCode::kUsage,
                  "the environment variable " + variable + " holds no API key: it has spaces or control characters",
                  "a copied key may have a line break at its end");
  return secret;
}

std::string Secret::redact(std::string_view text) const {
  std::string out(text);
  if (value_.size() < kShortestSecret) return out;
  // As it is, and as a server may spell it inside a JSON string.
  for (const char* escaped : {"", "\"\\", "\"\\/"}) {
    std::string form;
    for (const char c : value_) {
      if (std::string_view(escaped).find(c) != std::string_view::npos) form += '\\';
      form += c;
    }
    for (std::size_t at = 0; (at = out.find(form, at)) != std::string::npos; at += kMark.size())
      out.replace(at, form.size(), kMark);
  }
  return out;
}

std::string Secret::header(std::string_view name, std::string_view prefix) const {
  return std::string(name) + ": " + std::string(prefix) + value_;
}

}  // namespace areason::llm
