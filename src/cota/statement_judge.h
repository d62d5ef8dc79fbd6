#pragma once
// Holds statements (statement.h) against a timeline. A statement is false when no way of meaning it fits: any occurrence of a
// sound that is named without a number, every usual way to count, and margins wherever ears differ; a denied one when what it
// denies is plainly so. What the timeline cannot tell is left open. Called by the reader and tests. Thread rule: constant once
// made. Units: seconds, decibels. Its parts: statement_names.cpp (what is meant), _numbers.cpp, _events.cpp, _talk.cpp.
#include <string>

#include "cota/claim_facts.h"
#include "cota/statement.h"

namespace areason::claims {

enum class Verdict { kHolds, kFalse, kOpen };

class StatementJudge {
 public:
  StatementJudge(const Sample& sample, const SourceClip* clip) : sample_(sample), facts_(sample, clip) {}
  Verdict judge(const Statement& statement) const;

 private:
  // The events that names may mean. `open`: the timeline cannot tell; empty and not open: there is no such thing.
  struct Meant {
    Set events;
    bool open = false;
    bool exact = true;  // by the timeline's own name, not by a related one
  };
  // Values that an expression may have.
  struct Values {
    std::vector<double> any;
    bool open = false;
    enum class Unit { kPlain, kTime, kCount, kLevel } unit = Unit::kPlain;
    bool ratio = false;
    int decimals = -1;  // of a number as it was written; -1: computed
  };
  // `lenient`: in some way; `strict`: beyond doubt.
  struct Fit {
    bool lenient = true, strict = false, open = false;
  };

  Meant meant(const Name& name) const;
  Meant sounds_meant(const Name& name, int audio) const;
  Meant words_meant(const Name& name, int audio) const;
  Meant meant(const Names& names) const;
  Set voices_meant(const Name& name) const;  // speakers
  Set speakers_of(const Set& events) const;
  std::vector<int> ordered(const Set& events) const;
  bool is_in(int event, int audio) const;

  Verdict judge_plain(const Statement& statement) const;
  Verdict compare(const Statement& statement) const;
  Values values(const Expression& expression) const;
  Values function(const Expression& expression) const;
  Values file_values(const Expression& expression) const;
  Values count_voices(const Expression& expression) const;
  Values event_values(const std::string& function, const Set& events) const;
  Values pair_values(const std::string& function, const Set& a, const Set& b) const;
  std::vector<double> counts(const Names& names, const Set& events) const;
  std::vector<double> count_kinds(int audio) const;
  std::vector<double> count_overlaps(const Set& events) const;

  Fit fit(const Statement& statement) const;
  Fit fit_pair(const std::string& fact, const Set& a, const Set& b) const;
  Fit fit_place(const Set& events, int n) const;
  Fit fit_extreme(const std::string& fact, const Set& events, int file) const;
  Fit fit_alone(const Set& events) const;
  Fit fit_at(const Set& events, const std::vector<double>& times) const;
  Fit fit_within(const Set& events, const std::vector<double>& from, const std::vector<double>& to) const;
  Fit fit_silence(const std::vector<double>& from, const std::vector<double>& to) const;
  Fit fit_says(const Set& events, const std::string& words) const;
  Fit fit_mentions(const Set& events, const std::string& words) const;
  Fit fit_topic(const Set& events, const std::string& words) const;
  Fit fit_is(const Set& events, const std::string& value) const;
  Fit fit_music(const std::string& value) const;
  Fit fit_answer(const std::string& value) const;
  bool next_strictly(const Set& a, const Set& b) const;

  const Sample& sample_;
  const Facts facts_;
};

}  // namespace areason::claims
