#include "llm/http.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <mutex>
#include <stdexcept>

#include "base/error.h"
#include "base/interrupt.h"

namespace areason::llm {
namespace {

// libcurl wants one global initialisation before any thread uses it; a function's static is initialised once, thread-safely.
void initialise_curl() {
  static const CURLcode result = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK)
    throw Error(ErrorCode::kFailure, "libcurl cannot be initialised: " + std::string(curl_easy_strerror(result)),
                "is the libcurl4 package intact?");
}

struct Transfer {
  HttpResponse response;
  std::uint64_t limit = 0;
  bool too_large = false;
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::size_t n = size * count;
  if (transfer.response.body.size() + n > transfer.limit) {
    transfer.too_large = true;
    return 0;
  }
  transfer.response.body.append(data, n);
  return n;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return std::string(text);
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
  constexpr std::size_t kMostHeaders = 200;
  auto& headers = static_cast<Transfer*>(user)->response.headers;
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) headers.clear();  // "100 Continue" came first
  const auto colon = line.find(':');
  if (colon != std::string_view::npos && headers.size() < kMostHeaders) {
    std::string name(line.substr(0, colon));
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    headers.emplace_back(std::move(name), trimmed(line.substr(colon + 1)));
  }
  return size * count;
}

int on_progress(void*, curl_off_t, curl_off_t, curl_off_t, curl_off_t) { return interrupted() ? 1 : 0; }

Transport transport_of(CURLcode code, bool too_large) {
  if (too_large) return Transport::kTooLarge;
  switch (code) {
    case CURLE_OK:
      return Transport::kOk;
    case CURLE_OPERATION_TIMEDOUT:
      return Transport::kTimeout;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
      return Transport::kCutOff;
    default:
      return Transport::kUnreachable;
  }
}

using HeaderList = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

HeaderList header_list(const std::vector<std::string>& headers) {
  HeaderList list(nullptr, curl_slist_free_all);
  const auto add = [&](const char* line) {
    curl_slist* longer = curl_slist_append(list.get(), line);
    if (!longer) throw std::bad_alloc();
    static_cast<void>(list.release());
    list.reset(longer);
  };
  for (const std::string& header : headers) add(header.c_str());
  add("Expect:");  // large bodies need no "100 Continue" round trip
  return list;
}

using Form = std::unique_ptr<curl_mime, decltype(&curl_mime_free)>;

Form form_of(CURL* curl, const std::vector<FormField>& fields) {
  Form form(curl_mime_init(curl), curl_mime_free);
  for (const FormField& field : fields) {
    curl_mimepart* part = curl_mime_addpart(form.get());
    curl_mime_name(part, field.name.c_str());
    curl_mime_data(part, field.value.data(), field.value.size());
    if (!field.file_name.empty()) curl_mime_filename(part, field.file_name.c_str());
    if (!field.mime_type.empty()) curl_mime_type(part, field.mime_type.c_str());
  }
  return form;
}

void set_limits(CURL* curl, const HttpOptions& options, double timeout_seconds) {
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout_seconds * 1000));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(timeout_seconds * 1000)));
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
}

}  // namespace

// Idle handles, each with its open connections.
struct HttpClient::Pool {
  std::mutex mutex;
  std::vector<CURL*> idle;

  CURL* take() {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        CURL* curl = idle.back();
        idle.pop_back();
        return curl;
      }
    }
    CURL* curl = curl_easy_init();
    if (!curl) throw std::bad_alloc();
    return curl;
  }
  void give_back(CURL* curl) {
    curl_easy_reset(curl);  // options go, connections stay
    const std::lock_guard lock(mutex);
    idle.push_back(curl);
  }
};

HttpClient::HttpClient(HttpOptions options, Secret secret)
    : options_(options), secret_(std::move(secret)), pool_(std::make_unique<Pool>()) {
  initialise_curl();
}

HttpClient::~HttpClient() {
  for (CURL* curl : pool_->idle) curl_easy_cleanup(curl);
}

HttpResponse HttpClient::send(const HttpRequest& request) {
  throw_if_interrupted();
  parse_base_url(request.url.substr(0, request.url.find('?')), "", options_.plain_http);
  const auto give_back = [this](CURL* curl) { pool_->give_back(curl); };
  const std::unique_ptr<CURL, decltype(give_back)> curl(pool_->take(), give_back);
  Transfer transfer;
  transfer.limit = options_.max_response_bytes;
  char words[CURL_ERROR_SIZE] = "";
  const HeaderList headers = header_list(request.headers);
  const Form form = request.form.empty() ? Form(nullptr, curl_mime_free) : form_of(curl.get(), request.form);

  set_limits(curl.get(), options_, request.timeout_seconds);
  curl_easy_setopt(curl.get(), CURLOPT_URL, request.url.c_str());
  // A proxy of the environment would see what http:// to this machine sends in the clear.
  if (request.url.starts_with("http://")) curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "localhost,127.0.0.0/8,::1");
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, words);
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERDATA, &transfer);
  if (form) {
    curl_easy_setopt(curl.get(), CURLOPT_MIMEPOST, form.get());
  } else if (request.method == "POST") {
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, request.body.data() ? request.body.data() : "");
  }

  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_ABORTED_BY_CALLBACK) throw_if_interrupted();
  HttpResponse& response = transfer.response;
  long status = 0;
  curl_off_t micros = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl.get(), CURLINFO_TOTAL_TIME_T, &micros);
  response.status = static_cast<int>(status);
  response.seconds = static_cast<double>(micros) * 1e-6;
  response.transport = transport_of(code, transfer.too_large);
  // Time ran out before anything could be sent: in the name's look-up, the connection or TLS.
  curl_off_t ready = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_PRETRANSFER_TIME_T, &ready);
  if (code == CURLE_OPERATION_TIMEDOUT && ready == 0) response.transport = Transport::kUnreachable;
  if (code != CURLE_OK) response.error = secret_.redact(*words ? words : curl_easy_strerror(code));
  response.body = secret_.redact(response.body);
  for (auto& header : response.headers) header.second = secret_.redact(header.second);
  return std::move(transfer.response);
}

std::string HttpResponse::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers)
    if (name == lower_case_name) return value;
  return "";
}

}  // namespace areason::llm
