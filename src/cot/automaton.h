#pragma once
// The byte automaton of the canonical layout (design.md, decision 5): which byte may follow in
//   <THINK>\n<PLANNING>\nTEXT</PLANNING>\n<CAPTION>\nTEXT … </SUMMARY>\n</THINK>\n<RESPONSE>\nTEXT</RESPONSE>
// TEXT starts with no white space and holds no section tag (nor a spelling that the tolerant parser would take for one), so
// that parse_chain() of an accepted text gives exactly the sections that were written. With choices, the RESPONSE's TEXT is one
// of them, letter for letter. Called by infer's guide. Knows no tokens. Thread rule: constant after construction; states are
// values.
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cot/sections.h"

namespace areason {

struct ChainState {
  enum class Phase : std::uint8_t { kFixed, kText, kChoice, kDone, kRejected } phase = Phase::kFixed;
  std::uint8_t index = 0;     // kFixed: which fixed string; kText: which section
  std::uint16_t at = 0;       // kFixed: bytes of it seen; kText: node of the tag trie; kChoice: node of the choice trie
  bool empty = false;         // kText: no text yet
  bool exact = true;          // kText: the bytes of the tag begun so far are upper case
  std::uint32_t key() const;  // distinct for distinct states
  bool operator==(const ChainState&) const = default;
};

class ChainAutomaton {
 public:
  explicit ChainAutomaton(const std::vector<std::string>& choices = {});

  ChainState start() const { return {}; }
  ChainState step(ChainState state, char byte) const;
  // True when every continuation of text without '<' is accepted and leads back to this state.
  static bool is_plain_text(const ChainState& state);
  // The bytes that are certain to follow; empty when there is a choice or the end is reached.
  std::string forced(ChainState state) const;
  // The same without the bytes that all choices begin with.
  std::string forced_before_choice(ChainState state) const;
  // Ends the open text now: the state in which only the rest of its closing tag may follow. May leave the section empty.
  // For phases other than kText the state itself.
  ChainState close(const ChainState& state) const;
  // Fixed text i precedes the text of section i; the last one ends the RESPONSE.
  const std::string& fixed(int i) const { return fixed_[static_cast<std::size_t>(i)]; }
  static constexpr int kFixedCount = kSectionCount + 1;
  // Every text that may follow in the choice trie at this state (phase kChoice), with the final closing tag.
  std::vector<std::string> choice_rests(const ChainState& state) const;
  // Bytes of the longest choice with the final closing tag; 0 without choices.
  std::size_t longest_choice() const;

 private:
  struct TagNode {
    std::map<char, std::uint16_t> next;
    int tag = -1;  // index of the tag whose name ends here
    bool closing = false;
  };
  struct ChoiceNode {
    std::map<char, std::uint16_t> next;
  };
  ChainState after_fixed(int index) const;
  ChainState step_text(ChainState state, char byte) const;
  ChainState step_tag_end(ChainState state, char byte) const;
  void add_tag(const std::string& text, int tag, bool closing);
  void add_choice(const std::string& text);

  std::array<std::string, kFixedCount> fixed_;
  std::vector<TagNode> tags_;        // node 0: no tag begun
  std::vector<ChoiceNode> choices_;  // empty without choices
};

}  // namespace areason
