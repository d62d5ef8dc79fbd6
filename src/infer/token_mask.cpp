#include "infer/token_mask.h"

namespace areason {

MaskVocabulary::MaskVocabulary(const Tokenizer& tokenizer) : tokenizer_(&tokenizer), by_first_(256) {
  last_angle_.assign(static_cast<std::size_t>(tokenizer.size()), -1);
  for (TokenId id = 0; id < tokenizer.size(); ++id) {
    const std::string_view bytes = tokenizer.bytes(id);
    if (bytes.empty() || tokenizer.is_special(id)) continue;
    const auto angle = bytes.rfind('<');
    if (angle != std::string_view::npos) last_angle_[static_cast<std::size_t>(id)] = static_cast<std::int32_t>(angle);
    text_ids_.push_back(id);
    by_first_[static_cast<unsigned char>(bytes[0])].push_back(id);
  }
}

bool MaskVocabulary::accepts(const ChainAutomaton& automaton, ChainState state, TokenId id) const {
  const std::string_view bytes = tokenizer_->bytes(id);
  const std::int32_t last_angle = last_angle_[static_cast<std::size_t>(id)];
  for (std::int32_t i = 0; i < static_cast<std::int32_t>(bytes.size()); ++i) {
    if (i > last_angle && ChainAutomaton::is_plain_text(state)) return true;
    state = automaton.step(state, bytes[static_cast<std::size_t>(i)]);
    if (state.phase == ChainState::Phase::kRejected) return false;
  }
  return true;
}

TokenMask MaskVocabulary::compute(const ChainAutomaton& automaton, const ChainState& state) const {
  TokenMask mask(tokenizer_->size());
  const auto try_all = [&](const std::vector<TokenId>& ids) {
    for (const TokenId id : ids) {
      if (accepts(automaton, state, id)) mask.allow(id);
    }
  };
  if (state.phase == ChainState::Phase::kText) {
    try_all(text_ids_);
    return mask;
  }
  for (int byte = 0; byte < 256; ++byte) {
    if (automaton.step(state, static_cast<char>(byte)).phase != ChainState::Phase::kRejected) {
      try_all(by_first_[static_cast<std::size_t>(byte)]);
    }
  }
  return mask;
}

const TokenMask& MaskCache::at(const ChainState& state) {
  const auto found = masks_.find(state.key());
  if (found != masks_.end()) return found->second;
  return masks_.emplace(state.key(), vocabulary_->compute(*automaton_, state)).first->second;
}

}  // namespace areason
