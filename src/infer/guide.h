#pragma once
// Guarantees the five sections of one answer: forced text (jump-forward), the mask for every sampled token, budgets that close
// a section early (never inside a character) so that the structure is complete within the allowed number of tokens. Called by
// the generator. Thread rule: one per answer; the layout it refers to is shared by the answers of one thread.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cot/automaton.h"
#include "infer/token_mask.h"

namespace areason {

// What does not change from answer to answer: the automaton, its masks, the tokens of the fixed texts.
class GuideLayout {
 public:
  explicit GuideLayout(const MaskVocabulary& vocabulary, const std::vector<std::string>& choices = {});
  GuideLayout(const GuideLayout&) = delete;
  GuideLayout& operator=(const GuideLayout&) = delete;
  const ChainAutomaton& automaton() const { return automaton_; }
  const Tokenizer& tokenizer() const { return *tokenizer_; }
  const TokenMask& mask(const ChainState& state) { return masks_.at(state); }
  // Tokens that the closing of section i and the opening of the next need at most; with choices, those of the longest one too.
  int closing_cost(int section) const { return closing_cost_[static_cast<std::size_t>(section)]; }
  // Tokens of an answer whose sections are all empty.
  int least_tokens() const { return least_tokens_; }
  // How many tokens at the end of `text`'s canonical ids could come out differently once text follows (state after `text`).
  int unsafe_tail(const std::string& text, const ChainState& after);

 private:
  const Tokenizer* tokenizer_;
  ChainAutomaton automaton_;
  MaskCache masks_;
  std::array<int, kSectionCount> closing_cost_{};
  int least_tokens_ = 0;
  std::map<std::pair<std::string, std::uint32_t>, int> unsafe_tails_;
};

struct GuideOptions {
  int max_new_tokens = 2048;
  std::map<Section, int> section_budget;  // tokens of a section's text, up to 3 more to end a character; 0 leaves it empty
};

class StructureGuide {
 public:
  // Throws Error(kUsage) when max_new_tokens cannot hold even empty sections.
  StructureGuide(GuideLayout& layout, const GuideOptions& options);
  // Ids that must come next (already accepted when this returns); empty when the model has to choose.
  std::vector<TokenId> take_forced();
  // The ids the model may choose from now. Call after take_forced() returned nothing and the structure is not done().
  const TokenMask& allowed();
  void accept(TokenId id);
  // With hold_choice() the guide stops where the choice begins: before_choice() is then true, and the model may say in its own
  // words what it means, of which the guide hears nothing. settle_choice() goes on: with a choice's text that one is forced,
  // with "" the model spells one under the mask.
  void hold_choice() { holds_choice_ = true; }
  bool before_choice() const;
  void settle_choice(const std::string& choice);
  bool done() const { return state_.phase == ChainState::Phase::kDone; }
  // Sections that a budget closed, in order; and whether it was the total budget.
  const std::vector<Section>& cut() const { return cut_; }
  bool out_of_tokens() const { return out_of_tokens_; }

 private:
  void enforce_budgets();
  void append(TokenId id);
  std::string forced_text() const;
  std::vector<TokenId> canonical(const std::string& text) const;
  int reserved_after(int section) const;

  GuideLayout* layout_;
  GuideOptions options_;
  ChainState state_;
  std::vector<TokenId> ids_;  // since anchor: the last border that no token can cross
  std::string text_;          // their bytes
  int used_ = 0;              // tokens of the whole answer
  int section_tokens_ = 0;    // tokens since the open section began
  int spare_ = 0;             // tokens beyond the structure
  int waited_ = 0;            // tokens since a budget was spent inside a character
  std::vector<Section> cut_;
  bool out_of_tokens_ = false;
  bool holds_choice_ = false;
  std::string settled_;  // choice and closing tag
};

}  // namespace areason
