#include "cota/stage_run.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/error.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "base/thread_pool.h"

namespace areason {
namespace {

using SteadyClock = std::chrono::steady_clock;
using store::JobEnd;
using store::JobState;
using store::NewJob;

constexpr int kMostClaims = 20;    // a job that ended so many workers is poison
constexpr int kMostUnreached = 5;  // requests in a row that found no server, each with all its attempts
constexpr std::size_t kPlanBatch = 500;
constexpr auto kBeat = std::chrono::milliseconds(500);
constexpr auto kIdle = std::chrono::milliseconds(200);  // between looks for jobs that others may give back

std::string owner_name() {
  char host[256] = "host";
  ::gethostname(host, sizeof host - 1);
  static std::atomic<int> runs{0};
  return std::string(host) + "/" + std::to_string(::getpid()) + "/" + std::to_string(++runs) + "/" +
         std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
}

bool fits(const std::string& value, const std::string& glob) {
  // The same meaning of * as in the store.
  std::size_t v = 0, g = 0, star = std::string::npos, mark = 0;
  while (v < value.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      mark = v;
    } else if (g < glob.size() && glob[g] == value[v]) {
      ++g;
      ++v;
    } else if (star != std::string::npos) {
      g = star + 1;
      v = ++mark;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

bool wanted(const SourceClip& clip, const std::map<std::string, std::string>& where) {
  const std::map<std::string, std::string> values = {
      {"item", clip.id}, {"clip", clip.id}, {"source", clip.source.set}, {"task", clip.task}, {"split", clip.split}};
  return std::all_of(where.begin(), where.end(), [&](const auto& w) {
    const auto it = values.find(w.first);
    if (it == values.end())
      throw Error(ErrorCode::kUsage, "clips cannot be chosen by \"" + w.first + "\"", "use item, clip, source, task or split");
    return fits(it->second, w.second);
  });
}

NewJob job_for(Stage stage, const StagePrompt& prompt, const SourceClip& clip, const Sample* sample) {
  Json payload = Json::object();
  payload["clip"] = source_clip_to_json(clip);
  std::string item = clip.id;
  if (sample != nullptr) {
    payload["sample"] = sample_to_json(*sample);
    // The content names the item, so that another annotation of the same clip makes other jobs.
    item = sample->id + "~" + sha256_hex(dump_json(payload["sample"])).substr(0, 8);
  }
  return {{item, stage_name(stage), prompt.version},
          {clip.id, clip.source.set, sample == nullptr ? clip.task : sample->task, clip.split},
          dump_json(payload)};
}

std::vector<NewJob> follow_ups(const PromptLibrary& prompts, Stage stage, const SourceClip& clip,
                               const std::vector<Sample>& samples) {
  std::vector<NewJob> out;
  if (stage == Stage::kReview) return out;
  const Stage next = stage == Stage::kAnnotate ? Stage::kThink : Stage::kReview;
  for (const Sample& sample : samples) {
    SourceClip one = clip;
    std::erase_if(one.oracle, [&](const Sample& s) { return s.question != sample.question; });
    out.push_back(job_for(next, prompts.find(next, clip.source.set, sample.task), one, &sample));
  }
  return out;
}

std::string versions_hash(const PromptLibrary& prompts) {
  std::string all;
  for (const auto& [name, prompt] : prompts.all()) all += prompt.version + "\n";
  return sha256_hex(all);
}

class Runner {
 public:
  Runner(store::JobStore& store, const PromptLibrary& prompts, Teacher& teacher, const StageRunOptions& options)
      : store_(store), prompts_(prompts), teacher_(teacher), options_(options), owner_(owner_name()) {}

  StageRunReport run() {
    ThreadPool pool(options_.workers + 1);
    active_ = options_.workers;
    pool.parallel_for(static_cast<std::size_t>(options_.workers) + 1, 1, [&](std::size_t from, std::size_t to) {
      for (std::size_t i = from; i < to; ++i) i == 0 ? heart() : worker();
    });
    store_.release(owner_);
    report_progress();
    if (failure_) std::rethrow_exception(failure_);
    return {totals_, stopped_by_, stopped_how_};
  }

 private:
  // Keeps the leases alive and tells how it goes, until the last worker has ended.
  void heart() {
    auto renewed = SteadyClock::now();
    for (std::unique_lock lock(mutex_); active_ > 0;) {
      changed_.wait_for(lock, kBeat);
      lock.unlock();
      try {
        if (SteadyClock::now() - renewed > std::chrono::duration<double>(options_.lease_seconds / 4)) {
          store_.renew(owner_, options_.lease_seconds);
          renewed = SteadyClock::now();
        }
        report_progress();
      } catch (...) {
        fail();
      }
      lock.lock();
    }
  }

  void worker() {
    try {
      while (work_once()) {
      }
    } catch (...) {
      fail();
    }
    const std::lock_guard lock(mutex_);
    --active_;
    changed_.notify_all();
  }

  void fail() {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    over_ = true;
    changed_.notify_all();
  }

  // False when there is nothing left to do.
  bool work_once() {
    throw_if_interrupted();
    const std::vector<store::Job> jobs = take();
    if (jobs.empty()) return wait_for_more();
    std::vector<JobEnd> ends;
    std::exception_ptr trouble;
    try {
      for (const store::Job& job : jobs) {
        if (over()) break;  // the rest is given back
        if (auto end = one(job)) ends.push_back(std::move(*end));
      }
    } catch (...) {
      trouble = std::current_exception();  // after what is finished has been stored
    }
    const std::vector<bool> counted = store_.finish(owner_, ends);
    if (trouble) std::rethrow_exception(trouble);
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < ends.size(); ++i) count(ends[i], counted[i]);
    // What was not asked does not count against the limit: it is taken again.
    if (options_.limit > 0 && stage_of(jobs[0]) == options_.stages.front())
      taken_ -= std::count_if(ends.begin(), ends.end(), [](const JobEnd& end) { return end.unasked; });
    in_flight_ -= static_cast<int>(jobs.size());
    changed_.notify_all();
    return !over_;
  }

  bool over() {
    const std::lock_guard lock(mutex_);
    return over_;
  }

  // Later stages first, so that samples are finished rather than begun.
  std::vector<store::Job> take() {
    for (auto stage = options_.stages.rbegin(); stage != options_.stages.rend(); ++stage) {
      int count = options_.batch;
      const bool limited = options_.limit > 0 && *stage == options_.stages.front();
      {
        const std::lock_guard lock(mutex_);
        if (over_) return {};
        if (limited) count = static_cast<int>(std::min<std::int64_t>(count, options_.limit - taken_));
        if (limited) taken_ += count;
        in_flight_ += count;  // before the claim: nobody may think that all is over
      }
      auto jobs = count == 0 ? std::vector<store::Job>() : store_.claim(owner_, filter(*stage), count, options_.lease_seconds);
      const std::lock_guard lock(mutex_);
      in_flight_ -= count - static_cast<int>(jobs.size());
      if (limited) taken_ -= count - static_cast<int>(jobs.size());
      if (!jobs.empty()) return jobs;
    }
    return {};
  }

  store::JobFilter filter(Stage stage) const { return {stage_name(stage), prompts_.versions(stage), options_.where}; }

  // Own jobs on their way may bring new ones; those of other processes may come back when their worker dies.
  bool wait_for_more() {
    bool others = false;
    if (options_.limit == 0) {
      for (const Stage stage : options_.stages) others = others || store_.unfinished(filter(stage));
    }
    std::unique_lock lock(mutex_);
    if (over_ || (in_flight_ == 0 && !others)) return false;
    changed_.wait_for(lock, kIdle);
    return !over_;
  }

  std::optional<JobEnd> one(const store::Job& job) {
    if (job.claims > kMostClaims)
      return JobEnd{job.id, JobState::kFailed, {"", "poison", "its workers died again and again", "", "", {}}, {}};
    try {
      return asked(job);
    } catch (const Error& e) {
      if (e.code() != ErrorCode::kInput) throw;
      // A clip that is gone or broken is this job's trouble alone.
      log_warning(job.key.item + ": " + e.what());
      return JobEnd{job.id, JobState::kFailed, {"", "input", e.what(), "", teacher_.name(), {}}, {}};
    }
  }

  std::optional<JobEnd> asked(const store::Job& job) {
    const Stage stage = stage_of(job);
    const StageItem item = read_payload(job);
    const StagePrompt& prompt =
        prompts_.find(stage, item.clip.source.set, stage == Stage::kAnnotate ? item.clip.task : item.sample.task);
    const std::string reason = job.answer.outcome == "unusable" ? job.answer.reason : "";
    const TeacherReply answer = teacher_.ask(stage, item, prompt, stage_prompt_text(prompt, stage, item, reason));
    const llm::Reply& reply = answer.reply;
    JobEnd end;
    end.id = job.id;
    end.answer = {reply.text, llm::finish_name(reply.finish), reply.error, answer.fingerprint, teacher_.name(), {}};
    end.answer.cost = {reply.replayed ? 0 : reply.attempts, reply.usage.input, reply.usage.output, answer.money.pico};
    if (llm::stops_run(reply.finish)) {
      stop(reply);
      return {};
    }
    count_unreached(reply);
    end.unasked = reply.finish == llm::Finish::kUnreachable;
    if (end.unasked) return end;
    const bool last = job.tries + 1 >= options_.max_tries;
    if (reply.finish != llm::Finish::kStop) {
      const bool again = llm::is_transient(reply.finish) || reply.finish == llm::Finish::kLength ||
                         reply.finish == llm::Finish::kEmpty || reply.finish == llm::Finish::kRefused;
      end.state = again && !last ? JobState::kOpen : JobState::kFailed;
      return end;
    }
    StageResult result = read_stage_answer(stage, item, reply.text, prompt);
    if (!result.refusal.empty()) {
      end.answer.outcome = "unusable";
      end.answer.reason = result.refusal;
      end.state = last ? JobState::kFailed : JobState::kOpen;
      return end;
    }
    for (Sample& s : result.samples) s.teacher = teacher_.name();
    end.answer.outcome = "ok";
    end.follow_ups = follow_ups(prompts_, stage, item.clip, result.samples);
    return end;
  }

  void stop(const llm::Reply& reply) {
    const std::lock_guard lock(mutex_);
    if (stopped_by_.empty()) {
      stopped_by_ = reply.error.empty() ? "the provider" : reply.error;
      stopped_how_ = reply.finish;
    }
    over_ = true;
    changed_.notify_all();
  }

  // Without a server every job would end the same way, and none of them is to blame.
  void count_unreached(const llm::Reply& reply) {
    {
      const std::lock_guard lock(mutex_);
      unreached_ = reply.finish == llm::Finish::kUnreachable ? unreached_ + 1 : 0;
      if (unreached_ < kMostUnreached) return;
    }
    stop(reply);
  }

  void count(const JobEnd& end, bool counted) {
    totals_.cost += end.answer.cost;
    if (end.unasked) return;
    (!counted                         ? totals_.late
     : end.state == JobState::kDone   ? totals_.done
     : end.state == JobState::kFailed ? totals_.failed
                                      : totals_.refused) += 1;
  }

  void report_progress() {
    StageProgress now;
    {
      const std::lock_guard lock(mutex_);
      totals_.seconds = std::chrono::duration<double>(SteadyClock::now() - begin_).count();
      now = totals_;
    }
    if (options_.progress) options_.progress(now);
  }

  store::JobStore& store_;
  const PromptLibrary& prompts_;
  Teacher& teacher_;
  const StageRunOptions& options_;
  const std::string owner_;
  const SteadyClock::time_point begin_ = SteadyClock::now();
  std::mutex mutex_;
  std::condition_variable changed_;
  StageProgress totals_;
  std::string stopped_by_;
  llm::Finish stopped_how_ = llm::Finish::kStop;
  std::exception_ptr failure_;
  std::int64_t taken_ = 0;
  int in_flight_ = 0, active_ = 0, unreached_ = 0;
  bool over_ = false;
};

}  // namespace

std::size_t plan_annotations(store::JobStore& store, const PromptLibrary& prompts, const std::string& clips_file,
                             const PlanOptions& options) {
  std::vector<NewJob> batch;
  std::size_t added = 0;
  std::int64_t clips = 0;
  read_source_clips(clips_file, [&](SourceClip&& clip) {
    throw_if_interrupted();
    if (!clip.excluded.empty() || !wanted(clip, options.where) || (options.limit > 0 && clips >= options.limit)) return;
    ++clips;
    batch.push_back(job_for(Stage::kAnnotate, prompts.find(Stage::kAnnotate, clip.source.set, clip.task), clip, nullptr));
    if (batch.size() < kPlanBatch) return;
    added += store.add(batch);
    batch.clear();
  });
  return added + store.add(batch);
}

std::size_t plan_follow_ups(store::JobStore& store, const PromptLibrary& prompts, Stage stage) {
  // An answer brings its follow-ups with it, so nothing is missing unless the prompts have changed since.
  const std::string note = std::string("followed/") + stage_name(stage);
  const std::string prompts_now = versions_hash(prompts);
  if (store.note(note) == prompts_now) return 0;
  std::size_t added = 0;
  std::vector<NewJob> batch;
  const store::JobFilter filter{stage_name(stage), prompts.versions(stage), {}};
  store.each(filter, JobState::kDone, [&](store::Job&& job) {
    throw_if_interrupted();
    const StageItem item = read_payload(job);
    const std::string& task = stage == Stage::kAnnotate ? item.clip.task : item.sample.task;
    StageResult result = read_stage_answer(stage, item, job.answer.text, prompts.find(stage, item.clip.source.set, task));
    for (Sample& s : result.samples) s.teacher = job.answer.teacher;
    for (NewJob& next : follow_ups(prompts, stage, item.clip, result.samples)) batch.push_back(std::move(next));
    if (batch.size() < kPlanBatch) return;
    added += store.add(batch);
    batch.clear();
  });
  added += store.add(batch);
  store.set_note(note, prompts_now);
  return added;
}

StageRunReport run_stages(store::JobStore& store, const PromptLibrary& prompts, Teacher& teacher,
                          const StageRunOptions& options) {
  if (options.stages.empty() || options.workers < 1 || options.batch < 1 || options.max_tries < 1)
    throw Error(ErrorCode::kUsage, "stages, workers, batch and tries must be at least one", "see the flags of data run");
  const StageRunReport report = Runner(store, prompts, teacher, options).run();
  // Somebody with other prompts has planned meanwhile: what was answered here must be looked at again.
  for (const Stage stage : {Stage::kAnnotate, Stage::kThink}) {
    const std::string note = std::string("followed/") + stage_name(stage), planned = store.note(note);
    if (!planned.empty() && planned != versions_hash(prompts)) store.set_note(note, "");
  }
  return report;
}

}  // namespace areason
