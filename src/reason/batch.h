#pragma once
// A file of questions answered into a file of answers (`ask --jsonl`): resumable, many questions decoded together; in input
// order on standard output, as they are finished in a file. Called by the CLI; evaluation runs through it. Errors:
// Error(kInput) naming file and line. Thread rule: answer_questions() starts its own threads and returns when they are done.
#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "reason/session.h"

namespace areason {

struct Question {
  std::string id;
  std::vector<std::string> audio;  // paths as the file gives them
  std::string question;
  std::vector<Exchange> turns;  // earlier rounds
  std::vector<std::string> choices;
};

// One JSON object a line: id, audio (a path or a list), question, and optionally turns [{question, response}] and choices;
// other keys are ignored, so that files of the sample schema can be asked as they are. Audio paths are relative to the file's
// folder, or else to the working directory. Ids must be distinct.
std::vector<Question> read_questions(const std::string& path);

// The answers so far and those to come: one JSON object a line, each on disk (fsync) before the next. A last line that a crash
// tore is dropped. "" writes to standard output and remembers nothing.
class AnswerFile {
 public:
  explicit AnswerFile(const std::string& path);
  ~AnswerFile();
  AnswerFile(const AnswerFile&) = delete;
  AnswerFile& operator=(const AnswerFile&) = delete;
  bool has(const std::string& id) const { return ids_.contains(id); }
  bool is_file() const { return descriptor_ >= 0; }
  void append(const std::string& line);

 private:
  void read_existing(const std::string& path);
  std::string path_;
  int descriptor_ = -1;
  std::set<std::string> ids_;
};

enum class Choices { kIgnore, kForce };

struct BatchOptions {
  std::string model_dir;
  AskOptions ask;
  Choices choices = Choices::kIgnore;  // kForce: the RESPONSE is one of the question's choices
  int workers = 0;         // threads with a model each; 0: one a core for small models, else one model with all cores
  SessionOptions session;  // `running` questions are answered together by each of them
  // How an answer becomes a line of the file; default: id, text, sections, finish_reason, usage. One call at a time.
  std::function<std::string(const Question&, const Answer&)> line;
  // Told of every question that cannot be answered, and why (the warning is printed in any case). One call at a time.
  std::function<void(const Question&, const Error&)> failed;
};

struct BatchStats {
  std::size_t questions = 0, skipped = 0, answered = 0, failed = 0;
  long prompt_tokens = 0, generated_tokens = 0;
  double seconds = 0;
  SessionStats engine;  // bytes and drafts of all workers together
};
using BatchProgress = std::function<void(const BatchStats&)>;

// Answers the questions that `out` does not have yet. A question whose clip cannot be used is reported on standard error, left
// out and counted as failed. Ctrl-C ends the run with what is finished; the caller checks interrupted().
BatchStats answer_questions(const std::vector<Question>& questions, const BatchOptions& options, AnswerFile& out,
                            const BatchProgress& progress = {});

}  // namespace areason
