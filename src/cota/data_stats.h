#pragma once
// What a data set is made of, as the paper's table 2 and figures 4 and 6 show theirs: samples by set and task, words of each
// section and of whole chains, lengths of clips, who wrote them, and whether the right answers fall on all letters alike.
// Called by `data stats`. Thread rule: add() from one thread at a time. Units: words are runs without blanks, seconds.
// Errors: those of sample.h. Clips whose header cannot be read are counted, not fatal.
#include <array>
#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "cot/sections.h"
#include "cota/sample.h"

namespace areason {

struct Measure {
  std::vector<float> values;
  void add(double value) { values.push_back(static_cast<float>(value)); }
  bool empty() const { return values.empty(); }
  double least() const, most() const, mean() const, median() const;
};

struct SetStatistics {
  std::string name, category, skill;
  bool synthetic = false;
  std::size_t samples = 0, clips = 0, unread_clips = 0;
  std::map<std::string, std::size_t> teachers, tasks, splits, verdicts;
  std::array<Measure, kSectionCount> section_words;
  Measure question_words, chain_words, chain_tokens, seconds;  // tokens only where a counter was given
};

// Gold letters of questions with that many options.
struct LetterBalance {
  std::size_t options = 0;
  std::vector<std::size_t> counts;  // a, b, …
  double chi_square = 0;            // against all letters alike
  double p = 1;                     // that even draws differ at least as much; below 0.001 the balance is called skewed
  bool skewed() const { return p < 0.001; }
};

using TokenCounter = std::function<std::size_t(const std::string& text)>;

class DataStatistics {
 public:
  explicit DataStatistics(TokenCounter tokens = {}) : tokens_(std::move(tokens)) {}
  // Every sample of the file; clips are looked for beside it.
  void add_file(const std::string& path);
  // `folder`: what the sample's relative paths start from.
  void add(const Sample& sample, const std::string& folder);

  std::size_t samples() const { return samples_; }
  // Largest first.
  std::vector<const SetStatistics*> sets() const;
  std::vector<LetterBalance> letters() const;
  const std::map<std::string, std::size_t>& tasks() const { return tasks_; }
  const std::map<std::string, std::size_t>& kinds() const { return kinds_; }
  // Answers of yes/no questions, "yes" first.
  std::pair<std::size_t, std::size_t> yes_and_no() const { return {yes_, no_}; }

 private:
  TokenCounter tokens_;
  std::size_t samples_ = 0, yes_ = 0, no_ = 0;
  std::map<std::string, SetStatistics> sets_;
  std::map<std::string, std::size_t> tasks_, kinds_;
  std::map<std::size_t, std::vector<std::size_t>> letters_;
  std::set<std::string> heard_;  // clips that were measured
};

// What the paper's table 2 says of a set (arXiv 2503.02318, facts of 2025): thousands of samples and their share.
struct PaperRow {
  const char* set;   // as our importers and makers name it
  const char* name;  // as the paper does
  double thousands, percent;
};
const std::vector<PaperRow>& paper_table_2();

Json statistics_json(const DataStatistics& statistics);
std::string statistics_text(const DataStatistics& statistics);
std::string statistics_html(const DataStatistics& statistics);

}  // namespace areason
