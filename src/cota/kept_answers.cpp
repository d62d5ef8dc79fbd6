#include "cota/kept_answers.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <mutex>

#include "base/error.h"
#include "base/file_lock.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/thread_pool.h"

namespace areason {
namespace {

// Requests in a row, each with all the attempts of its provider, that reach no server before the run ends.
constexpr int kUnreachedInARow = 5;

class Asker {
 public:
  Asker(const std::string& file, const AskedModelOptions& options, std::string what)
      : options_(options), what_(std::move(what)), file_(file), out_(file, std::ios::app), start_(Clock::now()) {
    if (!out_) throw Error(ErrorCode::kFailure, file + ": cannot be written", "check the folder's permissions");
  }

  KeptCounts ask(const std::vector<AskedItem>& items) {
    ThreadPool pool(std::min(options_.workers, static_cast<int>(std::max<std::size_t>(1, items.size()))));
    std::atomic<std::size_t> next{0};
    pool.parallel_for(static_cast<std::size_t>(pool.size()), 1, [&](std::size_t, std::size_t) {
      for (std::size_t i = next++; i < items.size() && !stopped_; i = next++) {
        throw_if_interrupted();
        one(items[i]);
        tell(items.size());
      }
    });
    if (!stop_reason_.empty())
      throw Error(
          ErrorCode::kRemote, what_ + " stopped: " + stop_reason_,
          "put that right (the key, the model's name, the server, the budget) and run the command again; what came is kept");
    std::sort(counts_.given_up.begin(), counts_.given_up.end());
    return counts_;
  }

 private:
  void one(const AskedItem& item) {
    std::string reason, told;  // why the last try failed; what the model is told of its last answer
    for (int attempt = 0; attempt < options_.max_tries; ++attempt) {
      const llm::Reply reply = options_.provider->complete(request(item.values, told, attempt));
      if (llm::stops_run(reply.finish) || lost(reply.finish)) return stop(reply.error);
      reason = reply.error.empty() ? std::string("it ended ") + llm::finish_name(reply.finish) : reply.error;
      if (reply.finish == llm::Finish::kStop) {
        Parsed<Json> line = item.read(reply.text);
        if (line.value) return keep(*line.value);
        reason = told = line.refusal;
      }
      const std::lock_guard lock(mutex_);
      ++counts_.refused_answers;
      counts_.last_refusal = reason;
    }
    const std::lock_guard lock(mutex_);
    counts_.given_up.push_back(item.id);
  }

  llm::Request request(const PromptValues& values, const std::string& reason, int attempt) const {
    llm::Request request;
    request.model = options_.model;
    request.sample = attempt;
    request.parameters = options_.parameters;
    request.parameters.max_output_tokens = options_.prompt.max_tokens;
    request.parameters.temperature = options_.prompt.temperature;
    request.timeout_seconds = options_.timeout_seconds;
    std::string text = render_prompt(options_.prompt, values);
    if (!reason.empty())
      text += "\n\nAn earlier answer to this could not be used: " + reason + ". Answer again, in the form described above.";
    request.messages = {llm::text_message(llm::Role::kUser, text)};
    return request;
  }

  // Is there no server any more?
  bool lost(llm::Finish finish) {
    if (finish != llm::Finish::kUnreachable) unreached_ = 0;
    return finish == llm::Finish::kUnreachable && ++unreached_ >= kUnreachedInARow;
  }
  void tell(std::size_t total) {
    const std::lock_guard lock(mutex_);
    ++done_;
    if (options_.progress) options_.progress(done_, total, std::chrono::duration<double>(Clock::now() - start_).count());
  }
  void keep(const Json& line) {
    const std::lock_guard lock(mutex_);
    out_ << dump_json(line) + "\n" << std::flush;
    if (!out_) throw Error(ErrorCode::kFailure, file_ + ": cannot be written", "is the disk full?");
    ++counts_.written;
  }
  void stop(const std::string& why) {
    const std::lock_guard lock(mutex_);
    stop_reason_ = why.empty() ? "no reason given" : why;
    stopped_ = true;
  }

  const AskedModelOptions& options_;
  const std::string what_, file_;
  std::ofstream out_;
  std::mutex mutex_;
  std::atomic<bool> stopped_{false};
  std::atomic<int> unreached_{0};
  std::string stop_reason_;
  KeptCounts counts_;
  std::size_t done_ = 0;
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start_;
};

bool is_json(std::string_view line) { return Json::accept(line); }

// A torn last line, which a stopped run leaves, is cut off before anything is appended; a whole one without its line end gets
// it.
void end_last_line(const std::string& file) {
  if (!std::filesystem::exists(file)) return;
  const std::string text = read_file(file);
  const std::size_t end = text.rfind('\n');
  const std::size_t good = end == std::string::npos ? 0 : end + 1;
  if (good == text.size()) return;
  if (!is_json(std::string_view(text).substr(good))) return std::filesystem::resize_file(file, good);
  std::ofstream(file, std::ios::app) << '\n';
}

}  // namespace

KeptCounts ask_and_keep(const std::string& file, const std::vector<AskedItem>& items, const AskedModelOptions& options,
                        const std::string& what) {
  if (items.empty()) return {};
  FileLock lock;
  lock.open_or_throw(file);
  end_last_line(file);
  return Asker(file, options, what).ask(items);
}

void require_some_answer(const KeptCounts& counts, const std::string& what) {
  if (counts.written > 0 || counts.known > 0 || counts.given_up.empty()) return;
  throw Error(ErrorCode::kRemote,
              what + ": none of " + std::to_string(counts.given_up.size()) + " answers could be used: " + counts.last_refusal,
              "is it the right server and a model that can follow the prompt?");
}

void each_kept(const std::string& file, const std::string& what,
               const std::function<void(const std::string&, const Json&, const std::string&)>& each) {
  if (!std::filesystem::exists(file)) return;
  const std::string text = read_file(file);
  int number = 0;
  for (std::size_t from = 0, to = 0; from < text.size(); from = to + 1) {
    to = std::min(text.find('\n', from), text.size());
    const std::string where = file + ", line " + std::to_string(++number);
    const std::string line = text.substr(from, to - from);
    if (trimmed(line).empty() || (to == text.size() && !is_json(line))) continue;  // nothing, or torn
    const Json json = parse_json(line, where);
    if (!json.is_object() || !json.contains("id") || !json["id"].is_string())
      throw Error(ErrorCode::kInput, where + ": " + what + " without \"id\"", "delete the line; it is asked for again");
    each(json["id"].get<std::string>(), json, where);
  }
}

}  // namespace areason
