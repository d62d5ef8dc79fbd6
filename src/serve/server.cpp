#include "serve/server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <chrono>
#include <thread>

#include "base/error.h"
#include "base/log.h"
#include "infer/guide.h"
#include "model/model_files.h"
#include "serve/connections.h"
#include "serve/handlers.h"
#include "serve/page.h"

namespace areason::serve {
namespace {

// No request that leaves the limit out could be answered. Throws Error(kUsage), as `ask` does.
void check_token_limit(const ServeOptions& options) {
  if (options.ask.structure != Structure::kGuided) return;
  const Tokenizer tokenizer = load_model_tokenizer(options.model_dir);
  const MaskVocabulary vocabulary(tokenizer);
  GuideLayout layout(vocabulary, options.ask.choices);
  const StructureGuide throws_when_too_few(layout, {options.ask.max_new_tokens, {}});
}

ConnectionLimits connection_limits(const ServeOptions& options) {
  ConnectionLimits out;
  out.most = options.session.running + options.queue + options.connections;
  out.most_bytes = options.most_bytes;
  out.pause_seconds = options.pause_seconds;
  return out;
}

}  // namespace

struct Server::Impl {
  explicit Impl(const ServeOptions& how) : options(how), handlers(how), http(connection_limits(how)) { set_up(); }

  void set_up() {
    check_token_limit(options);
    http.set_tcp_nodelay(true);
    http.set_keep_alive_max_count(10000);
    http.set_pre_routing_handler([this](const auto& q, auto& r) {
      return handlers.refuse_body(q, r) ? httplib::Server::HandlerResponse::Handled
                                        : httplib::Server::HandlerResponse::Unhandled;
    });
    http.Post("/v1/chat/completions", [this](const auto& q, auto& r) { handlers.chat(q, r); });
    http.Get("/v1/models", [this](const auto& q, auto& r) { handlers.models(q, r); });
    http.Get("/health", [this](const auto& q, auto& r) { handlers.health(q, r); });
    http.Get("/metrics", [this](const auto& q, auto& r) { handlers.metrics(q, r); });
    if (options.page) add_page(http);
    http.set_error_handler([this](const auto& q, auto& r) { handlers.describe_error(q, r); });
    bind();
  }

  void bind() {
    // Not the library's options, which let a second server share the port; and its queue of 5 connections is too short.
    int listener = -1;
    http.set_socket_options([&listener](int socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
      listener = socket;
    });
    const bool any = options.port == 0;
    const int port = any                                             ? http.bind_to_any_port(options.host)
                     : http.bind_to_port(options.host, options.port) ? options.port
                                                                     : -1;
    if (port < 0) {
      throw Error(ErrorCode::kUsage, "cannot listen on " + options.host + ":" + std::to_string(options.port),
                  "choose a free --port and a --host that this machine has");
    }
    ::listen(listener, SOMAXCONN);
    const bool six = options.host.find(':') != std::string::npos;
    url = "http://" + (six ? "[" + options.host + "]" : options.host) + ":" + std::to_string(port);
  }

  // False: some answers were not written to the end in time.
  bool all_written(double seconds) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (handlers.open() > 0 && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return handlers.open() == 0;
  }

  void drain() {
    handlers.refuse_new();
    if (handlers.open() > 0) log_info("answers in progress are finished; Ctrl-C again ends them at once");
    if (all_written(options.drain_seconds)) return;
    handlers.engine().cancel_all();
    all_written(2);
  }

  ServeOptions options;
  Handlers handlers;
  HttpServer http;
  std::string url;
};

Server::Server(const ServeOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Server::~Server() = default;
const std::string& Server::url() const { return impl_->url; }
double Server::load_seconds() const { return impl_->handlers.engine().load().load_seconds; }

void Server::run(const std::function<bool()>& stop) {
  std::thread listening([this] { impl_->http.listen_after_bind(); });
  while (!stop() && !impl_->handlers.engine().failed()) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  impl_->drain();
  while (!impl_->http.is_running()) std::this_thread::yield();  // stop() before the start would be lost
  impl_->http.stop();
  listening.join();
  if (impl_->handlers.engine().failed())
    throw Error(ErrorCode::kFailure, "the engine failed while it served", "see the messages above; start the server again");
}

}  // namespace areason::serve
