#pragma once
// From what a model said to the option it means: the step in front of the multiple-choice scorers, always reported beside the
// figure without it. The order of the attempts is that of facts/evaluation.md 7: the option's exact text, a marked letter ("the
// answer is B", "(b)", "B."), the only option whose text occurs; else unread. Called by the choice scorers and the runner.
// Thread rule: free function.
#include <string>
#include <string_view>
#include <vector>

namespace areason {

struct MappedOption {
  // kAmbiguous: letter and text name different options, or several options occur.
  enum class How { kUnread, kAmbiguous, kExactText, kLetter, kTextInside } how = How::kUnread;
  int index = -1;  // of the option, or -1
};
MappedOption map_option(std::string_view reply, const std::vector<std::string>& choices);
// "mapped_by_letter", … for counting.
std::string_view mapping_name(MappedOption::How how);

}  // namespace areason
