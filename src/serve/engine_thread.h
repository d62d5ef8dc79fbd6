#pragma once
// The one thread that owns the served model: it takes requests from a queue, hears their clips, and steps the engine, which
// writes all answers in progress together (continuous batching). Handlers queue and wait on the AnswerStream. A request that
// cannot be answered fails alone; when the engine itself fails, every request does and failed() stays true.
// Thread rule: construct and destroy on one thread, all else from any. Errors of the constructor: as Reasoner's.
#include <condition_variable>
#include <deque>
#include <exception>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "reason/reasoner.h"
#include "serve/answer_stream.h"
#include "serve/chat_request.h"
#include "serve/client_errors.h"

namespace areason::serve {

// A request whose clips are files.
struct Job {
  ChatRequest request;  // the clips' bytes have been moved out
  NamedClips clips;     // in the order of the turns' clips
};

struct EngineLoad {
  int running = 0;    // answers in progress
  int waiting = 0;    // requests
  long given_up = 0;  // answers whose client went away, or that the server's end cut
  bool failed = false;
  double load_seconds = 0;
  SessionStats engine;
};

class EngineThread {
 public:
  EngineThread(const std::string& model_dir, const SessionOptions& options, int queue);
  ~EngineThread();  // ends what is in progress
  EngineThread(const EngineThread&) = delete;
  EngineThread& operator=(const EngineThread&) = delete;

  // Null: as many requests as the queue takes are waiting.
  std::shared_ptr<AnswerStream> submit(Job job);
  EngineLoad load() const;
  bool failed() const { return load().failed; }
  // Ends all answers at their next token.
  void cancel_all();

 private:
  struct Waiting {
    Job job;
    std::shared_ptr<AnswerStream> stream;
  };
  void run(const std::string& model_dir);
  void serve(Reasoner& reasoner);
  bool next(Waiting& out);
  void start(Reasoner& reasoner, Waiting& waiting);
  void ask(Reasoner& reasoner, Waiting& waiting);
  void publish(const Reasoner& reasoner);
  void fail_all(const std::exception_ptr& error);

  const SessionOptions options_;
  const int queue_;
  long given_up_ = 0;  // as EngineLoad's; the engine's thread alone
  int active_ = 0;     // answers submitted to the engine and not done; the engine's thread alone
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false, ready_ = false;
  std::exception_ptr start_error_;
  std::deque<Waiting> waiting_;
  std::list<std::weak_ptr<AnswerStream>> open_;
  EngineLoad load_;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace areason::serve
