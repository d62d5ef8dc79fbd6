#pragma once
// What the server does with a request: check the key, read the body, queue it, write the answer as one object or as a stream of
// events. Called by the HTTP library's threads through server.cpp. Thread rule: safe from any thread.
#include <httplib.h>

#include <atomic>
#include <memory>
#include <string>

#include "serve/clip_files.h"
#include "serve/engine_thread.h"
#include "serve/metrics.h"
#include "serve/server.h"
#include "serve/wire.h"

namespace areason::serve {

class Handlers {
 public:
  explicit Handlers(const ServeOptions& options);

  void chat(const httplib::Request& request, httplib::Response& response);
  void models(const httplib::Request& request, httplib::Response& response);
  void health(const httplib::Request& request, httplib::Response& response);
  void metrics(const httplib::Request& request, httplib::Response& response);
  // True: its body is not wanted, and that has been answered.
  bool refuse_body(const httplib::Request& request, httplib::Response& response);
  // For what no route takes: the library's own 404, 413 and the like become error objects.
  void describe_error(const httplib::Request& request, httplib::Response& response);

  EngineThread& engine() { return engine_; }
  int open() const { return open_; }  // requests whose answer has not been written to the end
  void refuse_new() { draining_ = true; }

 private:
  struct Exchange;
  bool allowed(const httplib::Request& request, httplib::Response& response);
  void answer(const httplib::Request& request, httplib::Response& response);
  Job job_of(ChatRequest request);
  bool first_piece(Exchange& exchange, const httplib::Request& request, httplib::Response& response);
  void refuse(httplib::Response& response, int status, const std::string& message, const std::string& param = "");

  const ServeOptions options_;
  const long started_;
  Metrics metrics_;
  ClipFiles files_;
  EngineThread engine_;
  std::atomic<bool> draining_ = false;
  std::atomic<int> open_ = 0;
};

}  // namespace areason::serve
