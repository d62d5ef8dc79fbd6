#pragma once
// `audio-reasoner serve`: an HTTP server with OpenAI's chat completions over one model. Routes: POST /v1/chat/completions, GET
// /v1/models, /health, /metrics, and a web page at / (docs/serve.md). Called by the CLI and by tests. Handlers run on threads
// of the HTTP library and only queue (engine_thread.h). Thread rule: construct, run and destroy on one thread. Errors of the
// constructor: Error(kModel), Error(kUsage) for an address that cannot be listened on.
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "reason/session.h"

namespace areason::serve {

struct ServeOptions {
  std::string model_dir;
  std::string model_name;  // in requests and answers
  AskOptions ask;          // what a request leaves out
  SessionOptions session;
  std::string host = "127.0.0.1";
  int port = 8080;                       // 0: any free one
  std::vector<std::string> keys;         // a request must bear one of them; empty: none is asked for
  bool page = true;                      // the web page at /, which asks for no key
  int queue = 64;                        // requests that wait; more are told to come again (429)
  std::size_t most_bytes = 64ull << 20;  // of a request's body
  int connections = 128;                 // beside those of `queue` and of the answers in progress
  double pause_seconds = 10;             // within a request that comes in
  double drain_seconds = 30;             // that answers in progress get when the server is stopped
};

class Server {
 public:
  explicit Server(const ServeOptions& options);
  ~Server();
  const std::string& url() const;  // "http://127.0.0.1:8080"
  double load_seconds() const;     // of the model
  // Serves until stop() returns true (asked ten times a second), then lets the answers in progress end. Throws Error(kFailure)
  // when the engine failed.
  void run(const std::function<bool()>& stop);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace areason::serve
