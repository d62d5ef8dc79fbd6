#include "serve/handlers.h"

#include <chrono>
#include <ctime>
#include <random>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "serve/connections.h"

namespace areason::serve {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kWait(250);  // after which a client that has gone is noticed
constexpr int kClientGone = 499;    // nginx's status for it; seen in the metrics only
constexpr double kQuiet = 15;       // seconds without text after which a stream says that it lives

std::string new_id() {
  std::random_device device;
  std::string out = "chatcmpl-";
  for (int i = 0; i < 24; ++i) out += "0123456789abcdef"[device() & 15];
  return out;
}

// Takes as long for a wrong key as for the right one.
bool equal(const std::string& a, const std::string& b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size() && !b.empty(); ++i) difference |= static_cast<unsigned>(a[i] ^ b[i % b.size()]) & 0xffu;
  return difference == 0;
}

std::string event(const Json& data) { return "data: " + dump_json(data) + "\n\n"; }

bool send(httplib::DataSink& sink, const std::string& text) { return sink.write(text.data(), text.size()); }

}  // namespace

// A request that was queued. Its releaser ends the answers when the client has gone.
struct Handlers::Exchange {
  explicit Exchange(std::atomic<int>& open_exchanges) : open(open_exchanges) { ++open; }
  ~Exchange() { --open; }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  std::atomic<int>& open;
  ReplyHead head;
  std::shared_ptr<AnswerStream> stream;
  AnswerStream::Taken taken;  // not written yet
  Reasoning reasoning = Reasoning::kSeparate;
  bool include_usage = false;
  double arrived = 0, written = 0;
  std::vector<char> begun;  // of the answers: the role has been sent

  // One turn of the stream; false: the client has gone.
  bool write_events(httplib::DataSink& sink, Metrics& metrics);
  // The whole object, once it is there.
  bool write_object(httplib::DataSink& sink, Metrics& metrics);
  bool write_failure(httplib::DataSink& sink, const char* lead);

 private:
  std::string events_of(const AnswerPiece& piece);
};

std::string Handlers::Exchange::events_of(const AnswerPiece& piece) {
  const auto index = static_cast<std::size_t>(piece.answer);
  Json delta = Json::object();
  if (begun[index] == 0) delta["role"] = "assistant";
  begun[index] = 1;
  if (!piece.text.reasoning.empty()) delta["reasoning_content"] = piece.text.reasoning;
  if (!piece.text.content.empty()) delta["content"] = piece.text.content;
  return event(chunk(head, piece.answer, delta, nullptr));
}

bool Handlers::Exchange::write_failure(httplib::DataSink& sink, const char* lead) {
  std::string message = "the answer was given up";
  try {
    std::rethrow_exception(taken.error);
  } catch (const std::exception& e) {
    message = e.what();
  }
  send(sink, lead + dump_json(error_object(500, message, "")) + "\n\n");
  sink.done();
  return true;
}

bool Handlers::Exchange::write_events(httplib::DataSink& sink, Metrics& metrics) {
  if (taken.pieces.empty() && !taken.finished) taken = stream->take(kWait);
  std::string out;
  for (const AnswerPiece& piece : taken.pieces) out += events_of(piece);
  taken.pieces.clear();
  if (taken.error) return write_failure(sink, "data: ");
  if (taken.finished) {
    const std::vector<Answer>& answers = stream->answers();
    for (std::size_t i = 0; i < answers.size(); ++i)
      out += event(chunk(head, static_cast<int>(i), Json::object(), finish_reason(answers[i])));
    out += event(last_chunk(head, answers, include_usage)) + "data: [DONE]\n\n";
    metrics.answered(answers, monotonic_seconds() - arrived);
  } else if (out.empty() && monotonic_seconds() - written > kQuiet) {
    out = ": still at work\n\n";
  }
  if (!out.empty()) {
    written = monotonic_seconds();
    if (!send(sink, out)) return false;
  }
  if (taken.finished) sink.done();
  return taken.finished || sink.is_writable();
}

bool Handlers::Exchange::write_object(httplib::DataSink& sink, Metrics& metrics) {
  if (!taken.finished) taken = stream->take(kWait);
  if (!taken.finished) return sink.is_writable();  // the library itself looks only when it writes
  if (taken.error) return write_failure(sink, "");
  metrics.answered(stream->answers(), monotonic_seconds() - arrived);
  if (!send(sink, dump_json(completion(head, stream->answers(), reasoning)))) return false;
  sink.done();
  return true;
}

Handlers::Handlers(const ServeOptions& options)
    : options_(options), started_(std::time(nullptr)), engine_(options.model_dir, options.session, options.queue) {}

void Handlers::refuse(httplib::Response& response, int status, const std::string& message, const std::string& param) {
  response.status = status;
  response.set_content(dump_json(error_object(status, message, param)), "application/json");
  metrics_.count_response(status);
}

bool Handlers::allowed(const httplib::Request& request, httplib::Response& response) {
  if (options_.keys.empty()) return true;
  const std::string header = request.get_header_value("Authorization");
  const std::string key = header.rfind("Bearer ", 0) == 0 ? header.substr(7) : "";
  bool found = false;
  for (const std::string& known : options_.keys) found = equal(key, known) || found;
  if (found) return true;
  response.set_header("WWW-Authenticate", "Bearer");
  refuse(response, 401,
         key.empty() ? "no API key: send the header \"Authorization: Bearer KEY\"" : "this API key is not known here");
  return false;
}

Job Handlers::job_of(ChatRequest request) {
  Job out;
  for (RequestTurn& turn : request.turns) {
    for (RequestClip& clip : turn.clips) {
      out.clips.emplace_back(clip.name, files_.put(clip.bytes, clip.extension));
      clip.bytes = {};
    }
  }
  out.request = std::move(request);
  return out;
}

void Handlers::chat(const httplib::Request& request, httplib::Response& response) {
  if (!allowed(request, response)) return;
  if (draining_ || engine_.failed())
    return refuse(response, 503, draining_ ? "the server is being stopped" : "the engine has failed");
  try {
    answer(request, response);
  } catch (const RequestError& e) {
    refuse(response, 400, std::string(e.what()) + ": " + e.hint(), e.param());
  } catch (const Error& e) {
    const bool clients = e.code() == ErrorCode::kInput || e.code() == ErrorCode::kUsage;
    refuse(response, clients ? 400 : 500, std::string(e.what()) + ": " + e.hint());
  } catch (const std::exception& e) {
    log_warning(std::string("a request failed: ") + e.what());
    refuse(response, 500, "the server failed on this request");
  }
}

// Waits until the prompt has been computed: until then an error has a status of its own. False: the client has gone.
bool Handlers::first_piece(Exchange& exchange, const httplib::Request& request, httplib::Response& response) {
  while (exchange.taken.pieces.empty() && !exchange.taken.finished) {
    exchange.taken = exchange.stream->take(kWait);
    if (!request.progress || request.progress(0, 0)) continue;  // whether it is there: connections.cpp
    exchange.stream->cancel();
    refuse(response, kClientGone, "the client has gone");
    return false;
  }
  if (exchange.taken.error) std::rethrow_exception(exchange.taken.error);
  metrics_.first_text(monotonic_seconds() - exchange.arrived);
  metrics_.count_response(200);
  response.status = 200;
  return true;
}

void Handlers::answer(const httplib::Request& request, httplib::Response& response) {
  ChatRequest chat = parse_chat_request(request.body, options_.ask);
  if (!chat.model.empty() && chat.model != options_.model_name)
    return refuse(response, 404, "there is no model \"" + chat.model + "\" here, only \"" + options_.model_name + "\"",
                  "model");
  const bool stream = chat.stream;
  const auto exchange = std::make_shared<Exchange>(open_);
  exchange->head = {new_id(), options_.model_name, std::time(nullptr)};
  exchange->reasoning = chat.reasoning;
  exchange->include_usage = chat.include_usage;
  exchange->begun.resize(static_cast<std::size_t>(chat.answers));
  exchange->arrived = exchange->written = monotonic_seconds();
  exchange->stream = engine_.submit(job_of(std::move(chat)));
  if (exchange->stream == nullptr) {
    response.set_header("Retry-After", "1");
    return refuse(response, 429, "as many requests as the queue takes are waiting; come again in a moment");
  }
  if (!first_piece(*exchange, request, response)) return;
  // In pieces in either case: while an answer is written, they notice when the client has gone.
  response.set_chunked_content_provider(
      stream ? "text/event-stream" : "application/json",
      [this, exchange, stream](std::size_t, httplib::DataSink& sink) {
        return stream ? exchange->write_events(sink, metrics_) : exchange->write_object(sink, metrics_);
      },
      [exchange](bool) { exchange->stream->cancel(); });
  if (stream) response.set_header("Cache-Control", "no-cache");
}

void Handlers::models(const httplib::Request& request, httplib::Response& response) {
  if (!allowed(request, response)) return;
  const Json model = {{"id", options_.model_name}, {"object", "model"}, {"created", started_}, {"owned_by", "audio-reasoner"}};
  response.set_content(dump_json({{"object", "list"}, {"data", Json::array({model})}}), "application/json");
  metrics_.count_response(200);
}

void Handlers::health(const httplib::Request&, httplib::Response& response) {
  const bool well = !engine_.failed() && !draining_;
  response.status = well ? 200 : 503;
  response.set_content(dump_json({{"status", well ? "ok" : draining_ ? "stopping" : "failed"}}), "application/json");
}

void Handlers::metrics(const httplib::Request& request, httplib::Response& response) {
  if (!allowed(request, response)) return;
  response.set_content(metrics_.text(engine_.load()), "text/plain; version=0.0.4");
}

bool Handlers::refuse_body(const httplib::Request& request, httplib::Response& response) {
  if (refused_body(request, options_.most_bytes) != 415) return false;  // of 413 the library takes care
  refuse(response, 415, "a body with a Content-Encoding is not taken: send it as it is");
  return true;
}

void Handlers::describe_error(const httplib::Request& request, httplib::Response& response) {
  if (!response.body.empty()) return;
  const std::string most = std::to_string(options_.most_bytes) + " bytes";
  std::string message = "the request is not HTTP, did not come in whole or in time, or has more than " + most;
  if (response.status == 404)
    message = "there is nothing at " + request.method + " " + request.path + " (POST /v1/chat/completions answers)";
  if (response.status == 413) message = "the request is larger than the " + most + " that this server takes";
  // The HTTP library takes 8 KiB of a form at most.
  if (response.status == 413 && request.get_header_value("Content-Type").starts_with("application/x-www-form-urlencoded"))
    message = "a body of this size is not taken as a form: send it with Content-Type: application/json";
  refuse(response, response.status, message);
}

}  // namespace areason::serve
