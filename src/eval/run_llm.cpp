#include "eval/run_llm.h"

#include <filesystem>
#include <mutex>
#include <set>

#include "base/error.h"
#include "base/log.h"
#include "llm/clock.h"
#include "llm/workers.h"

namespace areason {
namespace {

double now() { return llm::real_clock()->now(); }

llm::Request request_of(const AskedModel& asked, std::vector<llm::Part> parts) {
  llm::Request request;
  request.model = asked.model;
  request.parameters = asked.parameters;
  request.timeout_seconds = asked.timeout_seconds;
  if (!asked.system_prompt.empty()) request.messages.push_back(llm::text_message(llm::Role::kSystem, asked.system_prompt));
  request.messages.push_back({llm::Role::kUser, std::move(parts)});
  return request;
}

// The clip, or nothing (and a count) when it cannot be used.
llm::AudioPtr read_clip(const std::string& path, Counts& outcomes) {
  try {
    return llm::audio_from_file(path);
  } catch (const Error& e) {
    if (e.code() != ErrorCode::kInput) throw;
    log_warning(path + ": " + e.what());
    outcomes.add("unusable_audio");
    return nullptr;
  }
}

void throw_if_stopped(const llm::RunSummary& summary) {
  if (!summary.stopped_by) return;
  throw Error(ErrorCode::kRemote, "the model's server ended the run: " + summary.stopped_by->error,
              "what was answered is kept; run the same command again when that is settled");
}

Json usage_json(const llm::Usage& usage) {
  if (!usage.known) return Json();
  return {{"input", usage.input}, {"output", usage.output}, {"audio", usage.audio}, {"thinking", usage.thinking}};
}

// The items that still want an answer, with what is wrong with the others counted.
std::vector<const RunItem*> open_items(const EvalRun& run, const AnswerFile& out, RunStats& stats) {
  std::vector<const RunItem*> open;
  for (const RunItem& item : run.items) {
    ++stats.items;
    if (out.has(item.item->id)) {
      ++stats.skipped;
    } else if (!item.item->has_audio || item.prompt.empty()) {
      ++stats.failed;
      ++stats.outcomes[item.item->has_audio ? "no_prompt_field" : "missing_audio"];
    } else {
      open.push_back(&item);
    }
  }
  return open;
}

// One run_llm(): requests from items, lines from replies.
class LlmRunner {
 public:
  LlmRunner(EvalRun& run, const LlmRun& options) : run_(run), options_(options), lock_(run), out_(run.predictions) {
    open_ = open_items(run, out_, stats_);
  }

  RunStats run() {
    const llm::RunSummary summary = llm::run_requests(
        *options_.asked.provider, options_.asked.workers, [this] { return next(); },
        [this](std::size_t position, const llm::Request&, const llm::Reply& reply) { done(position, reply); });
    for (const auto& [name, n] : outcomes_.all()) stats_.outcomes[name] += n;
    stats_.seconds = now() - start_;
    stats_.failed = stats_.items - stats_.skipped - stats_.answered;
    throw_if_stopped(summary);
    return stats_;
  }

 private:
  std::optional<llm::Request> next() {
    const std::lock_guard lock(mutex_);
    while (at_ < open_.size()) {
      const RunItem& item = *open_[at_++];
      auto parts = options_.heard ? told(item) : sounds(item);
      if (parts.empty()) continue;
      sent_.push_back(&item);
      return request_of(options_.asked, std::move(parts));
    }
    return std::nullopt;
  }

  std::vector<llm::Part> sounds(const RunItem& item) {
    std::vector<llm::Part> parts;
    for (const std::string& path : item.item->audio) {
      llm::AudioPtr clip = read_clip(path, outcomes_);
      if (!clip) return {};
      parts.push_back(llm::audio_part(std::move(clip)));
    }
    parts.push_back({item.prompt, nullptr});
    return parts;
  }

  std::vector<llm::Part> told(const RunItem& item) {
    std::string text;
    for (const std::string& path : item.item->audio) {
      const auto found = options_.heard->find(path);
      if (found == options_.heard->end()) {
        outcomes_.add("not_heard");
        return {};
      }
      text += "What is heard in the audio: " + found->second + "\n\n";
    }
    return {{text + item.prompt, nullptr}};
  }

  void done(std::size_t position, const llm::Reply& reply) {
    const std::lock_guard lock(mutex_);
    const RunItem& item = *sent_[position];
    const std::string finish = llm::finish_name(reply.finish);
    if (llm::is_answer(reply.finish)) {
      outcomes_.add("finish_" + finish);
      ++stats_.answered;
      Json more = {{"attempts", reply.attempts}};
      if (!reply.detail.empty()) more["detail"] = reply.detail;
      out_.append(prediction_line(run_, item, {reply.text, finish, usage_json(reply.usage), more}));
    } else {
      outcomes_.add("error_" + finish);
      log_warning("item " + item.item->id + ": " + reply.error);
    }
    if (options_.progress) options_.progress(stats_.skipped + stats_.answered, stats_.skipped + open_.size(), now() - start_);
  }

  EvalRun& run_;
  const LlmRun& options_;
  RunLock lock_;
  AnswerFile out_;
  std::mutex mutex_;  // next() and done() may run at the same time
  RunStats stats_;
  Counts outcomes_;
  double start_ = now();
  std::vector<const RunItem*> open_, sent_;
  std::size_t at_ = 0;
};

}  // namespace

std::map<std::string, std::string> hear_clips(const EvalRun& run, const ListenerUse& listening, Counts& outcomes,
                                              const RunProgress& progress) {
  const std::string path = run.folder + "/heard.jsonl";
  std::map<std::string, std::string> heard;
  AnswerFile out(path);
  Counts ignored;
  if (std::filesystem::exists(path))
    read_records(path, {}, ignored, [&](Json&& line, std::size_t) { heard[line.value("id", "")] = line.value("text", ""); });
  std::vector<std::string> clips, sent;
  std::set<std::string> seen;
  for (const RunItem& item : run.items) {
    if (!item.item->has_audio) continue;
    for (const std::string& clip : item.item->audio)
      if (!out.has(clip) && seen.insert(clip).second) clips.push_back(clip);
  }
  std::size_t at = 0, finished = 0;
  const double start = now();
  std::mutex mutex;  // next and done may run at the same time
  const auto next = [&]() -> std::optional<llm::Request> {
    const std::lock_guard lock(mutex);
    while (at < clips.size()) {
      const std::string& clip = clips[at++];
      llm::AudioPtr audio = read_clip(clip, outcomes);
      if (!audio) continue;
      sent.push_back(clip);
      std::vector<llm::Part> parts = {llm::audio_part(std::move(audio))};
      if (!listening.question.empty()) parts.push_back({listening.question, nullptr});
      return request_of(listening.listener, std::move(parts));
    }
    return std::nullopt;
  };
  const auto done = [&](std::size_t position, const llm::Request&, const llm::Reply& reply) {
    const std::lock_guard lock(mutex);
    outcomes.add(std::string("heard_") + llm::finish_name(reply.finish));
    if (llm::is_answer(reply.finish)) {
      out.append(dump_json({{"id", sent[position]}, {"text", reply.text}, {"finish", llm::finish_name(reply.finish)}}));
      heard[sent[position]] = reply.text;
    }
    if (progress) progress(++finished, clips.size(), now() - start);
  };
  throw_if_stopped(llm::run_requests(*listening.listener.provider, listening.listener.workers, next, done));
  return heard;
}

RunStats run_llm(EvalRun& run, const LlmRun& options) { return LlmRunner(run, options).run(); }

}  // namespace areason
