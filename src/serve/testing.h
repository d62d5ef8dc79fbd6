#pragma once
// A server with the model that ships, on a port of its own, for tests over real HTTP. Only *_test.cpp files include it.
// Thread rule: one thread makes and stops it; its clients from any.
#include <gtest/gtest.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "base/json.h"
#include "serve/server.h"

namespace areason::serve {

// One that is answered in no time, where it does not matter what is said.
inline Json short_question() {
  return {{"messages", {{{"role", "user"}, {"content", "Hello?"}}}}, {"structure", "free"}, {"max_tokens", 4}};
}

// Noise, which does not end by itself.
inline Json endless_question(int answers) {
  return {{"messages", {{{"role", "user"}, {"content", "Hello?"}}}},
          {"structure", "free"},
          {"temperature", 100},
          {"max_tokens", 3000},
          {"n", answers}};
}

inline Json body_of(const httplib::Result& result, int status = 200) {
  EXPECT_TRUE(result);
  if (!result) return {};
  EXPECT_EQ(result->status, status) << result->body;
  return parse_json(result->body, "the answer");
}

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
  int port() const { return std::stoi(url().substr(url().rfind(':') + 1)); }
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

  void await(const std::string& name, const std::string& value) const {
    while (metric(name) != value) std::this_thread::sleep_for(std::chrono::milliseconds(10));
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

// A client's socket, for requests that no library would send.
class RawClient {
 public:
  explicit RawClient(const Running& server) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval guard = {300, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &guard, sizeof guard);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(server.port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { close(); }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  void send(std::string_view bytes) {
    EXPECT_EQ(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  // The head of a POST, with a body of so many bytes to come.
  void send_head(std::size_t size, const std::string& more = "Connection: close\r\n") {
    send("POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n" + more + "Content-Length: " + std::to_string(size) + "\r\n\r\n");
  }
  void post(const Json& body) {
    const std::string text = dump_json(body);
    send_head(text.size());
    send(text);
  }
  // Everything until the server closes the connection.
  std::string rest() {
    std::string out;
    char buffer[4096];
    for (ssize_t got; (got = ::recv(socket_, buffer, sizeof buffer, 0)) > 0;) out.append(buffer, static_cast<std::size_t>(got));
    return out;
  }

 private:
  int socket_;
};

}  // namespace areason::serve
