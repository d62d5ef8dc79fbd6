#pragma once
// AIR-Bench foundation (OFA-Sys/AIR-Bench @9832476): the prompt of Inference_Foundation.py and the rule of score_foundation.py,
// which reads the first character, then the last but one, and drops what it cannot read from the denominator. Called by the
// foundation scorer and tests. facts/evaluation.md 2.2 has the traps. Thread rule: free functions and values.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "eval/script_run.h"

namespace areason {

// The letter the rule reads from a reply, or 0. `response` is stripped first, its line ends are deleted.
char foundation_letter(std::string_view response);

struct FoundationLine {
  // kBadGold: the script exits with 1; kBroken: it raises `error`.
  enum class Outcome { kRight, kWrong, kUnread, kSkipped, kBadGold, kBroken } outcome = Outcome::kSkipped;
  std::string subset;   // "{task_name}_{dataset_name}"
  std::string printed;  // what the script prints for the line
  std::string error;
  char letter = 0, gold = 0;
};
// One line of a result file as the script takes it; `line` holds choice_a..d, answer_gt, task_name, dataset_name, response.
FoundationLine read_foundation_line(const Json& line);
std::string_view outcome_name(FoundationLine::Outcome outcome);

// Counts lines and prints what the script prints. Lines that would end the script are counted by nobody here.
class FoundationTable {
 public:
  void add(const FoundationLine& line);
  ScriptRun run() const;

 private:
  struct Subset {
    long right = 0, read = 0;
  };
  std::vector<std::string> order_;
  std::map<std::string, Subset> subsets_;
  std::string printed_;
  long failed_ = 0;
};

// The whole script on a list of lines, ending where it would end.
ScriptRun run_foundation_script(const Json& lines);

// The prompt of the official inference script; a missing choice prints as None.
std::string foundation_prompt(const Json& line);

}  // namespace areason
