#include "reason/batch.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "base/thread_pool.h"
#include "model/model_files.h"
#include "reason/reasoner.h"

namespace areason {
namespace {

// Models up to this size run one session a core: a small decoder has too little work a token to share it between cores.
constexpr std::uint64_t kSmallModel = std::uint64_t{256} << 20;
// Questions on the same audio are brought together within a block of this many; on standard output, answers wait for those
// before them in the block.
constexpr std::size_t kBlock = 256;

int worker_count(const BatchOptions& options, std::size_t jobs) {
  int workers = options.workers;
  // libtorch has threads of its own, and a device holds the weights once.
  const bool small = options.session.backend.is_native() && model_weight_bytes(options.model_dir) <= kSmallModel;
  if (workers <= 0) workers = small ? available_cores() : 1;
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
      : questions_(questions), options_(options), out_(out), progress_(progress), start_(monotonic_seconds()) {
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
    stats_.seconds = monotonic_seconds() - start_;
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
      SessionOptions session = options_.session;
      if (workers > 1) session.threads = 1;
      Reasoner reasoner(options_.model_dir, session);
      Worker worker{reasoner, {}, 0};
      bool more = true;
      for (;;) {
        // As many questions as the engine takes, and one whose prompt is computed next.
        while (more && worker.asked < session.running + 1) more = ask_next(worker);
        if (!reasoner.engine().step() && !more) break;
      }
      const std::lock_guard lock(mutex_);
      SessionStats stats = reasoner.stats();
      stats.kv_bytes += stats_.engine.kv_bytes;
      stats.drafted += stats_.engine.drafted;
      stats.accepted += stats_.engine.accepted;
      stats_.engine = std::move(stats);
    } catch (...) {
      fail(std::current_exception());
    }
  }

  // One thread with its own model.
  struct Worker {
    Reasoner& reasoner;
    Job job;        // the questions on a clip that are left, last first
    int asked = 0;  // and not yet answered
  };

  void fail(const std::exception_ptr& failure) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = failure;
    stopped_ = true;
  }

  // False: there is nothing left to ask.
  bool ask_next(Worker& worker) {
    if (interrupted() || stopped_) return false;
    if (worker.job.empty()) {
      const std::size_t next = next_job_++;
      if (next >= jobs_.size()) return false;
      worker.job.assign(jobs_[next].rbegin(), jobs_[next].rend());
    }
    const std::size_t index = worker.job.back();
    worker.job.pop_back();
    ask(worker, index);
    return true;
  }

  void ask(Worker& worker, std::size_t index) {
    const Question& question = questions_[index];
    Asked asked;
    asked.options = options_.ask;
    if (options_.choices == Choices::kForce) asked.options.choices = question.choices;
    asked.stop = [this] { return interrupted() || stopped_; };
    asked.done = [this, &worker, index](Answer&& answer) {
      --worker.asked;
      if (answer.finish_reason != "interrupted") finish(index, std::move(answer));
    };
    asked.failed = [this, &worker, index](const std::exception_ptr& failure) {
      --worker.asked;
      refuse(index, failure);
    };
    try {
      const Dialogue dialogue = dialogue_of(worker.reasoner, question, asked);
      worker.reasoner.submit(dialogue, asked);
      ++worker.asked;
    } catch (...) {
      refuse(index, std::current_exception());
    }
  }

  static Dialogue dialogue_of(Reasoner& reasoner, const Question& question, Asked& asked) {
    Dialogue out;
    HeardClips clips = reasoner.hear(question.audio, asked.options, asked.answer);
    out.begin(asked.options);
    for (const Exchange& round : question.turns) {
      out.add_user(std::exchange(clips, {}), round.question);
      out.add_assistant(round.response);
    }
    out.add_user(clips, question.question);
    return out;
  }

  // A question that cannot be answered is left out; any other error ends the run.
  void refuse(std::size_t index, const std::exception_ptr& failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kInput) return fail(failure);
      log_warning("question " + questions_[index].id + ": " + e.what());
      const std::lock_guard lock(mutex_);
      if (options_.failed) options_.failed(questions_[index], e);
    } catch (...) {
      return fail(failure);
    }
    finish(index, std::nullopt);
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
    stats_.seconds = monotonic_seconds() - start_;
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
