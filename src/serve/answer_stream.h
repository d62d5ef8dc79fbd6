#pragma once
// The way of a request's answers from the engine's thread to the one that writes them to the client: pieces of text in order,
// then all answers, or an error. Made by EngineThread. Thread rule: one thread puts, one takes; cancel() from any.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <vector>

#include "reason/session.h"
#include "serve/wire.h"

namespace areason::serve {

struct AnswerPiece {
  int answer = 0;  // which of the request's
  AnswerText text;
};

class AnswerStream {
 public:
  explicit AnswerStream(int answers) : answers_(static_cast<std::size_t>(answers)), left_(answers) {}

  // The engine's side. Nothing after fail().
  void put(AnswerPiece piece);
  void finish(int answer, Answer&& whole);
  void fail(const std::exception_ptr& error);
  bool cancelled() const { return cancelled_; }

  struct Taken {
    std::vector<AnswerPiece> pieces;
    bool finished = false;     // all answers are there, or the error
    std::exception_ptr error;  // set: there are no answers
  };
  // What has come since the last call; waits for something at most so long.
  Taken take(std::chrono::milliseconds wait);
  // Once finished without an error.
  const std::vector<Answer>& answers() const { return answers_; }
  // Nobody listens any more: the answers end at their next token.
  void cancel() { cancelled_ = true; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<AnswerPiece> pieces_;
  std::vector<Answer> answers_;
  int left_;
  std::exception_ptr error_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace areason::serve
