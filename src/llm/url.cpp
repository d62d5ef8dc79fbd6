// Addresses, checked before anything is sent to them.
#include <curl/curl.h>

#include <memory>

#include "base/error.h"
#include "llm/http.h"

namespace areason::llm {
namespace {

using UrlHandle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

std::string part_of(const UrlHandle& url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, 0) != CURLUE_OK || !text) return "";
  std::string out = text;
  curl_free(text);
  return out;
}

// 127.0.0.0/8, ::1 and the name that RFC 6761 reserves for them.
bool is_loopback(const std::string& host) {
  if (host == "localhost" || host == "[::1]" || host == "::1") return true;
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos;
}

}  // namespace

BaseUrl parse_base_url(const std::string& url, const std::string& default_path, PlainHttp plain_http) {
  const UrlHandle handle(curl_url(), curl_url_cleanup);
  if (!handle || curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
    throw Error(ErrorCode::kUsage, "the provider's address is not a URL",
                "it looks like https://api.openai.com/v1 or http://127.0.0.1:8000/v1");
  // The address itself is not quoted where it may hold a password or a key.
  if (!part_of(handle, CURLUPART_USER).empty() || !part_of(handle, CURLUPART_PASSWORD).empty())
    throw Error(ErrorCode::kUsage, "the provider's address holds a user name or password",
                "keys come from the environment, see docs/teachers.md");
  if (!part_of(handle, CURLUPART_QUERY).empty() || !part_of(handle, CURLUPART_FRAGMENT).empty())
    throw Error(ErrorCode::kUsage, "the provider's address has a query (\"?…\") or a fragment",
                "give the base address alone; keys come from the environment, see docs/teachers.md");
  const std::string scheme = part_of(handle, CURLUPART_SCHEME), host = part_of(handle, CURLUPART_HOST);
  const std::string port = part_of(handle, CURLUPART_PORT);
  if (scheme != "https" && scheme != "http")
    throw Error(ErrorCode::kUsage, "the provider's address starts with " + scheme + "://",
                "only https:// and http:// are spoken");
  if (scheme == "http" && !is_loopback(host) && plain_http == PlainHttp::kLoopbackOnly)
    throw Error(ErrorCode::kUsage, "http:// to " + host + " would send the key and the audio unencrypted",
                "use https://, or a tunnel (ssh -L 8000:" + host + ":8000 …) and http://127.0.0.1:8000");
  BaseUrl out;
  out.origin = scheme + "://" + host + (port.empty() ? "" : ":" + port);
  out.path = part_of(handle, CURLUPART_PATH);
  while (out.path.ends_with('/')) out.path.pop_back();
  if (out.path.empty()) out.path = default_path;
  return out;
}

}  // namespace areason::llm
