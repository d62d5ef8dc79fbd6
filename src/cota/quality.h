#pragma once
// What only a whole set shows: questions about one clip that are nearly the same, gold letters that favour one place, questions
// that recur, answers that PLANNING gives away. Fed sample by sample; holds a few dozen bytes for each. Called by `data check`
// and whoever writes statistics. Thread rule: one thread.
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/json_fwd.h"
#include "cota/sample.h"

namespace areason {

class QualityReport {
 public:
  void add(const Sample& sample);

  struct Letters {
    std::array<std::int64_t, 4> gold{};  // a, b, c, d
    double chi_square = 0;               // against equal shares, over sets of questions with as many options
    int degrees = 0;
    bool skewed = false;  // less likely than one in a thousand by chance
  };
  struct NearDuplicate {
    std::string first, second;  // ids
  };
  Letters letters() const;
  std::int64_t samples() const { return samples_; }
  std::int64_t near_duplicates() const { return near_count_; }
  const std::vector<NearDuplicate>& examples() const { return near_; }  // the first few
  std::int64_t distinct_questions() const { return static_cast<std::int64_t>(questions_.size()); }
  std::int64_t planning_leaks() const { return leaks_; }
  Json to_json() const;
  std::string text() const;

 private:
  struct Asked {
    std::string id;
    std::vector<std::uint32_t> words;  // hashes, sorted
  };
  std::int64_t samples_ = 0, near_count_ = 0, leaks_ = 0;
  std::map<std::size_t, std::array<std::int64_t, 4>> gold_;  // by number of options
  std::unordered_map<std::uint64_t, std::vector<Asked>> by_clip_;
  std::unordered_map<std::uint64_t, std::int64_t> questions_;  // by hash of the words
  std::vector<NearDuplicate> near_;
};

// Does PLANNING name the answer before anything was heard? Words that the question itself holds give nothing away.
bool planning_names_answer(const Sample& sample);
// Do two questions about one clip ask nearly the same, options left aside?
bool ask_nearly_the_same(const Sample& a, const Sample& b);

}  // namespace areason
