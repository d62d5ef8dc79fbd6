#include "eval/choice_extractors.h"

#include <vector>

#include "eval/python_text.h"

namespace areason {
namespace {

constexpr std::string_view kLetters = "ABCD";

// The steps that lmms-eval and evalscope share; empty where no letter is found.
std::string marked_letter(std::string_view reply) {
  for (const char c : std::string_view(",.!?;:'")) reply = py::strip_char(reply, c);
  const std::string text = " " + std::string(reply) + " ";
  std::vector<std::string> candidates;
  for (const auto& [before, after] : {std::pair{"(", ")"}, std::pair{" ", " "}, std::pair{"", "."}}) {
    if (!candidates.empty()) break;
    for (const char letter : kLetters)
      if (text.find(before + std::string(1, letter) + after) != std::string::npos) candidates.emplace_back(1, letter);
  }
  if (candidates.size() < 2) return candidates.empty() ? "" : candidates[0];
  // The last one that stands alone; the first candidate when none does.
  std::string best;
  long best_at = -2;
  for (const std::string& candidate : candidates) {
    const auto at = text.rfind(" " + candidate + " ");
    const long position = at == std::string::npos ? -1 : static_cast<long>(at);
    if (position > best_at) {
      best_at = position;
      best = candidate;
    }
  }
  return best;
}

// One ASCII letter against another without case, as re.IGNORECASE does for str: "s" is also U+017F.
bool same_letter(char32_t c, char lower) {
  return c == static_cast<char32_t>(lower) || c == static_cast<char32_t>(lower - 32) || (lower == 's' && c == 0x17F);
}

std::size_t skip_space(const std::u32string& text, std::size_t at) {
  while (at < text.size() && py::is_space(text[at])) ++at;
  return at;
}

// The letter behind "answer", optional white space, one of `marks` (kNone: may be missing) and white space; "" without one.
enum class Mark { kNeeded, kNone };
std::string letter_after_answer(const std::u32string& text, std::u32string_view marks, Mark mark) {
  constexpr std::string_view kWord = "answer";
  for (std::size_t begin = 0; begin + kWord.size() < text.size(); ++begin) {
    std::size_t at = begin;
    while (at - begin < kWord.size() && same_letter(text[at], kWord[at - begin])) ++at;
    if (at - begin < kWord.size()) continue;
    at = skip_space(text, at);
    const bool marked = at < text.size() && marks.find(text[at]) != std::u32string_view::npos;
    if (!marked && mark == Mark::kNeeded) continue;
    if (marked) at = skip_space(text, at + 1);
    if (at >= text.size()) continue;
    const char32_t c = text[at] >= U'a' && text[at] <= U'd' ? text[at] - 32 : text[at];
    if (c >= U'A' && c <= U'D') return std::string(1, static_cast<char>(c));
  }
  return "";
}

}  // namespace

std::string lmms_choice(std::string_view reply) {
  const std::string letter = marked_letter(reply);
  return letter.empty() ? "random" : letter;
}

std::string evalscope_mmau_choice(std::string_view reply) {
  std::string letter = letter_after_answer(py::decode(reply), U":", Mark::kNeeded);
  if (letter.empty()) letter = marked_letter(reply);
  return letter.empty() ? "A" : letter;
}

std::string evalscope_foundation_choice(std::string_view reply) {
  const std::u32string text = py::decode(reply);
  const std::string letter = letter_after_answer(text, U":-", Mark::kNone);
  if (!letter.empty()) return letter;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts = i == 0 || !py::is_word(text[i - 1]);
    const bool ends = i + 1 == text.size() || !py::is_word(text[i + 1]);
    if (starts && ends && text[i] >= U'A' && text[i] <= U'D') return std::string(1, static_cast<char>(text[i]));
  }
  const std::string_view rest = py::strip(reply);
  std::size_t first = 0;
  if (!rest.empty()) py::next_char(rest, first);
  return py::upper(rest.substr(0, first));
}

}  // namespace areason
