#include "train/rewards.h"

#include <algorithm>
#include <string>

#include "cot/sections.h"
#include "cota/check.h"
#include "cota/claim_facts.h"
#include "cota/claim_text.h"
#include "cota/claims.h"

namespace areason::train {
namespace {

// The share of the timeline's events that a text mentions.
double mentioned_share(const Sample& sample, const std::string& text) {
  const claims::Facts facts(sample, nullptr);
  const claims::Set events = facts.foreground(claims::kAnyAudio);
  if (events.empty()) return 1;
  claims::Set found;
  for (const claims::Sentence& sentence : claims::sentences_of(text)) {
    for (const claims::Mention& mention : claims::mentions_in(sentence, facts, claims::kAnyAudio)) {
      if (!mention.denied) found.insert(mention.events.begin(), mention.events.end());
    }
  }
  const auto there = std::count_if(events.begin(), events.end(), [&](int e) { return found.contains(e); });
  return static_cast<double>(there) / static_cast<double>(events.size());
}

}  // namespace

double answer_reward(const Sample& sample, std::string_view text) { return check_answer(sample, text) ? 1 : 0; }

double structure_reward(std::string_view text) {
  const ParsedChain parsed = parse_chain(text);
  const auto& sections = parsed.chain.text;
  const bool whole = parsed.complete && parsed.problems.empty() &&
                     std::none_of(sections.begin(), sections.end(), [](const std::string& s) { return s.empty(); });
  return whole ? 1 : 0;
}

double length_reward(int tokens, Ending ending, const LengthRule& rule) {
  if (rule.budget <= 0) return 0;
  if (ending == Ending::kCut || tokens >= rule.limit) return -1;
  if (tokens <= rule.budget) return 0;
  return -static_cast<double>(tokens - rule.budget) / static_cast<double>(rule.limit - rule.budget);
}

std::optional<double> caption_reward(const Sample& sample, std::string_view text) {
  if (sample.timeline.empty()) return std::nullopt;
  Sample said = sample;
  said.sections = {};
  said.sections[Section::kCaption] = parse_chain(text).chain[Section::kCaption];
  const double share = mentioned_share(sample, said.sections[Section::kCaption]);
  return share / (1 + static_cast<double>(false_claims(said, nullptr).size()));
}

const char* reward_part_name(RewardPart part) {
  static constexpr std::array<const char*, kRewardParts> kNames = {"answer", "structure", "caption", "length"};
  return kNames[static_cast<std::size_t>(part)];
}

JudgedAnswer judge(const Sample& sample, const WrittenAnswer& answer, const RewardRule& rule) {
  const auto at = [](RewardPart part) { return static_cast<std::size_t>(part); };
  JudgedAnswer out;
  out.parts[at(RewardPart::kAnswer)] = answer_reward(sample, answer.text);
  out.parts[at(RewardPart::kStructure)] = structure_reward(answer.text);
  out.parts[at(RewardPart::kLength)] = length_reward(answer.tokens, answer.ending, rule.length);
  if (rule.weights[at(RewardPart::kCaption)] != 0)
    out.parts[at(RewardPart::kCaption)] = caption_reward(sample, answer.text).value_or(0);
  for (std::size_t i = 0; i < out.parts.size(); ++i) out.total += rule.weights[i] * out.parts[i];
  return out;
}

}  // namespace areason::train
