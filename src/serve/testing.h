#pragma once
// A server with the model that ships, on a port of its own, for tests over real HTTP. Only *_test.cpp files include it.
// Thread rule: one thread makes and stops it; its clients from any.
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "base/json.h"
#include "serve/server.h"

namespace areason::serve {

class Running {
 public:
  explicit Running(const std::function<void(ServeOptions&)>& change = {}) : server_(options(change)) {
    thread_ = std::thread([this] { server_.run([this] { return stop_.load(); }); });
  }
  ~Running() { stop(); }
  void stop() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
  }
  const std::string& url() const { return server_.url(); }
  httplib::Client client() const {
    httplib::Client out(url());
    out.set_read_timeout(600);
    return out;
  }
  httplib::Result post(const Json& body, const httplib::Headers& headers = {}) const {
    return client().Post("/v1/chat/completions", headers, dump_json(body), "application/json");
  }
  std::string metric(const std::string& name) const {
    const std::string text = client().Get("/metrics")->body;
    const auto at = text.find("\naudio_reasoner_" + name + " ");
    if (at == std::string::npos) return "";
    const auto begin = at + name.size() + 17;
    return text.substr(begin, text.find('\n', begin) - begin);
  }

 private:
  static ServeOptions options(const std::function<void(ServeOptions&)>& change) {
    ServeOptions out;
    out.model_dir = "models/nano";
    out.model_name = "nano";
    out.session.threads = 1;
    out.port = 0;
    if (change) change(out);
    return out;
  }
  Server server_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace areason::serve
