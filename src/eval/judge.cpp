#include "eval/judge.h"

#include <filesystem>
#include <mutex>

#include "base/error.h"
#include "base/files.h"
#include "base/log.h"
#include "eval/judge_jobs.h"
#include "eval/mmar_rubrics.h"
#include "llm/clock.h"
#include "llm/workers.h"

namespace areason {
namespace {

double now() { return llm::real_clock()->now(); }

std::string verdicts_path(const std::string& folder) { return folder + "/judge/verdicts.jsonl"; }

// What a reply says: {"parsed": bool} and the points, or why not.
Json read_reply(const JudgeJob& job, const std::string& reply) {
  if (job.rubric.is_null()) {
    const JudgeReply points = parse_judge_reply(reply);
    if (!points.parsed) return {{"parsed", false}};
    return {{"parsed", true}, {"first", points.first}, {"second", points.second}};
  }
  const RubricReply rubric = parse_rubric_reply(reply, job.rubric);
  if (!rubric.score) return {{"parsed", false}, {"problem", rubric.problem}};
  return {{"parsed", true}, {"score", *rubric.score}};
}

// The rounds of one judge_run(): all open jobs once, then those again whose reply could not be read.
class Judging {
 public:
  Judging(const EvalRun& run, const JudgeOptions& options)
      : options_(options), jobs_(judge_jobs(run, options.orders, stats_.outcomes)), out_(verdicts_path(run.folder)) {
    stats_.wanted = jobs_.size();
    for (const JudgeJob& job : jobs_) {
      if (out_.has(job.id)) {
        ++stats_.there;
        continue;
      }
      auto& twins = twins_[std::to_string(job.sample) + job.prompt];
      if (twins.empty()) open_.push_back(&job);
      twins.push_back(&job);
    }
  }

  JudgeStats run() {
    std::optional<llm::RunSummary> last;
    for (round_ = 0; round_ < options_.tries && !open_.empty(); ++round_) {
      again_.clear();
      at_ = 0;
      last = llm::run_requests(
          *options_.judge.provider, options_.judge.workers, [this] { return next(); },
          [this](std::size_t position, const llm::Request&, const llm::Reply& reply) { done(position, reply); });
      if (last->stopped_by) break;
      open_ = again_;
    }
    stats_.failed = stats_.wanted - stats_.there - stats_.judged;
    if (last && last->stopped_by)
      throw Error(ErrorCode::kRemote, "the judge's server ended the run: " + last->stopped_by->error,
                  "the verdicts so far are kept; run the same command again when that is settled");
    return stats_;
  }

 private:
  std::optional<llm::Request> next() {
    const std::lock_guard lock(mutex_);
    if (at_ >= open_.size()) return std::nullopt;
    const JudgeJob& job = *open_[at_++];
    llm::Request request;
    request.model = options_.judge.model;
    request.parameters = options_.judge.parameters;
    request.timeout_seconds = options_.judge.timeout_seconds;
    request.sample = job.sample * 1000 + round_;
    if (!job.system.empty()) request.messages.push_back(llm::text_message(llm::Role::kSystem, job.system));
    request.messages.push_back(llm::text_message(llm::Role::kUser, job.prompt));
    return request;
  }

  void done(std::size_t position, const llm::Reply& reply) {
    const std::lock_guard lock(mutex_);
    const JudgeJob& job = *open_[position];
    const std::string finish = llm::finish_name(reply.finish);
    stats_.outcomes.add((llm::is_answer(reply.finish) ? "reply_" : "error_") + finish);
    if (!llm::is_answer(reply.finish)) {
      log_warning("judge of " + job.id + ": " + reply.error);
      return;
    }
    bool last_word = true;
    for (const JudgeJob* twin : twins_[std::to_string(job.sample) + job.prompt]) last_word = keep(*twin, reply) && last_word;
    if (!last_word) again_.push_back(&job);
    if (options_.progress) options_.progress(stats_.there + stats_.judged, stats_.wanted, now() - start_);
  }

  // Stores what a reply says; false when it says nothing and there are tries left.
  bool keep(const JudgeJob& job, const llm::Reply& reply) {
    Json verdict = {{"id", job.id},
                    {"item", job.item},
                    {"model", options_.judge.model},
                    {"try", round_ + 1},
                    {"finish", llm::finish_name(reply.finish)},
                    {"system", job.system},
                    {"prompt", job.prompt},
                    {"reply", reply.text}};
    verdict.update(read_reply(job, reply.text));
    if (!verdict["parsed"].get<bool>()) {
      stats_.outcomes.add("reply_unread");
      if (round_ + 1 < options_.tries) return false;
      ++stats_.unread;
    }
    ++stats_.judged;
    out_.append(dump_json(verdict));
    return true;
  }

  const JudgeOptions& options_;
  JudgeStats stats_;
  std::vector<JudgeJob> jobs_;
  AnswerFile out_;
  std::mutex mutex_;  // next() and done() may run at the same time
  // Jobs with the same words are one request: the same question at the same time could get two answers, of which a recording
  // would replay one.
  std::map<std::string, std::vector<const JudgeJob*>> twins_;
  std::vector<const JudgeJob*> open_, again_;
  std::size_t at_ = 0;
  int round_ = 0;
  double start_ = now();
};

}  // namespace

JudgeStats judge_run(const EvalRun& run, const JudgeOptions& options) { return Judging(run, options).run(); }

std::map<std::string, Json> read_verdicts(const std::string& folder, Counts& counts) {
  std::map<std::string, Json> out;
  const std::string path = verdicts_path(folder);
  if (!std::filesystem::exists(path)) return out;
  read_records(path, {}, counts, [&](Json&& line, std::size_t) {
    const std::string id = line.value("id", std::string());
    out.try_emplace(id, std::move(line));
  });
  return out;
}

std::map<std::string, Json> chat_verdicts(const EvalRun& run, Counts& counts) {
  std::map<std::string, Json> out;
  for (const auto& [id, verdict] : read_verdicts(run.folder, counts)) {
    const auto bar = id.rfind('|');
    if (bar == std::string::npos || !verdict.contains("reply")) continue;
    out[id.substr(0, bar)][id.substr(bar + 1) == "plain" ? "gpt-score" : "gpt-score-swapped"] = verdict["reply"];
  }
  return out;
}

void write_chat_scores(const EvalRun& run) {
  Counts ignored;
  const auto verdicts = chat_verdicts(run, ignored);
  const Predictions predictions = read_run(run);
  for (const bool plain : {true, false}) {
    Json lines = Json::array();
    for (const RunItem& item : run.all) {
      const auto verdict = verdicts.find(item.item->id);
      const auto line = predictions.lines.find(item.item->id);
      const char* key = plain ? "gpt-score" : "gpt-score-swapped";
      if (verdict == verdicts.end() || line == predictions.lines.end() || !verdict->second.contains(key)) continue;
      Json out = line->second;
      out.erase("run");
      out["gpt-score"] = verdict->second[key];
      lines.push_back(std::move(out));
    }
    write_file_atomic(run.folder + (plain ? "/judge/chat_score.json" : "/judge/chat_score_cir.json"),
                      dump_json(lines, 1) + "\n");
  }
}

}  // namespace areason
