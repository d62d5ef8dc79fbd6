#include "llm/gemini_files.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "llm/wire.h"

namespace areason::llm {
namespace {

constexpr const char* kFilesApi = "Gemini files";
constexpr int kChunkTries = 3;                 // as Google's SDK
constexpr double kReuseSeconds = 46 * 3600.0;  // files live 48 h
constexpr double kFirstPauseSeconds = 1;       // doubling, as Google's SDK

[[noreturn]] void fail(const HttpResponse& response, const std::string& why) {
  const bool answered = response.transport == Transport::kOk && response.status == 200;
  throw UploadFailure{answered ? malformed_reply(response, kFilesApi, why) : error_reply(response, kFilesApi, "upload")};
}

bool ok(const HttpResponse& response) { return response.transport == Transport::kOk && response.status == 200; }

// Worth another chunk: no final word from the server.
bool may_resume(const HttpResponse& response) {
  return !ok(response) && is_transient(error_reply(response, kFilesApi, "upload").finish);
}

}  // namespace

GeminiFiles::GeminiFiles(HttpClient& http, const GeminiOptions& options, BaseUrl base)
    : http_(http), options_(options), base_(std::move(base)) {}

std::string GeminiFiles::uri_of(const AudioData& audio, double timeout_seconds) {
  {
    const std::lock_guard lock(mutex_);
    const auto it = known_.find(audio.sha256);
    if (it != known_.end() && options_.clock->now() - it->second.uploaded_at < kReuseSeconds) return it->second.uri;
  }
  const double now = options_.clock->now();
  const std::string uri = upload(audio, timeout_seconds);
  const std::lock_guard lock(mutex_);
  known_[audio.sha256] = {uri, now};
  return uri;
}

void GeminiFiles::forget(const AudioData& audio) {
  const std::lock_guard lock(mutex_);
  known_.erase(audio.sha256);
}

HttpResponse GeminiFiles::post(const std::string& url, std::vector<std::string> headers, std::string_view body,
                               double timeout_seconds) {
  HttpRequest request;
  request.url = url;
  request.headers = std::move(headers);
  request.headers.push_back(options_.key.header("x-goog-api-key", ""));
  request.body = body;
  request.timeout_seconds = timeout_seconds;
  return http_.send(request);
}

std::string GeminiFiles::start(const AudioData& audio, double timeout_seconds) {
  const std::string body = dump_json(Json{{"file", {{"display_name", audio.sha256.substr(0, 16)}}}});
  const HttpResponse response =
      post(base_.origin + "/upload" + base_.path + "/files",
           {"Content-Type: application/json", "X-Goog-Upload-Protocol: resumable", "X-Goog-Upload-Command: start",
            "X-Goog-Upload-Header-Content-Length: " + std::to_string(audio.bytes.size()),
            "X-Goog-Upload-Header-Content-Type: " + audio.mime_type},
           body, timeout_seconds);
  if (!ok(response)) fail(response, "");
  const std::string session = response.header("x-goog-upload-url");
  // The key travels to that address: it must be the server that we were told to trust.
  if (!session.starts_with(base_.origin + "/")) fail(response, "the upload address is missing or of another server");
  return session;
}

std::uint64_t GeminiFiles::received_so_far(const std::string& session, const AudioData& audio, double timeout_seconds) {
  const HttpResponse response = post(session, {"X-Goog-Upload-Command: query"}, "", timeout_seconds);
  const std::string text = response.header("x-goog-upload-size-received");
  if (!ok(response) || text.empty() || text.size() > 15 || text.find_first_not_of("0123456789") != std::string::npos)
    fail(response, "the server does not say how much of the upload it has");
  const std::uint64_t received = std::stoull(text);
  if (received > audio.bytes.size()) fail(response, "the server has more of the upload than was sent");
  return received;
}

std::string GeminiFiles::send_chunks(const std::string& session, const AudioData& audio, double timeout_seconds) {
  const std::string_view bytes = audio.bytes;
  std::uint64_t offset = 0;
  double pause = kFirstPauseSeconds;
  for (int failures = 0;;) {
    const std::uint64_t size = std::min<std::uint64_t>(options_.upload_chunk_bytes, bytes.size() - offset);
    const bool last = offset + size == bytes.size();
    const HttpResponse response =
        post(session,
             {"Content-Type: application/octet-stream", "X-Goog-Upload-Offset: " + std::to_string(offset),
              last ? "X-Goog-Upload-Command: upload, finalize" : "X-Goog-Upload-Command: upload"},
             bytes.substr(offset, size), timeout_seconds);
    if (ok(response)) {
      if (last) return response.body;
      offset += size;
      continue;
    }
    if (++failures >= kChunkTries || !may_resume(response)) fail(response, "");
    options_.clock->sleep_until(options_.clock->now() + pause);
    pause *= 2;
    offset = received_so_far(session, audio, timeout_seconds);
  }
}

std::string GeminiFiles::wait_until_active(std::string file_json, double timeout_seconds) {
  const double deadline = options_.clock->now() + options_.file_timeout_seconds;
  HttpResponse response;
  response.status = 200;
  response.body = std::move(file_json);
  for (;;) {
    const auto root = parse_object(response.body);
    if (!root) fail(response, "the answer is not JSON");
    const Json& file = root->contains("file") ? member(*root, "file") : *root;
    const std::string state = text_member(file, "state"), uri = text_member(file, "uri"), name = text_member(file, "name");
    if (state == "ACTIVE" && !uri.empty()) return uri;
    // "files/abc-123": it becomes part of an address.
    const bool good_name = name.starts_with("files/") && name.find_first_of("?#%: ", 0) == std::string::npos &&
                           name.find("..") == std::string::npos;
    if (state != "PROCESSING" || !good_name) fail(response, "the uploaded file is \"" + state + "\"");
    if (options_.clock->now() > deadline) fail(response, "the uploaded file is still being processed");
    options_.clock->sleep_until(options_.clock->now() + options_.poll_seconds);
    HttpRequest get;
    get.method = "GET";
    get.url = base_.whole() + "/" + name;
    get.headers = {options_.key.header("x-goog-api-key", "")};
    get.timeout_seconds = timeout_seconds;
    response = http_.send(get);
    if (!ok(response)) fail(response, "");
  }
}

std::string GeminiFiles::upload(const AudioData& audio, double timeout_seconds) {
  return wait_until_active(send_chunks(start(audio, timeout_seconds), audio, timeout_seconds), timeout_seconds);
}

}  // namespace areason::llm
