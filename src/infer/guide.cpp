#include "infer/guide.h"

#include <algorithm>

#include "base/error.h"
#include "text/utf8.h"

namespace areason {
namespace {

using Phase = ChainState::Phase;
// A character whose first byte is written may need this many more tokens; a budget waits for them.
constexpr int kCharacterRest = 3;
// A tag whose first bytes the model has written can take more tokens than its canonical ids: this many at most are set aside.
constexpr int kSlack = 6 + kCharacterRest;
// What later sections keep when earlier ones are long, at most this many tokens and this share of the spare ones.
constexpr int kKeepForResponse = 64;
constexpr int kKeepForSection = 24;
constexpr int kShareForResponse = 4;
constexpr int kShareForSection = 12;

// How text may go on after a tag: a letter of either case, a digit, punctuation, an opening quote, letters beyond ASCII.
constexpr const char* kProbes[] = {"A", "a", "The", "1", ".", "<", "(", "*", "\"", "-", "é", "中"};

std::size_t common_prefix(const std::vector<TokenId>& a, const std::vector<TokenId>& b) {
  const auto limit = std::min(a.size(), b.size());
  std::size_t n = 0;
  while (n < limit && a[n] == b[n]) ++n;
  return n;
}

std::string bytes_of(const Tokenizer& tokenizer, const std::vector<TokenId>& ids) {
  std::string out;
  for (const TokenId id : ids) out += tokenizer.bytes(id);
  return out;
}

}  // namespace

GuideLayout::GuideLayout(const MaskVocabulary& vocabulary, const std::vector<std::string>& choices)
    : tokenizer_(&vocabulary.tokenizer()), automaton_(choices), masks_(vocabulary, automaton_) {
  const auto tokens = [&](int i) {
    return static_cast<int>(tokenizer_->encode(automaton_.fixed(i), SpecialTokens::kAsText).size());
  };
  least_tokens_ = tokens(0);
  for (int section = 0; section < kSectionCount; ++section) {
    int& cost = closing_cost_[static_cast<std::size_t>(section)];
    cost = tokens(section + 1) + kSlack;
    // The model may spell a choice byte by byte.
    if (section == kSectionCount - 1) cost += static_cast<int>(automaton_.longest_choice());
    least_tokens_ += cost;
  }
}

int GuideLayout::unsafe_tail(const std::string& text, const ChainState& after) {
  if (after.phase == Phase::kDone) return 0;
  const auto [it, added] = unsafe_tails_.try_emplace({text, after.key()}, 0);
  if (!added) return it->second;
  std::vector<std::string> probes = automaton_.choice_rests(after);
  if (probes.empty()) probes.assign(std::begin(kProbes), std::end(kProbes));
  const auto ids = tokenizer_->encode(text, SpecialTokens::kAsText);
  std::size_t safe = ids.size();
  for (const std::string& probe : probes) {
    safe = std::min(safe, common_prefix(ids, tokenizer_->encode(text + probe, SpecialTokens::kAsText)));
  }
  return it->second = static_cast<int>(ids.size() - safe);
}

StructureGuide::StructureGuide(GuideLayout& layout, const GuideOptions& options)
    : layout_(&layout), options_(options), state_(layout.automaton().start()) {
  spare_ = options.max_new_tokens - layout.least_tokens();
  if (spare_ < 0) {
    throw Error(ErrorCode::kUsage,
                "at most " + std::to_string(options.max_new_tokens) + " new tokens cannot hold the five sections",
                "allow at least " + std::to_string(layout.least_tokens()) + " (--max-new-tokens), or use --structure free");
  }
}

// Tokens that everything after the text of `section` needs: closing tags, and a little text for each section to come.
int StructureGuide::reserved_after(int section) const {
  int reserved = layout_->closing_cost(section);
  for (int later = section + 1; later < kSectionCount; ++later) {
    reserved += layout_->closing_cost(later);
    const bool response = later == kSectionCount - 1;
    reserved += response ? std::min(kKeepForResponse, spare_ / kShareForResponse)
                         : std::min(kKeepForSection, spare_ / kShareForSection);
  }
  return reserved;
}

void StructureGuide::enforce_budgets() {
  if (state_.phase != Phase::kText) return;
  const auto section = static_cast<Section>(state_.index);
  const auto budget = options_.section_budget.find(section);
  const bool over = budget != options_.section_budget.end() && section_tokens_ >= budget->second;
  const bool out = used_ + reserved_after(state_.index) >= options_.max_new_tokens;
  if (!over && !out) return;
  const bool inside_character = complete_utf8_prefix(text_) < text_.size();
  if (inside_character && waited_ < kCharacterRest) {
    ++waited_;
    return;
  }
  waited_ = 0;
  cut_.push_back(section);
  out_of_tokens_ = out_of_tokens_ || out;
  state_ = layout_->automaton().close(state_);
}

// The ids that continue the text so far as the tokenizer would write it; those of the text alone when the model strayed from
// that.
std::vector<TokenId> StructureGuide::canonical(const std::string& text) const {
  const Tokenizer& tokenizer = layout_->tokenizer();
  if (!ids_.empty()) {
    const auto all = tokenizer.encode(text_ + text, SpecialTokens::kAsText);
    if (all.size() > ids_.size() && common_prefix(all, ids_) == ids_.size()) {
      return {all.begin() + static_cast<std::ptrdiff_t>(ids_.size()), all.end()};
    }
  }
  return tokenizer.encode(text, SpecialTokens::kAsText);
}

bool StructureGuide::before_choice() const {
  if (!holds_choice_) return false;
  if (state_.phase == Phase::kChoice) return state_.at == 0;
  // The opening tag's last token can be left to the model (unsafe_tail()).
  return state_.phase == Phase::kFixed && state_.index == kSectionCount - 1 &&
         layout_->automaton().forced_before_choice(state_).find_first_not_of('\n') == std::string::npos;
}

void StructureGuide::settle_choice(const std::string& choice) {
  holds_choice_ = false;
  if (!choice.empty()) settled_ = choice + layout_->automaton().fixed(kSectionCount);
}

std::string StructureGuide::forced_text() const {
  const ChainAutomaton& automaton = layout_->automaton();
  if (!settled_.empty()) return automaton.forced_before_choice(state_) + settled_;
  return holds_choice_ ? automaton.forced_before_choice(state_) : automaton.forced(state_);
}

std::vector<TokenId> StructureGuide::take_forced() {
  std::vector<TokenId> out;
  // More than once only when a budget of 0 closes the section that has just been opened.
  for (;;) {
    enforce_budgets();
    if (before_choice()) return out;
    const ChainAutomaton& automaton = layout_->automaton();
    const std::string text = forced_text();
    if (text.empty()) return out;
    ChainState after = state_;
    for (const char c : text) after = automaton.step(after, c);
    std::vector<TokenId> ids = canonical(text);
    // A choice that is not in Unicode normal form comes back changed; the model then spells it under the mask.
    if (bytes_of(layout_->tokenizer(), ids) != text) {
      settled_.clear();
      return out;
    }
    const auto unsafe = static_cast<std::size_t>(layout_->unsafe_tail(text, after));
    ids.resize(ids.size() - std::min(unsafe, ids.size()));
    if (ids.empty()) return out;
    for (const TokenId id : ids) append(id);
    settled_.clear();
    out.insert(out.end(), ids.begin(), ids.end());
    if (unsafe > 0) return out;
    ids_.clear();
    text_.clear();
  }
}

const TokenMask& StructureGuide::allowed() {
  const TokenMask& mask = layout_->mask(state_);
  if (mask.none()) {
    throw Error(ErrorCode::kModel, "no token of the vocabulary can continue the section layout",
                "the tokenizer lacks single bytes; use --structure free with this checkpoint");
  }
  return mask;
}

void StructureGuide::accept(TokenId id) { append(id); }

void StructureGuide::append(TokenId id) {
  const auto bytes = layout_->tokenizer().bytes(id);
  const ChainState before = state_;
  for (const char c : bytes) state_ = layout_->automaton().step(state_, c);
  ids_.push_back(id);
  text_ += bytes;
  ++used_;
  const bool same_section = before.phase == Phase::kText && state_.phase == Phase::kText && before.index == state_.index;
  section_tokens_ = same_section ? section_tokens_ + 1 : 0;
}

}  // namespace areason
