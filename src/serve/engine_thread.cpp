#include "serve/engine_thread.h"

#include <utility>

#include "base/error.h"
#include "base/log.h"

namespace areason::serve {
namespace {

Dialogue dialogue_of(Reasoner& reasoner, const Job& job, Answer& answer) {
  Dialogue out;
  out.begin(job.request.options);
  std::size_t next = 0;
  for (const RequestTurn& turn : job.request.turns) {
    if (turn.speaker == Speaker::kAssistant) {
      out.add_assistant(turn.text);
      continue;
    }
    std::vector<std::string> paths;
    for (std::size_t i = 0; i < turn.clips.size(); ++i) paths.push_back(job.clips[next++].second->path());
    const std::size_t heard = answer.audio.size();
    out.add_user(reasoner.hear(paths, job.request.options, answer), turn.text);
    for (std::size_t i = heard; i < answer.audio.size(); ++i) answer.audio[i].path = job.clips[i].first;
  }
  return out;
}

}  // namespace

EngineThread::EngineThread(const std::string& model_dir, const SessionOptions& options, int queue)
    : options_(options), queue_(queue), thread_([this, model_dir] { run(model_dir); }) {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return ready_ || start_error_; });
  if (!start_error_) return;
  lock.unlock();
  thread_.join();
  std::rethrow_exception(start_error_);
}

EngineThread::~EngineThread() {
  cancel_all();
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void EngineThread::cancel_all() {
  const std::lock_guard lock(mutex_);
  for (const auto& open : open_)
    if (const auto stream = open.lock()) stream->cancel();
}

std::shared_ptr<AnswerStream> EngineThread::submit(Job job) {
  const auto stream = std::make_shared<AnswerStream>(job.request.answers);
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(waiting_, [](const Waiting& w) { return w.stream->cancelled(); });  // their clients have gone
    if (load_.failed || stopping_ || static_cast<int>(waiting_.size()) >= queue_) return nullptr;
    open_.remove_if([](const auto& open) { return open.expired(); });
    open_.push_back(stream);
    waiting_.push_back({std::move(job), stream});
  }
  wake_.notify_all();
  return stream;
}

EngineLoad EngineThread::load() const {
  const std::lock_guard lock(mutex_);
  EngineLoad out = load_;
  out.waiting = static_cast<int>(waiting_.size());
  return out;
}

void EngineThread::run(const std::string& model_dir) {
  std::unique_ptr<Reasoner> reasoner;
  try {
    reasoner = std::make_unique<Reasoner>(model_dir, options_);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    start_error_ = std::current_exception();
    wake_.notify_all();
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    load_.load_seconds = reasoner->load_seconds();
    ready_ = true;
  }
  wake_.notify_all();
  try {
    serve(*reasoner);
  } catch (...) {
    fail_all(std::current_exception());
  }
}

void EngineThread::serve(Reasoner& reasoner) {
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return active_ > 0 || !waiting_.empty() || stopping_; });
      if (stopping_ && active_ == 0 && waiting_.empty()) return;
    }
    Waiting waiting;
    while (next(waiting)) start(reasoner, waiting);
    if (active_ > 0) reasoner.engine().step();
    publish(reasoner);
  }
}

// As many answers as the engine writes at once, and one whose prompt is computed next.
bool EngineThread::next(Waiting& out) {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty() || active_ > options_.running) return false;
  out = std::move(waiting_.front());
  waiting_.pop_front();
  return true;
}

void EngineThread::start(Reasoner& reasoner, Waiting& waiting) {
  try {
    if (waiting.stream->cancelled()) throw Error(ErrorCode::kInterrupted, "the request was given up", "send it again");
    ask(reasoner, waiting);
  } catch (...) {
    waiting.stream->fail(in_clients_words(std::current_exception(), waiting.job.clips));
  }
}

void EngineThread::ask(Reasoner& reasoner, Waiting& waiting) {
  const std::shared_ptr<AnswerStream> stream = waiting.stream;
  const ChatRequest& request = waiting.job.request;
  Asked asked;
  const Dialogue dialogue = dialogue_of(reasoner, waiting.job, asked.answer);
  asked.stop = [stream] { return stream->cancelled(); };
  asked.keep = KeepPrefix::kAnswer;
  asked.failed = [this, stream](const std::exception_ptr& error) {
    --active_;
    stream->fail(in_clients_words(error, {}));
  };
  for (int i = 0; i < request.answers; ++i) {
    asked.options = request.options;
    asked.options.seed = sample_seed(request.options.seed, i);
    if (request.reasoning == Reasoning::kInline) {
      asked.text = [stream, i](std::string_view text) { stream->put({i, {std::string(text), ""}}); };
    } else {
      asked.sink = [stream, i](const SectionEvent& event) { stream->put({i, text_of(event)}); };
    }
    asked.done = [this, stream, i](Answer&& answer) {
      --active_;
      given_up_ += answer.finish_reason == "interrupted" ? 1 : 0;
      stream->finish(i, std::move(answer));
    };
    reasoner.submit(dialogue, asked);
    ++active_;
  }
}

void EngineThread::publish(const Reasoner& reasoner) {
  const SessionStats stats = reasoner.stats();
  const std::lock_guard lock(mutex_);
  load_.running = active_;
  load_.given_up = given_up_;
  load_.engine = stats;
}

void EngineThread::fail_all(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    log_message(LogLevel::kError, std::string("the engine failed, no request can be answered any more: ") + e.what());
  }
  const std::lock_guard lock(mutex_);
  load_.failed = true;
  load_.running = 0;
  waiting_.clear();
  for (const auto& open : open_)
    if (const auto stream = open.lock()) stream->fail(error);
}

}  // namespace areason::serve
