#include "serve/metrics.h"

#include <fmt/format.h>

namespace areason::serve {
namespace {

void head(std::string& out, const std::string& name, const char* type, const std::string& help) {
  out += fmt::format("# HELP audio_reasoner_{0} {1}\n# TYPE audio_reasoner_{0} {2}\n", name, help, type);
}

template <typename Number>
void write(std::string& out, const std::string& name, const char* type, const std::string& help, Number value) {
  head(out, name, type, help);
  out += fmt::format("audio_reasoner_{} {}\n", name, value);
}

}  // namespace

void Metrics::Histogram::add(double seconds) {
  std::size_t bucket = 0;
  while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
  ++counts[bucket];
  sum += seconds;
}

void Metrics::Histogram::write(const std::string& name, const std::string& help, std::string& out) const {
  head(out, name, "histogram", help);
  long total = 0;
  for (std::size_t i = 0; i < kBounds.size(); ++i) {
    total += counts[i];
    out += fmt::format("audio_reasoner_{}_bucket{{le=\"{}\"}} {}\n", name, kBounds[i], total);
  }
  total += counts.back();
  out += fmt::format("audio_reasoner_{0}_bucket{{le=\"+Inf\"}} {1}\naudio_reasoner_{0}_sum {2}\naudio_reasoner_{0}_count {1}\n",
                     name, total, sum);
}

void Metrics::count_response(int status) {
  const std::lock_guard lock(mutex_);
  ++responses_[status];
}

void Metrics::first_text(double seconds) {
  const std::lock_guard lock(mutex_);
  first_text_.add(seconds);
}

void Metrics::answered(std::span<const Answer> answers, double seconds) {
  const std::lock_guard lock(mutex_);
  request_.add(seconds);
  for (const Answer& answer : answers) {
    prompt_tokens_ += answer.prompt_tokens;
    audio_tokens_ += answer.audio_tokens;
    reused_tokens_ += answer.reused_tokens;
    generated_tokens_ += answer.completion_tokens;
  }
  for (const HeardAudio& heard : answers.front().audio) audio_seconds_ += heard.heard_seconds;
}

std::string Metrics::text(const EngineLoad& load) const {
  const std::lock_guard lock(mutex_);
  std::string out;
  head(out, "responses_total", "counter", "HTTP responses of the API by status.");
  for (const auto& [status, count] : responses_)
    out += fmt::format("audio_reasoner_responses_total{{status=\"{}\"}} {}\n", status, count);
  write(out, "prompt_tokens_total", "counter", "Tokens of prompts, audio included.", prompt_tokens_);
  write(out, "audio_tokens_total", "counter", "Tokens of audio in prompts.", audio_tokens_);
  write(out, "reused_tokens_total", "counter", "Tokens of prompts that had been computed before.", reused_tokens_);
  write(out, "generated_tokens_total", "counter", "Tokens of answers.", generated_tokens_);
  write(out, "audio_seconds_total", "counter", "Seconds of audio given to the model.", audio_seconds_);
  write(out, "answers_running", "gauge", "Answers in progress.", load.running);
  write(out, "requests_waiting", "gauge", "Requests in the queue.", load.waiting);
  write(out, "answers_given_up_total", "counter", "Answers that were not written to their end.", load.given_up);
  write(out, "kv_cache_bytes", "gauge", "Most bytes that keys and values have taken.", load.engine.kv_bytes);
  write(out, "tokens_a_pass", "gauge", "Mean answers written by one pass over the weights.", load.engine.tokens_a_pass);
  write(out, "engine_failed", "gauge", "1 when the engine can answer no more.", load.failed ? 1 : 0);
  first_text_.write("first_text_seconds", "Seconds from a request's arrival to its first text.", out);
  request_.write("request_seconds", "Seconds from a request's arrival to its last token.", out);
  return out;
}

}  // namespace areason::serve
