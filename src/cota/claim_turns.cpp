// Turns by their place: "line 4 is by B", "turns 1 and 5 share one voice", "the closing line is speaker 3's", "seven turns in
// all". Each is held against who speaks when.
#include <algorithm>

#include "cota/claim_people.h"

namespace areason::claims {
namespace {

constexpr const char* kTurnNouns =
    "line|lines|turn|turns|utterance|utterances|sentence|sentences|question|remark|phrase|word|words";

// "turns 2 and 5", "the first and the third line", "the closing line", from word i on; `end` is the word behind them.
std::vector<int> turns_named(const Reading& r, const std::vector<int>& turns, int i, int& end) {
  std::vector<int> places;
  const int count = static_cast<int>(turns.size());
  end = i;
  if (is_one(r.word(i), kTurnNouns) && i + 1 < r.size() && r.word(i + 1).number >= 1) {
    for (end = i + 1; end < r.size() && (r.word(end).number >= 1 || is_one(r.word(end), "and|,")); ++end)
      if (r.word(end).number >= 1) places.push_back(static_cast<int>(r.word(end).number));
  } else if (r.word(i).ordinal != 0 || is_one(r.word(i), "closing|opening")) {
    for (end = i; end < r.size() && (r.word(end).ordinal != 0 || is_one(r.word(end), "closing|opening|and|the|,|very"));
         ++end) {
      if (r.word(end).ordinal != 0) places.push_back(r.word(end).ordinal < 0 ? count : r.word(end).ordinal);
      if (r.word(end).text == "closing") places.push_back(count);
    }
    if (end >= r.size() || !is_one(r.word(end), "line|lines|turn|turns|utterance|utterances|sentence|sentences")) return {};
    ++end;
  }
  std::vector<int> out;
  for (const int p : places) {
    if (p < 1 || p > count) return {};
    out.push_back(turns[static_cast<std::size_t>(p - 1)]);
  }
  return out;
}

void check_named_turns(Reading& r, const std::vector<Person>& people, const std::vector<int>& turns) {
  for (int i = 0; i + 1 < r.size(); ++i) {
    if (r.word(i).open || (i > 0 && is_one(r.word(i - 1), "his|her|their|s|man's|woman's|than|of"))) continue;
    int end = i;
    const std::vector<int> named = turns_named(r, turns, i, end);
    if (named.empty()) continue;
    const int to = std::min(r.size(), end + 7);
    Set voices;
    for (const int t : named) voices.insert(r.facts.at(t).speaker);
    // "share the same voice", "are by one speaker", "cluster together"
    const bool same =
        named.size() > 1 &&
        ((r.find("same|one|single", end, to) >= 0 && r.find("voice|speaker|person|woman|man|hand", end, to + 2) >= 0) ||
         r.find("cluster|clusters|belong", end, end + 2) >= 0);
    if (same && voices.size() > 1) return r.wrong("speakers", "these turns have several voices");
    // "is by B", "comes from the woman", "is speaker 3's"
    for (const Person& p : people) {
      if (p.begin < end || p.begin > end + 6 || p.pronoun || p.who.empty()) continue;
      const bool by = r.find("by|from", std::max(end, p.begin - 3), p.begin) >= 0 ||
                      r.find("belongs|belong", end, p.begin) >= 0 ||
                      (is_one(r.word(end), "is|are") &&
                       (r.word(p.end - 1).text.ends_with("'s") || (p.end < r.size() && r.word(p.end).text == "s")));
      if (by && r.find("to|asked|followed|preceded|interrupted|after|before|and", end, p.begin) < 0 &&
          std::none_of(voices.begin(), voices.end(), [&](int v) { return p.who.contains(v); }))
        return r.wrong("speakers", "another person has this turn");
      break;
    }
    i = end;
  }
}

// "alternating turns, ten in all", "nine shots in all", "they gave six statements"
void check_total(Reading& r, const std::vector<int>& turns) {
  if (!r.facts.only_speech() || r.facts.audios() > 1) return;
  for (int i = 0; i + 1 < r.size(); ++i) {
    const double n = r.word(i).number;
    if (n < 2 || n != static_cast<int>(n) || r.word(i).open) continue;
    const int all = r.find("all|total|altogether", i + 1, i + 4);
    const bool sum =
        all >= 0 && is_one(r.word(all - 1), "in") &&
        (r.has("turn|turns|alternating|taking") || r.find("turns|lines|shots|statements|utterances", i + 1, all) >= 0);
    const bool they = i > 1 && is_one(r.word(i - 1), "gave|give|make|made|deliver|exchange|exchanged") &&
                      is_one(r.word(i - 2), "they") && is_one(r.word(i + 1), "statements|turns|lines|utterances|remarks");
    if ((sum || they) && n != static_cast<double>(turns.size()) &&
        r.find("people|speakers|voices|women|men|of|overlaps|word|words|she|he|her|his", i - 2, all + 1) < 0)
      r.wrong("count", "there are " + std::to_string(turns.size()) + " turns");
  }
}

}  // namespace

void check_turns(Reading& r, const std::vector<Person>& people) {
  const auto turns = turns_in_order(r);
  if (turns.size() < 2 || r.facts.audios() > 1 || r.has(kDoubt)) return;
  check_total(r, turns);
  if (r.facts.speakers(r.audio) > 1) check_named_turns(r, people, turns);
}

}  // namespace areason::claims
