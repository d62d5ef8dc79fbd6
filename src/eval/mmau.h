#pragma once
// MMAU's scorer (github Sakshi113/MMAU @110127f, evaluation.py @7468292) and MMAR's (ddlBoJack/MMAR @3bce090, whose matching
// rule is byte for byte the same): the token-set rule, the tables they print, and the two frozen versions of the mini set.
// Called by the choice scorer and tests. facts/evaluation.md 1.2 has the rule and its traps. Thread rule: free functions and
// values.
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json_fwd.h"
#include "eval/script_run.h"

namespace areason {

// The official rule: every token of the answer is in the prediction and no token of a wrong choice is.
bool mmau_match(std::string_view answer, std::string_view prediction, const std::vector<std::string>& choices);
// The rule of the first release (2024-10-24, 11d1caf), for old numbers only: substrings.
bool mmau_match_2024(std::string_view answer, std::string_view prediction, const std::vector<std::string>& choices);

// "v2025-03-25", "v05.15.25" or "" for a mini set's file with this SHA-256.
std::string_view mmau_version_of_file(std::string_view sha256);
// The same by content, so that converted copies and predictions that carry their items are recognised too: the SHA-256 of
// the sorted and joined SHA-256s (hexadecimal) of the items, each of the JSON line [id, question, choices, answer].
std::string_view mmau_version_of_items(std::string_view sha256);

enum class ChoiceBenchmark { kMmau, kMmar };
enum class Verdict { kWrong, kRight };

// Counts and prints what the scripts print.
class AccuracyTable {
 public:
  explicit AccuracyTable(ChoiceBenchmark benchmark);
  // The two item fields whose values are fixed lists: task and difficulty, or modality and category.
  const std::array<std::string, 2>& keys() const { return keys_; }
  // False when `value` is not in the script's list, where the script would raise KeyError.
  bool knows(std::size_t key, std::string_view value) const;
  // It is listed from here on, even if count() never comes.
  void see_sub_category(std::string_view sub_category);
  void count(const std::array<std::string, 2>& values, const std::optional<std::string>& sub_category, Verdict verdict);
  // The text up to the total, and whole; the script divides by zero where nothing was counted.
  std::string tables() const;
  ScriptRun run() const;

 private:
  struct Row {
    std::string name;
    long right = 0, total = 0;
  };
  std::array<std::string, 2> keys_;
  std::array<std::string, 3> titles_;
  std::array<std::vector<Row>, 3> rows_;
  long right_ = 0, total_ = 0;
};

// The whole script on a list of items, ending where it would end.
ScriptRun run_choice_script(ChoiceBenchmark benchmark, const Json& items);

}  // namespace areason
