#pragma once
// Google's Gemini API (REST, generateContent): audio inline as base64, or through the Files API when the request would be over
// 20 MB. Uploaded files are reused by content until shortly before they expire (48 h). Built by config.h.
// Thread rule: complete() from any number of threads. One call is one attempt (uploads try again on their own); governed.h adds
// retries and limits. Units: seconds, bytes.
#include <cstdint>
#include <memory>
#include <string>

#include "llm/clock.h"
#include "llm/http.h"
#include "llm/provider.h"
#include "llm/secret.h"

namespace areason::llm {

struct GeminiOptions {
  std::string url = "https://generativelanguage.googleapis.com/v1beta";  // an address without a path gets /v1beta
  Secret key;
  // "BLOCK_NONE", "BLOCK_ONLY_HIGH", … for every harm category; "" leaves Google's defaults.
  std::string safety_threshold;
  // Google: a whole request with inline data may have 20 MB.
  std::uint64_t inline_limit_bytes = 20'000'000;
  std::uint64_t upload_chunk_bytes = std::uint64_t{8} << 20;  // as Google's SDK; a multiple of 256 KiB
  double poll_seconds = 1;                                    // between looks at a file that is being processed
  double file_timeout_seconds = 300;                          // until an uploaded file must be ACTIVE
  std::shared_ptr<Clock> clock = real_clock();
  HttpOptions http;
};

ProviderPtr make_gemini(const GeminiOptions& options);

}  // namespace areason::llm
