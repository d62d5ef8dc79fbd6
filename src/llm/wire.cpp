#include "llm/wire.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/json.h"

namespace areason::llm {
namespace {

constexpr std::size_t kLongestMessage = 300;

std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  if (text.size() > kLongestMessage) {
    std::size_t end = kLongestMessage;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not inside a UTF-8 character
    text = text.substr(0, end) + "…";
  }
  return text;
}

// What nests deeper than any API's answers is dropped while it is read: copying it would recurse as deep.
Json parse_shallow(const std::string& body) {
  constexpr int kDeepest = 64;
  return Json::parse(
      body, [](int depth, Json::parse_event_t, Json&) { return depth < kDeepest; }, false);
}

// Some servers (and all of Gemini's streams) wrap the error object in an array.
Json error_object(const std::string& body) {
  Json root = parse_shallow(body);
  if (root.is_array() && !root.empty()) root = Json(root[0]);
  if (!root.is_object()) return {};
  const Json& error = member(root, "error");
  if (error.is_object()) return error;
  if (error.is_string()) return Json{{"message", error}};
  // FastAPI (vLLM's older servers): {"object": "error", "message": …} or {"detail": …}
  if (root.contains("message")) return root;
  if (root.contains("detail"))
    return Json{{"message", root["detail"].is_string() ? root["detail"] : Json(root["detail"].dump())}};
  return {};
}

struct ErrorFacts {
  std::string message;
  std::string code;  // OpenAI's code or type, Gemini's status
  bool day_quota = false;
  std::optional<double> retry_delay;
};

ErrorFacts facts_of(const std::string& body) {
  ErrorFacts facts;
  const Json error = error_object(body);
  facts.message = text_member(error, "message");
  for (const char* name : {"code", "status", "type"})
    if (facts.code.empty()) facts.code = text_member(error, name);
  const Json& details = member(error, "details");
  if (!details.is_array()) return facts;
  for (const Json& detail : details) {
    if (const auto delay = parse_duration(text_member(detail, "retryDelay"))) facts.retry_delay = delay;
    const Json& violations = member(detail, "violations");
    if (!violations.is_array()) continue;
    for (const Json& violation : violations)
      facts.day_quota |= text_member(violation, "quotaId").find("PerDay") != std::string::npos;
  }
  return facts;
}

Finish finish_of_status(int status, const ErrorFacts& facts) {
  switch (status) {
    case 401:
    case 403:
      return Finish::kUnauthorised;
    case 404:
      return Finish::kNoSuchModel;
    case 402:
      return Finish::kQuota;  // payment required
    case 413:
      return Finish::kTooLarge;
    case 429:
      return facts.day_quota || facts.code == "insufficient_quota" ? Finish::kQuota : Finish::kRateLimited;
    case 408:
    case 409:
    case 425:
      return Finish::kServerError;
    default:
      break;
  }
  if (status >= 500) return Finish::kServerError;
  // Azure and compatible servers report a filtered prompt this way.
  if (facts.code == "content_filter" || facts.code == "content_policy_violation") return Finish::kBlocked;
  // Gemini answers a wrong key with 400 INVALID_ARGUMENT.
  if (status == 400 && facts.message.starts_with("API key not valid")) return Finish::kUnauthorised;
  return Finish::kRejected;
}

Reply transport_reply(const HttpResponse& response, const std::string& api) {
  Reply reply = reply_of(response);
  switch (response.transport) {
    case Transport::kTimeout:
      reply.finish = Finish::kTimeout;
      break;
    case Transport::kTooLarge:
      reply.finish = Finish::kTooLarge;
      break;
    case Transport::kCutOff:
      reply.finish = Finish::kCutOff;
      break;
    default:
      reply.finish = Finish::kUnreachable;
      break;
  }
  reply.detail = finish_name(reply.finish);
  reply.error = one_line(api + ": " + response.error);
  return reply;
}

}  // namespace

std::optional<double> parse_duration(std::string_view text) {
  if (text.empty()) return {};
  double total = 0;
  while (!text.empty()) {
    double value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (code != std::errc() || !(value >= 0)) return {};
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    double unit = 0;
    std::size_t length = 1;
    if (text.starts_with("ms")) {
      unit = 1e-3;
      length = 2;
    } else if (text.starts_with('s')) {
      unit = 1;
    } else if (text.starts_with('m')) {
      unit = 60;
    } else if (text.starts_with('h')) {
      unit = 3600;
    } else {
      return {};
    }
    total += value * unit;
    text.remove_prefix(length);
  }
  return total;
}

std::optional<double> retry_after(const HttpResponse& response, std::time_t now) {
  const auto number = [](const std::string& text) -> std::optional<double> {
    double value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
    if (code != std::errc() || end != text.data() + text.size() || !(value >= 0)) return {};
    return value;
  };
  if (const auto ms = number(response.header("retry-after-ms"))) return *ms * 1e-3;
  const std::string text = response.header("retry-after");
  if (text.empty()) return {};
  if (const auto seconds = number(text)) return seconds;
  const std::time_t date = curl_getdate(text.c_str(), nullptr);
  if (date < 0) return {};
  return std::max(0.0, std::difftime(date, now));
}

Reply reply_of(const HttpResponse& response) {
  Reply reply;
  reply.raw = response.body;
  reply.http_status = response.status;
  reply.latency_seconds = response.seconds;
  return reply;
}

Reply without_key(Reply reply, const Secret& key) {
  for (std::string* text : {&reply.text, &reply.detail, &reply.error}) *text = key.redact(*text);
  return reply;
}

Reply error_reply(const HttpResponse& response, const std::string& api, const std::string& model) {
  if (response.transport != Transport::kOk) return transport_reply(response, api);
  Reply reply = reply_of(response);
  const ErrorFacts facts = facts_of(response.body);
  reply.finish = finish_of_status(response.status, facts);
  reply.detail = facts.code.empty() ? "HTTP " + std::to_string(response.status) : one_line(facts.code);
  reply.retry_after_seconds = retry_after(response, std::time(nullptr));
  if (!reply.retry_after_seconds) reply.retry_after_seconds = facts.retry_delay;
  // The OpenAI SDK obeys this header, so servers count on it.
  const std::string should_retry = response.header("x-should-retry");
  if (should_retry == "false" && is_transient(reply.finish)) reply.finish = Finish::kRejected;
  std::string message = facts.message;
  if (message.empty()) message = response.body.empty() ? "no explanation" : response.body;
  if (response.status >= 300 && response.status < 400) message = "a redirect, which is not followed: give the final address";
  reply.error = one_line(api + " (" + model + ") answered " + std::to_string(response.status) + ": " + message);
  return reply;
}

Reply malformed_reply(const HttpResponse& response, const std::string& api, const std::string& why) {
  Reply reply = reply_of(response);
  reply.finish = Finish::kMalformed;
  reply.detail = "malformed";
  reply.error = one_line(api + ": " + why);
  return reply;
}

std::optional<Json> parse_object(const std::string& body) {
  Json root = parse_shallow(body);
  if (!root.is_object()) return {};
  return root;
}

const Json& member(const Json& object, const char* name) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto it = object.find(name);
  return it == object.end() ? kNull : *it;
}

std::string text_member(const Json& object, const char* name) {
  const Json& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : "";
}

std::int64_t count_member(const Json& object, const char* name) {
  const Json& value = member(object, name);
  if (!value.is_number()) return 0;
  const double number = value.get<double>();
  return number >= 0 && number <= 1e12 ? static_cast<std::int64_t>(number) : 0;
}

void merge_extra(Json& body, const GenerationParameters& parameters) {
  if (parameters.extra_json.empty()) return;
  const auto extra = parse_object(parameters.extra_json);
  if (!extra)
    throw Error(ErrorCode::kUsage, "the extra parameters are not a JSON object: " + one_line(parameters.extra_json),
                "for example {\"min_p\": 0.05}");
  body.merge_patch(*extra);
}

}  // namespace areason::llm
