#pragma once
// Stage 1: what a teacher wrote about a clip, read into a caption and questions with answers. Takes what teachers really send:
// tags in any case, <ans> for <answer>, <Q1>, repeated numbers, missing closing tags, code fences, text around, or numbered
// "Question 1: … Answer: …" lists without tags. The rest is refused with a reason that the teacher is told.
// Called by stage_run and tests. Thread rule: free functions.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace areason {

// A reading, or the reason why there is none (one line, addressed to the teacher).
template <typename T>
struct Parsed {
  std::optional<T> value;
  std::string refusal;
};

struct QuestionAnswer {
  std::string question;              // as a user types it, options included
  std::vector<std::string> choices;  // none or four ("(a) one" gives "one")
  std::string answer;                // the whole answer
  std::string letter;                // "b", or empty without choices
};

struct Annotation {
  std::string caption;
  std::vector<QuestionAnswer> pairs;
};

struct AnnotationRules {
  int questions = 3;               // were asked for; more are dropped, fewer are refused
  std::size_t fewest_choices = 4;  // of a question that has any; four is the most
};
Parsed<Annotation> parse_annotation(std::string_view text, const AnnotationRules& rules);

// The options "(a) one (b) two …" or "A. one" (one a line) at the end of a question; empty unless there are at least two, in
// the order of the alphabet.
std::vector<std::string> choices_in(std::string_view question);

// Teachers put the right option where they like. Moves it to a place that depends on `seed` only, in question, choices, letter
// and the answer's last sentence; leaves pairs alone whose answer speaks of other letters.
void shuffle_choices(QuestionAnswer& pair, std::uint64_t seed);

// Steps that the parsers of all stages share.
std::string trimmed(std::string_view text);
std::string without_code_fences(std::string_view text);
std::string lower_ascii(std::string_view text);

}  // namespace areason
