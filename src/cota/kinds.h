#pragma once
// The one table of question kinds: what is asked, which share of a clip's questions it takes, how an answer counts as right
// and what guessing would get. docs/nano_kinds.md is printed from it (`data kinds`). Fixed before training.
// Called by the question makers, the scorer, statistics. Thread rule: constant data.
#include <string>
#include <string_view>
#include <vector>

namespace areason {

enum class AnswerForm {
  kChoice,  // lettered options: the last "answer is X" gives the letter; without one, the only option named
  kEither,  // the alternatives stand in the question: the first one the response names
  kYesNo,   // the first word "yes" or "no"
  kNumber,  // the last number, in digits or words
  kDigits,  // all digits of the response, in digits or words, in order
  kName,    // the response names the answer and no other class
  kFree,    // described, not scored
};
std::string_view answer_form_rule(AnswerForm form);

enum class Tested { kYes, kTrainOnly };

struct Kind {
  std::string_view name;
  std::string_view domain;  // sound, speech, music, mixed
  AnswerForm form;
  double share;   // weight among the kinds possible on a clip
  double chance;  // right answers by guessing evenly
  Tested tested;
  std::string_view about;  // one line for the table
};

const std::vector<Kind>& kinds();
// The kinds of the paper's sets (set_questions.h), which nano was not trained on.
const std::vector<Kind>& set_kinds();
// Of either table. Throws Error(kInput) for an unknown name.
const Kind& find_kind(std::string_view name);
// The table as Markdown.
std::string kinds_markdown();

}  // namespace areason
