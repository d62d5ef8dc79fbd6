#pragma once
// Gemini's Files API: resumable upload in chunks, then waiting until the file is ACTIVE. Used by gemini.cpp alone.
// Thread rule: uri_of() and forget() from any number of threads. Units: seconds, bytes.
#include <map>
#include <mutex>
#include <string>

#include "llm/gemini.h"

namespace areason::llm {

// Thrown inside this folder when an upload fails; gemini.cpp turns it into the attempt's reply.
struct UploadFailure {
  Reply reply;
};

class GeminiFiles {
 public:
  // `http` and `options` must outlive this.
  GeminiFiles(HttpClient& http, const GeminiOptions& options, BaseUrl base);
  // The URI of the clip, uploaded now unless it already is. Throws UploadFailure.
  std::string uri_of(const AudioData& audio, double timeout_seconds);
  // The server no longer knows this clip: it will be uploaded again.
  void forget(const AudioData& audio);

 private:
  struct Known {
    std::string uri;
    double uploaded_at = 0;
  };
  std::string upload(const AudioData& audio, double timeout_seconds);
  std::string start(const AudioData& audio, double timeout_seconds);
  std::string send_chunks(const std::string& session, const AudioData& audio, double timeout_seconds);
  std::uint64_t received_so_far(const std::string& session, const AudioData& audio, double timeout_seconds);
  HttpResponse post(const std::string& url, std::vector<std::string> headers, std::string_view body, double timeout_seconds);
  std::string wait_until_active(std::string file_json, double timeout_seconds);

  HttpClient& http_;
  const GeminiOptions& options_;
  BaseUrl base_;
  std::mutex mutex_;
  std::map<std::string, Known> known_;  // by sha256
};

}  // namespace areason::llm
