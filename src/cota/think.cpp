#include "cota/think.h"

#include <algorithm>

#include "cota/check.h"

namespace areason {
namespace {

constexpr std::size_t kLongestThought = 200'000;  // bytes

// A chain may be wrapped in a fence, or have its line breaks and quotes escaped (the paper's figures 8 and 9 do).
std::string unescaped(const std::string& text) {
  if (text.find('\n') != std::string::npos || text.find("\\n") == std::string::npos) return text;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == 'n' || text[i + 1] == '"');
    out += !escape ? text[i] : text[i + 1] == 'n' ? '\n' : '"';
    i += escape ? 1 : 0;
  }
  return out;
}

std::string structure_refusal(const ParsedChain& parsed) {
  for (const Section section : kSections) {
    const std::string& text = parsed.chain[section];
    const std::string name(section_tag(section));
    if (text.empty()) return "the section <" + name + "> is missing or empty";
    if (text.rfind("...", 0) == 0 || text.rfind("(In this part", 0) == 0) return "<" + name + "> repeats the instructions";
    if (text.find("</") != std::string::npos || text.find("<THINK") != std::string::npos)
      return "<" + name + "> holds tags that do not belong there";
  }
  // parse_chain() also says "comes after" of a section that comes again; there the first one counts, where it stands.
  const auto times = [&](const std::string& what) {
    return std::count_if(parsed.problems.begin(), parsed.problems.end(),
                         [&](const std::string& problem) { return problem.rfind(what, 0) == 0; });
  };
  for (const Section section : kSections) {
    const std::string name(section_tag(section));
    if (times(name + " comes after") > times(name + " comes twice")) return "the sections are not in the order of the format";
  }
  return "";
}

}  // namespace

std::string leak_in(std::string_view text) {
  static constexpr const char* kLeaks[] = {
      "provided answer",
      "given answer",
      "reference answer",
      "answer provided",
      "answer is provided",
      "answer given",
      "provided caption",
      "given caption",
      "provided description",
      "given description",
      "original description",
      "description says",
      "description states",
      "description provided",
      "according to the caption",
      "according to the desc",
      "as an ai",
      "the caption says",
      "the provided transcript",
      "provided label",
      "given label",
      "answer i was given",
      "answer you can refer",
      "known answer",
      "caption provided",
  };
  const std::string low = lower_ascii(text);
  for (const char* leak : kLeaks) {
    if (low.find(leak) != std::string::npos) return leak;
  }
  return "";
}

Parsed<Chain> parse_thought(std::string_view whole, const Sample& sample) {
  if (whole.size() > kLongestThought) return {{}, "the answer is far too long"};
  const ParsedChain parsed = parse_chain(unescaped(without_code_fences(whole)));
  if (std::string refusal = structure_refusal(parsed); !refusal.empty()) return {{}, refusal};
  for (const Section section : kSections) {
    if (const std::string leak = leak_in(parsed.chain[section]); !leak.empty())
      return {{}, "the chain says \"" + leak + "\"; it must not show that anything but the audio and the question is known"};
  }
  if (!sample.answer_letter.empty()) {
    const int letter = answer_letter(parsed.chain[Section::kResponse]);
    const int gold = sample.answer_letter[0] - 'a';
    if (letter < 0) return {{}, "the response does not end with \"the answer is\" and the letter of an option"};
    if (letter != gold) return {{}, "the response ends in another option than the reasoning must lead to"};
  }
  return {parsed.chain, ""};
}

}  // namespace areason
