#pragma once
// For tests of this folder only: a real HTTP server on loopback (cpp-httplib, port chosen by the system) whose answers a test
// scripts, with a log of what arrived and when; a clock that tests own; the answers' wire formats.
// Thread rule: the server calls its handler from many threads at once.
#include <httplib.h>
#include <sys/socket.h>

#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/json.h"
#include "llm/clock.h"
#include "llm/message.h"
#include "llm/secret.h"

namespace areason::llm::testing {

inline double steady_seconds() { return real_clock()->now(); }

struct Seen {
  double at = 0;
  std::string method, path, body;
  httplib::Headers headers;
  std::string header(const std::string& name) const {
    const auto it = headers.find(name);
    return it == headers.end() ? "" : it->second;
  }
};

class Server {
 public:
  using Handler = std::function<void(const httplib::Request&, httplib::Response&)>;

  explicit Server(Handler handler) : handler_(std::move(handler)) {
    server_.new_task_queue = [] { return new httplib::ThreadPool(40); };
    const auto serve = [this](const httplib::Request& request, httplib::Response& response) {
      {
        const std::lock_guard lock(mutex_);
        seen_.push_back({steady_seconds(), request.method, request.target, request.body, request.headers});
      }
      handler_(request, response);
    };
    server_.Post(".*", serve);
    server_.Get(".*", serve);
    server_.set_payload_max_length(std::size_t{1} << 30);
    server_.set_tcp_nodelay(true);
    server_.set_keep_alive_max_count(1'000'000);
    server_.set_keep_alive_timeout(1);
    // The library gives a request 5 s to arrive, which a stalled machine may need.
    server_.set_read_timeout(600);
    server_.set_write_timeout(600);
    // Not the library's options, which let others share the port; and its queue of 5 connections makes the sixth wait a second.
    int listener = -1;
    server_.set_socket_options([&](int socket) { listener = socket; });
    port_ = server_.bind_to_any_port("127.0.0.1");
    ::listen(listener, SOMAXCONN);
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();
  }
  ~Server() {
    release();
    server_.stop();
    thread_.join();
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::vector<Seen> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  // For handlers: holds the answer back until the test ends (the client's timeout comes first).
  void hang() {
    std::unique_lock lock(mutex_);
    released_.wait(lock, [this] { return let_go_; });
  }
  // Lets go of every answer that hangs.
  void release() {
    {
      const std::lock_guard lock(mutex_);
      let_go_ = true;
    }
    released_.notify_all();
  }

 private:
  Handler handler_;
  httplib::Server server_;
  mutable std::mutex mutex_;
  std::condition_variable released_;
  bool let_go_ = false;
  std::vector<Seen> seen_;
  int port_ = 0;
  std::thread thread_;
};

inline void answer(httplib::Response& response, const Json& body, int status = 200) {
  response.status = status;
  response.set_content(dump_json(body), "application/json");
}

// Promises the whole body, sends its first half, and closes the connection.
inline void cut_off(httplib::Response& response, std::string body) {
  const std::size_t size = body.size();
  response.set_content_provider(size, "application/json",
                                [body = std::move(body)](std::size_t, std::size_t, httplib::DataSink& sink) {
                                  sink.write(body.data(), body.size() / 2);
                                  return false;
                                });
}

// The body of a chat completion (platform.openai.com, "Chat Completions": the chat completion object).
inline Json chat_answer(const std::string& text, int prompt, int completion, const std::string& finish = "stop") {
  return {{"id", "chatcmpl-1"},
          {"object", "chat.completion"},
          {"created", 1767225600},
          {"model", "m"},
          {"choices", Json::array({{{"index", 0},
                                    {"message", {{"role", "assistant"}, {"content", text}, {"refusal", nullptr}}},
                                    {"logprobs", nullptr},
                                    {"finish_reason", finish}}})},
          {"usage", {{"prompt_tokens", prompt}, {"completion_tokens", completion}, {"total_tokens", prompt + completion}}}};
}

class ManualClock : public Clock {
 public:
  double now() override { return now_; }
  void sleep_until(double when) override {
    if (when <= now_) return;
    sleeps.push_back(when - now_);
    now_ = when;
  }
  void advance(double seconds) { now_ += seconds; }
  std::vector<double> sleeps;

 private:
  double now_ = 1000;
};

constexpr const char* kTestKey = "sk-test-0123456789abcdef/XYZ";
constexpr const char* kTestKeyVariable = "AREASON_LLM_TEST_KEY";
inline Secret test_key() {
  ::setenv(kTestKeyVariable, kTestKey, 1);
  return Secret::required(kTestKeyVariable);
}

inline Request ask(const std::string& text, const std::string& model = "m") {
  Request request;
  request.model = model;
  request.messages = {text_message(Role::kUser, text)};
  request.timeout_seconds = 300;  // against a hang only
  return request;
}

// A tenth of a second of a 440 Hz tone.
inline AudioPtr tone(int samples = 1600) {
  Waveform wave;
  for (int i = 0; i < samples; ++i)
    wave.samples.push_back(0.5f * std::sin(2 * 3.14159265f * 440 * static_cast<float>(i) / 16000));
  return audio_from_waveform(wave);
}

inline Request ask_about(const AudioPtr& clip, const std::string& text, const std::string& model = "m") {
  Request request = ask(text, model);
  request.messages[0].parts.insert(request.messages[0].parts.begin(), audio_part(clip, "a pure tone"));
  return request;
}

}  // namespace areason::llm::testing
