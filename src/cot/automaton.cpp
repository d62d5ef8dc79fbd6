#include "cot/automaton.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "cot/tags.h"

namespace areason {
namespace {

constexpr ChainState kRejectedState{ChainState::Phase::kRejected, 0, 0, false, true};
constexpr ChainState kDoneState{ChainState::Phase::kDone, 0, 0, false, true};
constexpr int kResponse = static_cast<int>(Section::kResponse);

std::string opener(int tag) { return "<" + std::string(tag_name(tag)) + ">"; }
std::string closer(int tag) { return "</" + std::string(tag_name(tag)) + ">"; }

char upper(char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); }
bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_white(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

}  // namespace

std::uint32_t ChainState::key() const {
  return (static_cast<std::uint32_t>(phase) << 28) | (static_cast<std::uint32_t>(index) << 20) |
         (static_cast<std::uint32_t>(empty) << 17) | (static_cast<std::uint32_t>(exact) << 16) | at;
}

ChainAutomaton::ChainAutomaton(const std::vector<std::string>& choices) : tags_(1) {
  fixed_[0] = opener(kThinkTag) + "\n" + opener(0) + "\n";
  for (int i = 1; i < kSectionCount; ++i) {
    const std::string think_end = i == kResponse ? closer(kThinkTag) + "\n" : "";
    fixed_[static_cast<std::size_t>(i)] = closer(i - 1) + "\n" + think_end + opener(i) + "\n";
  }
  fixed_[kSectionCount] = closer(kResponse);
  for (int tag = 0; tag <= kThinkTag; ++tag) {
    add_tag("<" + std::string(tag_name(tag)), tag, false);
    add_tag("</" + std::string(tag_name(tag)), tag, true);
  }
  for (const std::string& choice : choices) add_choice(choice);
}

void ChainAutomaton::add_tag(const std::string& text, int tag, bool closing) {
  std::uint16_t node = 0;
  for (const char c : text) {
    const auto [it, added] = tags_[node].next.try_emplace(c, static_cast<std::uint16_t>(tags_.size()));
    node = it->second;
    if (added) tags_.emplace_back();
  }
  tags_[node].tag = tag;
  tags_[node].closing = closing;
}

void ChainAutomaton::add_choice(const std::string& text) {
  constexpr std::size_t kMostNodes = 60000;  // of a 16-bit index
  if (text.empty() || text.find('<') != std::string::npos || choices_.size() + text.size() > kMostNodes) {
    throw Error(ErrorCode::kUsage, "a choice is empty, too long or holds '<': \"" + text.substr(0, 60) + "\"",
                "separate the choices by |, for example --choices \"a dog|a cat\"");
  }
  if (choices_.empty()) choices_.emplace_back();
  std::uint16_t node = 0;
  for (const char c : text + fixed_[kSectionCount]) {
    const auto [it, added] = choices_[node].next.try_emplace(c, static_cast<std::uint16_t>(choices_.size()));
    node = it->second;
    if (added) choices_.emplace_back();
  }
}

ChainState ChainAutomaton::after_fixed(int index) const {
  if (index == kSectionCount) return kDoneState;
  if (index == kResponse && !choices_.empty()) return {ChainState::Phase::kChoice, 0, 0, false, true};
  return {ChainState::Phase::kText, static_cast<std::uint8_t>(index), 0, true, true};
}

ChainState ChainAutomaton::step(ChainState state, char byte) const {
  switch (state.phase) {
    case ChainState::Phase::kFixed: {
      const std::string& text = fixed_[state.index];
      if (text[state.at] != byte) return kRejectedState;
      if (++state.at == text.size()) return after_fixed(state.index);
      return state;
    }
    case ChainState::Phase::kText:
      return step_text(state, byte);
    case ChainState::Phase::kChoice: {
      const auto& next = choices_[state.at].next;
      const auto it = next.find(byte);
      if (it == next.end()) return kRejectedState;
      if (choices_[it->second].next.empty()) return kDoneState;
      state.at = it->second;
      return state;
    }
    case ChainState::Phase::kDone:
    case ChainState::Phase::kRejected:
      break;
  }
  return kRejectedState;
}

ChainState ChainAutomaton::step_text(ChainState state, char byte) const {
  const TagNode& node = tags_[state.at];
  const auto child = node.next.find(upper(byte));
  if (state.at != 0 && child != node.next.end()) {
    state.exact = state.exact && byte == child->first;
    state.at = child->second;
    return state;
  }
  if (node.tag >= 0 && (byte == '>' || is_white(byte) || (node.closing && is_letter(byte)))) return step_tag_end(state, byte);
  if (byte == '<') {
    state.empty = state.empty && state.at == 0;  // an earlier '<' was text after all
    state.at = tags_[0].next.at('<');
    state.exact = true;
    return state;
  }
  if (state.empty && state.at == 0 && is_white(byte)) return kRejectedState;
  return {ChainState::Phase::kText, state.index, 0, false, true};
}

// A whole tag name stands there and `byte` makes it a tag for the parser: only the section's own closing tag is welcome.
ChainState ChainAutomaton::step_tag_end(ChainState state, char byte) const {
  const TagNode& node = tags_[state.at];
  const bool own = node.closing && node.tag == state.index && state.exact && byte == '>';
  if (!own || state.empty) return kRejectedState;
  if (state.index == kResponse) return kDoneState;
  const auto length = closer(state.index).size();
  return {ChainState::Phase::kFixed, static_cast<std::uint8_t>(state.index + 1), static_cast<std::uint16_t>(length), false,
          true};
}

bool ChainAutomaton::is_plain_text(const ChainState& state) {
  return state.phase == ChainState::Phase::kText && state.at == 0 && !state.empty;
}

std::string ChainAutomaton::forced(ChainState state) const {
  std::string out;
  for (;;) {
    if (state.phase == ChainState::Phase::kFixed) {
      out += fixed_[state.index].substr(state.at);
      state = after_fixed(state.index);
    } else if (state.phase == ChainState::Phase::kChoice && choices_[state.at].next.size() == 1) {
      const char byte = choices_[state.at].next.begin()->first;
      out += byte;
      state = step(state, byte);
    } else {
      return out;
    }
  }
}

std::string ChainAutomaton::forced_before_choice(ChainState state) const {
  const bool response_opens = state.phase == ChainState::Phase::kFixed && state.index == kResponse && !choices_.empty();
  if (response_opens) return fixed_[state.index].substr(state.at);
  return state.phase == ChainState::Phase::kChoice && state.at == 0 ? std::string() : forced(state);
}

ChainState ChainAutomaton::close(const ChainState& state) const {
  if (state.phase != ChainState::Phase::kText) return state;
  const std::string& text = fixed_[state.index + 1u];
  std::uint16_t node = 0;
  std::uint16_t length = 0;
  // How much of the own closing tag has been written already?
  while (state.at != 0 && state.exact && node != state.at && text[length] != '>') {
    node = tags_[node].next.at(text[length++]);
  }
  const std::uint16_t seen = node == state.at ? length : std::uint16_t{0};
  return {ChainState::Phase::kFixed, static_cast<std::uint8_t>(state.index + 1), seen, false, true};
}

std::vector<std::string> ChainAutomaton::choice_rests(const ChainState& state) const {
  std::vector<std::string> out;
  if (state.phase != ChainState::Phase::kChoice) return out;
  std::vector<std::pair<std::uint16_t, std::string>> open = {{state.at, ""}};
  while (!open.empty()) {
    const auto [node, text] = open.back();
    open.pop_back();
    if (choices_[node].next.empty()) out.push_back(text);
    for (const auto& [byte, next] : choices_[node].next) open.emplace_back(next, text + byte);
  }
  return out;
}

std::size_t ChainAutomaton::longest_choice() const {
  std::size_t longest = 0;
  if (choices_.empty()) return longest;
  for (const std::string& text : choice_rests({ChainState::Phase::kChoice, 0, 0, false, true})) {
    longest = std::max(longest, text.size());
  }
  return longest;
}

}  // namespace areason
