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

// The same of what a server sends apart: the four sections of THINK as text (`reasoning_content`) and the response. Without a
// response the text ends after the thoughts: the answer was cut there.
std::string join_chain(std::string_view thoughts, std::string_view response);

struct ParsedChain {
  Chain chain;
  bool complete = false;              // all five present, in order, each closed
  std::vector<std::string> problems;  // what was missing, unclosed or out of order
};
// Takes any white space between tags and tags in any case; a missing closing tag ends at the next tag or the end; `</CAPTIONs>`
// closes CAPTION (facts/data_side.md 1.7). Of a section that comes twice the first counts. Text of each section is trimmed.
// When no tag is found at all, the whole text is the response. Missing THINK tags are a problem but leave it complete.
ParsedChain parse_chain(std::string_view text);

// Incremental parsing of a stream with the rules above. Text pieces are never part of a tag, never empty, and joined together
// give the trimmed text of the section. Text before any tag opens the response at once, so that free text streams too.
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
  void drain(bool at_end, std::vector<SectionEvent>& events);
  void text(std::string_view piece, std::vector<SectionEvent>& events);
  void open(int section, std::vector<SectionEvent>& events);
  void close(std::vector<SectionEvent>& events);

  std::string pending_;    // bytes that may still become a tag
  std::string space_;      // white space that is text only if more text follows in its section
  int open_ = -1;          // index of the open section, or -1
  bool at_start_ = false;  // no text of the open section has been seen yet
  bool seen_tag_ = false;
};

}  // namespace areason
