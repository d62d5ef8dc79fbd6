// The files of batch.h: reading questions, appending answers.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "reason/batch.h"

namespace areason {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void bad(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::kInput, where + ": " + what,
              "a question is {\"id\": …, \"audio\": PATH or [PATH, …], \"question\": …} on one line");
}

std::string text_of(const Json& json, const char* key, const std::string& where) {
  const auto it = json.find(key);
  if (it != json.end() && it->is_string()) return it->get<std::string>();
  if (it != json.end() && it->is_number_integer()) return std::to_string(it->get<std::int64_t>());
  bad(where, std::string("no text \"") + key + "\"");
}

std::vector<std::string> texts_of(const Json& json, const char* key, const std::string& where) {
  std::vector<std::string> out;
  const auto it = json.find(key);
  if (it == json.end() || it->is_null()) return out;
  if (it->is_string()) return {it->get<std::string>()};
  if (!it->is_array()) bad(where, std::string("\"") + key + "\" is neither a string nor a list");
  for (const Json& item : *it) {
    if (!item.is_string()) bad(where, std::string("\"") + key + "\" holds something that is not a string");
    out.push_back(item.get<std::string>());
  }
  return out;
}

std::string resolve(const std::string& path, const fs::path& folder) {
  std::error_code ignored;
  const fs::path beside = folder / path;
  return fs::path(path).is_relative() && fs::exists(beside, ignored) ? beside.string() : path;
}

Question question_of(const Json& json, const fs::path& folder, const std::string& where) {
  if (!json.is_object()) bad(where, "not a JSON object");
  Question out;
  out.id = text_of(json, "id", where);
  out.question = text_of(json, "question", where);
  out.choices = texts_of(json, "choices", where);
  for (const std::string& path : texts_of(json, "audio", where)) out.audio.push_back(resolve(path, folder));
  const auto turns = json.find("turns");
  if (turns == json.end() || turns->is_null()) return out;
  if (!turns->is_array()) bad(where, "\"turns\" is not a list");
  for (const Json& turn : *turns) {
    if (!turn.is_object()) bad(where, "\"turns\" holds something that is not an object");
    out.turns.push_back({text_of(turn, "question", where), text_of(turn, "response", where)});
  }
  return out;
}

// Calls each(line, number) for the lines of `text`; the last one may lack its newline.
template <typename F>
void for_each_line(std::string_view text, F&& each) {
  std::size_t number = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    ++number;
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) each(line, number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::string line_name(const std::string& path, std::size_t number) { return path + " line " + std::to_string(number); }

[[noreturn]] void cannot_write(const std::string& path) {
  throw Error(ErrorCode::kFailure, "cannot write " + path + ": " + std::strerror(errno),
              "check the folder, its permissions and the free space");
}

}  // namespace

std::vector<Question> read_questions(const std::string& path) {
  std::vector<Question> out;
  std::set<std::string> ids;
  const fs::path folder = parent_directory(path);
  for_each_line(read_file(path), [&](std::string_view line, std::size_t number) {
    const std::string where = line_name(path, number);
    out.push_back(question_of(parse_json(line, where), folder, where));
    if (!ids.insert(out.back().id).second) bad(where, "the id \"" + out.back().id + "\" comes twice");
  });
  return out;
}

AnswerFile::AnswerFile(const std::string& path) : path_(path) {
  if (path.empty()) return;
  make_directories(parent_directory(path));
  descriptor_ = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) cannot_write(path);
  // Two runs would both answer what neither has. Not every file system has locks: only a taken one is a reason to stop.
  if (flock(descriptor_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    close(descriptor_);
    throw Error(ErrorCode::kUsage, "another run is writing " + path, "wait until it has ended, or name another file");
  }
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored)) read_existing(path);
}

AnswerFile::~AnswerFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

void AnswerFile::read_existing(const std::string& path) {
  const std::string text = read_file(path);
  const auto last_newline = text.rfind('\n');
  const std::size_t whole = last_newline == std::string::npos ? 0 : last_newline + 1;
  for_each_line(std::string_view(text).substr(0, whole), [&](std::string_view line, std::size_t number) {
    const std::string where = line_name(path, number);
    ids_.insert(text_of(parse_json(line, where), "id", where));
  });
  if (whole == text.size()) return;
  log_warning(path + ": the last line is torn and is written again");
  fs::resize_file(path, whole);
}

void AnswerFile::append(const std::string& line) {
  const std::string bytes = line + "\n";
  const int descriptor = descriptor_ >= 0 ? descriptor_ : STDOUT_FILENO;
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = write(descriptor, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) cannot_write(path_.empty() ? "standard output" : path_);
    done += static_cast<std::size_t>(count);
  }
  if (descriptor_ >= 0 && fdatasync(descriptor_) != 0 && errno != EINVAL) cannot_write(path_);
}

}  // namespace areason
