#include "serve/answer_stream.h"

#include <utility>

namespace areason::serve {

void AnswerStream::put(AnswerPiece piece) {
  if (piece.text.content.empty() && piece.text.reasoning.empty()) return;
  {
    const std::lock_guard lock(mutex_);
    if (error_) return;
    pieces_.push_back(std::move(piece));
  }
  changed_.notify_one();
}

void AnswerStream::finish(int answer, Answer&& whole) {
  {
    const std::lock_guard lock(mutex_);
    if (error_) return;
    answers_[static_cast<std::size_t>(answer)] = std::move(whole);
    --left_;
  }
  changed_.notify_one();
}

void AnswerStream::fail(const std::exception_ptr& error) {
  cancelled_ = true;
  {
    const std::lock_guard lock(mutex_);
    if (error_ || left_ == 0) return;
    error_ = error;
  }
  changed_.notify_one();
}

AnswerStream::Taken AnswerStream::take(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  const auto finished = [this] { return error_ != nullptr || left_ == 0; };
  changed_.wait_for(lock, wait, [&] { return !pieces_.empty() || finished(); });
  return {std::exchange(pieces_, {}), finished(), error_};
}

}  // namespace areason::serve
