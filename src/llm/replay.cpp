#include "llm/replay.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "llm/wire.h"

namespace areason::llm {
namespace {

Json canonical(const Request& request) {
  const GenerationParameters& parameters = request.parameters;
  Json out = {{"model", request.model}, {"max", parameters.max_output_tokens}, {"sample", request.sample}};
  if (parameters.temperature) out["temperature"] = *parameters.temperature;
  if (parameters.top_p) out["top_p"] = *parameters.top_p;
  if (parameters.top_k) out["top_k"] = *parameters.top_k;
  if (parameters.seed) out["seed"] = *parameters.seed;
  if (!parameters.stop.empty()) out["stop"] = parameters.stop;
  if (!parameters.extra_json.empty()) out["extra"] = parameters.extra_json;
  out["messages"] = Json::array();
  for (const Message& message : request.messages) {
    Json parts = Json::array();
    // Named members: a text that looks like a clip's hash is another thing.
    for (const Part& part : message.parts)
      parts.push_back(part.audio ? Json{{"audio", part.audio->sha256}} : Json{{"text", part.text}});
    out["messages"].push_back({{"role", static_cast<int>(message.role)}, {"parts", std::move(parts)}});
  }
  return out;
}

Json line_json(const std::string& hash, const Request& request, const Reply& reply) {
  Json line = {{"hash", hash},
               {"model", request.model},
               {"finish", finish_name(reply.finish)},
               {"detail", reply.detail},
               {"text", reply.text}};
  if (reply.usage.known)
    line["usage"] = {{"input", reply.usage.input},
                     {"output", reply.usage.output},
                     {"audio", reply.usage.audio},
                     {"thinking", reply.usage.thinking}};
  line["attempts"] = reply.attempts;
  line["latency"] = reply.latency_seconds;
  line["raw"] = reply.raw;
  return line;
}

Reply reply_from(const Json& line, const std::string& what) {
  Reply reply;
  reply.finish = finish_from_name(text_member(line, "finish"), what);
  if (!is_answer(reply.finish) || !member(line, "text").is_string())
    throw Error(ErrorCode::kInput, what + ": not a recorded answer", "lines are written by record mode, see docs/teachers.md");
  reply.text = text_member(line, "text");
  reply.detail = text_member(line, "detail");
  reply.raw = text_member(line, "raw");
  const Json& usage = member(line, "usage");
  reply.usage = {usage.is_object(), count_member(usage, "input"), count_member(usage, "output"), count_member(usage, "audio"),
                 count_member(usage, "thinking")};
  reply.attempts = static_cast<int>(std::min<std::int64_t>(count_member(line, "attempts"), 1000));
  reply.http_status = 200;
  reply.replayed = true;
  return reply;
}

// An open file that is locked against other processes while this lives.
class Locked {
 public:
  explicit Locked(int fd) : fd_(fd) {
    while (::flock(fd_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~Locked() { ::flock(fd_, LOCK_UN); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  int fd_;
};

class Replay : public Provider {
 public:
  Replay(ProviderPtr inner, std::string path, ReplayMode mode) : inner_(std::move(inner)), path_(std::move(path)), mode_(mode) {
    if (mode_ == ReplayMode::kRecord) open_for_appending();
    read_all();
  }
  ~Replay() override {
    if (fd_ >= 0) ::close(fd_);
  }

  Reply complete(const Request& request) override {
    const std::string hash = request_hash(request);
    {
      const std::lock_guard lock(mutex_);
      const auto it = answers_.find(hash);
      if (it != answers_.end()) return it->second;
    }
    if (mode_ == ReplayMode::kReplay) return not_recorded(hash);
    Reply reply = inner_->complete(request);
    if (is_answer(reply.finish)) record(hash, request, reply);
    return reply;
  }

  std::string name() const override {
    return (mode_ == ReplayMode::kReplay ? "replay " : "recorded in ") + path_ + (inner_ ? " of " + inner_->name() : "");
  }

 private:
  [[noreturn]] void fail(const char* step) const {
    throw Error(ErrorCode::kFailure, "cannot " + std::string(step) + " " + path_ + ": " + std::strerror(errno),
                "check the free space and the permissions of its directory");
  }

  void open_for_appending() {
    make_directories(parent_directory(path_));
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (fd_ < 0) fail("open");
    const Locked locked(fd_);
    cut_broken_tail();
  }

  // A crash can only have broken the last line: everything before it was flushed.
  void cut_broken_tail() {
    const off_t size = ::lseek(fd_, 0, SEEK_END);
    off_t end = size;
    for (char c = 0; end > 0; --end)
      if (::pread(fd_, &c, 1, end - 1) != 1 || c == '\n') break;
    if (end == size) return;
    log_warning(path_ + ": the last line is incomplete (an earlier run was cut off); it is removed");
    if (::ftruncate(fd_, end) != 0) fail("repair");
  }

  void read_all() {
    const std::string text = read_file(path_);
    std::size_t number = 0;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      if (end == std::string::npos) {
        log_warning(path_ + ": the last line is incomplete (an earlier run was cut off); it is left out");
        return;
      }
      const std::string what = path_ + ", line " + std::to_string(++number);
      const Json line = parse_json(std::string_view(text).substr(at, end - at), what);
      answers_.try_emplace(text_member(line, "hash"), reply_from(line, what));
      at = end + 1;
    }
  }

  void record(const std::string& hash, const Request& request, const Reply& reply) {
    const std::string line = dump_json(line_json(hash, request, reply)) + "\n";
    const std::lock_guard lock(mutex_);
    if (!answers_.try_emplace(hash, replayed(reply)).second) return;  // another thread asked the same meanwhile
    const Locked locked(fd_);
    const off_t before = ::lseek(fd_, 0, SEEK_END);
    std::string_view left = line;
    while (!left.empty()) {
      const ssize_t n = ::write(fd_, left.data(), left.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) {
        const int why = errno;
        if (::ftruncate(fd_, before) != 0) log_warning(path_ + ": a piece of a line may be left at its end");
        errno = why;
        fail("write");
      }
      left.remove_prefix(static_cast<std::size_t>(n));
    }
    if (::fdatasync(fd_) != 0) fail("flush");
  }

  static Reply replayed(Reply reply) {
    reply.replayed = true;
    return reply;
  }

  Reply not_recorded(const std::string& hash) const {
    Reply reply;
    reply.finish = Finish::kNotRecorded;
    reply.detail = "not recorded";
    reply.error = path_ + " holds no answer to the request " + hash.substr(0, 12);
    reply.attempts = 0;
    return reply;
  }

  ProviderPtr inner_;
  const std::string path_;
  const ReplayMode mode_;
  int fd_ = -1;
  std::mutex mutex_;
  std::unordered_map<std::string, Reply> answers_;
};

}  // namespace

std::string request_hash(const Request& request) { return sha256_hex(dump_json(canonical(request))); }

ProviderPtr make_replay(ProviderPtr inner, const std::string& path, ReplayMode mode) {
  if (mode == ReplayMode::kRecord && !inner)
    throw Error(ErrorCode::kUsage, "answers are to be recorded in " + path + ", but no provider is named",
                "name a provider to ask");
  return std::make_shared<Replay>(std::move(inner), path, mode);
}

}  // namespace areason::llm
