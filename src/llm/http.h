#pragma once
// HTTP/1.1 and 2 requests by libcurl: what the providers of this folder need and no more. TLS certificates are always verified,
// redirects are never followed (the key would travel along), http:// is for loopback unless allowed. A transfer ends at its
// timeout, at the size limit, or within a second of Ctrl-C. Connections are kept and reused.
// Thread rule: send() from any number of threads. Errors: transport trouble is in the response; Error(kUsage) for a bad
// address, Error(kInterrupted) for Ctrl-C.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "llm/secret.h"

namespace areason::llm {

enum class PlainHttp { kLoopbackOnly, kAnywhere };

struct HttpOptions {
  PlainHttp plain_http = PlainHttp::kLoopbackOnly;
  double connect_timeout_seconds = 10;
  std::uint64_t max_response_bytes = std::uint64_t{64} << 20;
};

// A field of a multipart form; `file_name` makes it a file.
struct FormField {
  std::string name;
  std::string value;
  std::string file_name;
  std::string mime_type;
};

struct HttpRequest {
  std::string method = "POST";  // GET or POST
  std::string url;
  std::vector<std::string> headers;  // "Name: value"
  std::string_view body;             // must outlive send(); unused when `form` has fields
  std::vector<FormField> form;
  double timeout_seconds = 600;
};

enum class Transport { kOk, kTimeout, kUnreachable, kCutOff, kTooLarge };

struct HttpResponse {
  Transport transport = Transport::kOk;
  std::string error;  // libcurl's words when transport is not kOk
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  double seconds = 0;
  // The first header of that (lower-case) name, "" without one.
  std::string header(std::string_view lower_case_name) const;
};

class HttpClient {
 public:
  // `secret` is removed from everything that comes back.
  HttpClient(HttpOptions options, Secret secret);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  HttpResponse send(const HttpRequest& request);

 private:
  struct Pool;
  HttpOptions options_;
  Secret secret_;
  std::unique_ptr<Pool> pool_;
};

// A base address as users give it, checked and split. `what` names the flag in messages.
struct BaseUrl {
  std::string origin;  // scheme://host:port
  std::string path;    // "" or "/v1"; no slash at the end
  std::string whole() const { return origin + path; }
};
// Refuses anything but http(s), user:password, queries and fragments (keys belong into the environment), and http:// to other
// machines unless allowed. An address without a path gets `default_path`. Throws Error(kUsage).
BaseUrl parse_base_url(const std::string& url, const std::string& default_path, PlainHttp plain_http);

}  // namespace areason::llm
