#pragma once
// The structured chain of thought: five sections, their tags, the canonical layout (design.md, decision 5), a tolerant
// parser and an incremental one. Pure text: knows no tokens and no model. Called by infer (automaton), reason, cota, eval.
// Thread rule: values and free functions.
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace areason {

enum class Section { kPlanning, kCaption, kReasoning, kSummary, kResponse };
inline constexpr int kSectionCount = 5;
inline constexpr std::array<Section, kSectionCount> kSections = {Section::kPlanning, Section::kCaption, Section::kReasoning,
                                                                 Section::kSummary, Section::kResponse};
// "PLANNING" (the tag) and "planning" (the JSON key).
std::string_view section_tag(Section section);
std::string_view section_key(Section section);

struct Chain {
  std::array<std::string, kSectionCount> text;
  std::string& operator[](Section s) { return text[static_cast<int>(s)]; }
  const std::string& operator[](Section s) const { return text[static_cast<int>(s)]; }
};

// <THINK>\n<PLANNING>\n…</PLANNING>\n…</SUMMARY>\n</THINK>\n<RESPONSE>\n…</RESPONSE>
std::string render_chain(const Chain& chain);

struct ParsedChain {
  Chain chain;
  bool complete = false;               // all five present, in order, each closed
  std::vector<std::string> problems;   // what was missing, unclosed or out of order
};
// Takes any white space between tags; a missing closing tag ends at the next opener or the end. Text of each section is trimmed.
// When no tag is found at all, the whole text is the response.
ParsedChain parse_chain(std::string_view text);

// Incremental parsing of a stream. Text pieces are never part of a tag.
struct SectionEvent {
  enum class Kind { kOpen, kText, kClose } kind;
  Section section;
  std::string text;  // for kText
};
class SectionStream {
 public:
  std::vector<SectionEvent> push(std::string_view bytes);
  std::vector<SectionEvent> finish();

 private:
  std::string pending_;
  int open_ = -1;        // index of the open section, or -1
  bool at_start_ = false;  // the newline after an opening tag has not been seen yet
};

}  // namespace areason
