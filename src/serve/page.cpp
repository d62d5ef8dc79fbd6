#include "serve/page.h"

#include <httplib.h>

#include <string>

#include "base/hash.h"

namespace areason::serve {
namespace {

// Only files of this server run or load, blob: is for clips that the user chose; no other site may frame the page.
constexpr const char* kContentPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string pattern(std::string_view path) {
  std::string out;
  for (const char c : path) out += c == '.' ? std::string("\\.") : std::string(1, c);
  return out;
}

void send_file(const PageFile& file, const std::string& tag, const httplib::Request& request, httplib::Response& response) {
  response.set_header("Content-Security-Policy", kContentPolicy);
  response.set_header("X-Content-Type-Options", "nosniff");
  response.set_header("X-Frame-Options", "DENY");
  response.set_header("Referrer-Policy", "no-referrer");
  // Browsers ask every time whether it is still this: a newer program shows its own page at once.
  response.set_header("Cache-Control", "no-cache");
  response.set_header("ETag", tag);
  if (request.get_header_value("If-None-Match").find(tag) != std::string::npos) {
    response.status = 304;
    return;
  }
  response.set_content(file.bytes.data(), file.bytes.size(), std::string(file.type));
}

}  // namespace

void add_page(httplib::Server& http) {
  for (const PageFile& file : page_files()) {
    const std::string tag = '"' + sha256_hex(file.bytes).substr(0, 32) + '"';
    http.Get(pattern(file.path), [&file, tag](const httplib::Request& request, httplib::Response& response) {
      send_file(file, tag, request, response);
    });
  }
}

}  // namespace areason::serve
