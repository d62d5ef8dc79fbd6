#include "reason/batch.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "base/thread_pool.h"
#include "model/model_files.h"

namespace areason {
namespace {

// Models up to this size run one session a core: a small decoder has too little work a token to share it between cores.
constexpr std::uint64_t kSmallModel = std::uint64_t{256} << 20;
// Questions on the same audio are brought together within a block of this many; on standard output, answers wait for those
// before them in the block.
constexpr std::size_t kBlock = 256;

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

int worker_count(const BatchOptions& options, std::size_t jobs) {
  int workers = options.workers;
  if (workers <= 0) workers = model_weight_bytes(options.model_dir) <= kSmallModel ? available_cores() : 1;
  return std::clamp(workers, 1, std::max(1, static_cast<int>(std::min<std::size_t>(jobs, 1024))));
}

std::string answer_line(const std::string& id, const Answer& answer) {
  const Json whole = answer_to_json(answer, "");
  return dump_json({{"id", id},
                    {"text", whole["text"]},
                    {"sections", whole["sections"]},
                    {"finish_reason", whole["finish_reason"]},
                    {"usage", whole["usage"]}});
}

// One run over the questions: a queue of jobs for the workers, and answers put back into order.
class Batch {
 public:
  Batch(const std::vector<Question>& questions, const BatchOptions& options, AnswerFile& out, const BatchProgress& progress)
      : questions_(questions), options_(options), out_(out), progress_(progress), start_(now()) {
    make_jobs();
  }

  BatchStats run() {
    const int workers = worker_count(options_, jobs_.size());
    std::vector<std::thread> threads;
    for (int i = 0; i < workers && !jobs_.empty(); ++i) threads.emplace_back([this, workers] { work(workers); });
    for (std::thread& thread : threads) thread.join();
    // After Ctrl-C some answers still wait for one that never came.
    for (auto& [index, line] : waiting_) {
      if (line) out_.append(*line);
    }
    if (failure_) std::rethrow_exception(failure_);
    stats_.seconds = now() - start_;
    return stats_;
  }

 private:
  using Job = std::vector<std::size_t>;  // indices of questions on the same audio

  void make_jobs() {
    stats_.questions = questions_.size();
    for (std::size_t begin = 0; begin < questions_.size(); begin += kBlock) {
      std::map<std::vector<std::string>, std::size_t> job_of;
      for (std::size_t i = begin; i < std::min(begin + kBlock, questions_.size()); ++i) {
        if (out_.has(questions_[i].id)) {
          ++stats_.skipped;
          continue;
        }
        order_.push_back(i);
        const auto [it, added] = job_of.try_emplace(questions_[i].audio, jobs_.size());
        if (added) jobs_.emplace_back();
        jobs_[it->second].push_back(i);
      }
    }
  }

  void work(int workers) {
    try {
      Session session(options_.model_dir, workers > 1 ? 1 : 0);
      for (std::size_t job = next_job_++; job < jobs_.size(); job = next_job_++) {
        for (const std::size_t index : jobs_[job]) {
          if (interrupted() || stopped_) return;
          answer(session, index);
        }
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      stopped_ = true;
    }
  }

  void answer(Session& session, std::size_t index) {
    const Question& question = questions_[index];
    AskOptions ask = options_.ask;
    if (options_.choices == Choices::kForce) ask.choices = question.choices;
    std::optional<Answer> answer;
    try {
      session.begin(question.audio, question.turns, ask);
      answer = session.ask({}, question.question, ask);
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kInput) throw;
      log_warning("question " + question.id + ": " + e.what());
      const std::lock_guard lock(mutex_);
      if (options_.failed) options_.failed(question, e);
    }
    if (!answer || answer->finish_reason != "interrupted") finish(index, answer);
  }

  void finish(std::size_t index, const std::optional<Answer>& answer) {
    const std::lock_guard lock(mutex_);
    if (answer) {
      ++stats_.answered;
      stats_.prompt_tokens += answer->prompt_tokens;
      stats_.generated_tokens += answer->completion_tokens;
      const Question& question = questions_[index];
      const std::string line = options_.line ? options_.line(question, *answer) : answer_line(question.id, *answer);
      if (out_.is_file()) {
        out_.append(line);  // at once: a kill loses no finished answer, and a reader goes by the ids
        waiting_[index] = std::nullopt;
      } else {
        waiting_[index] = line;
      }
    } else {
      ++stats_.failed;
      waiting_[index] = std::nullopt;
    }
    while (next_line_ < order_.size() && waiting_.contains(order_[next_line_])) {
      const auto node = waiting_.extract(order_[next_line_++]);
      if (node.mapped()) out_.append(*node.mapped());
    }
    stats_.seconds = now() - start_;
    if (progress_) progress_(stats_);
  }

  const std::vector<Question>& questions_;
  const BatchOptions& options_;
  AnswerFile& out_;
  const BatchProgress& progress_;
  double start_;
  std::vector<std::size_t> order_;  // questions to answer, in input order
  std::vector<Job> jobs_;
  std::atomic<std::size_t> next_job_ = 0;
  std::atomic<bool> stopped_ = false;

  std::mutex mutex_;  // guards all below, and out_
  BatchStats stats_;
  std::map<std::size_t, std::optional<std::string>> waiting_;  // finished, but an earlier one is not; nullopt: no line to write
  std::size_t next_line_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

BatchStats answer_questions(const std::vector<Question>& questions, const BatchOptions& options, AnswerFile& out,
                            const BatchProgress& progress) {
  return Batch(questions, options, out, progress).run();
}

}  // namespace areason
