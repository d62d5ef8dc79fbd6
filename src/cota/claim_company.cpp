// How many people, how many turns: "two men and a woman", "eight turns in all", "a monologue".
#include <algorithm>

#include "cota/claim_counts.h"

namespace areason::claims {
namespace {

constexpr const char* kSexedNouns =
    "man|men|woman|women|male|female|males|females|guy|guys|girl|girls|boy|boys|lady|ladies|gentleman|gentlemen|fellow|fellows|"
    "bloke|blokes";

}  // namespace

void expect_speakers(Reading& r, double n) {
  const int speakers = r.facts.speakers(r.audio);
  if (speakers > 0 && n != speakers) r.wrong("speakers", std::to_string(speakers) + " people speak, not " + times(n));
  if (speakers == 0 && n > 0 && !r.facts.has_voice() &&
      r.has("speak|speaks|talk|talks|speaker|speakers|talking|speaking|conversation"))
    r.wrong("speakers", "nobody speaks");
}

// All people that the sentence counts: "two men and a woman".
void count_people(Reading& r, int i, int noun) {
  const double n = r.word(i).number;
  if (r.facts.speakers(r.audio) == 0) return expect_speakers(r, n);
  // "where two people talk at once"
  if (r.find("where|which|whom|when|whenever", 0, i) >= 0 ||
      r.find("same|simultaneously|together|overlap|clash", noun, noun + 7) >= 0)
    return;
  // "two people talk at once", "over each other"
  for (int k = noun; k + 1 < std::min(r.size(), noun + 7); ++k)
    if ((r.word(k).text == "at" && r.word(k + 1).text == "once") ||
        (r.word(k).text == "over" && is_one(r.word(k + 1), "each|one")))
      return;
  if (r.find("of|other|more|remaining|same|both|at|each|every|overlap|overlapping|while|any|these|those|between|only", noun + 1,
             noun + 2) >= 0 ||
      r.find("other|more|another|of|these|those|any|least|same", std::max(0, i - 2), noun) >= 0)
    return;
  if (r.find("and|plus", noun, noun + 4) >= 0 && r.find(kSexedNouns, noun + 1, r.size()) >= 0) {
    double sum = 0;
    for (int k = 0; k < r.size(); ++k) {
      if (!is_one(r.word(k), kSexedNouns)) continue;
      double here = 1;
      for (int b = k - 1; b >= std::max(0, k - 3); --b)
        if (r.word(b).number > 0) here = r.word(b).number;
      if ((r.word(k).text.ends_with("en") || r.word(k).text.ends_with('s')) && here == 1) return;
      sum += here;
    }
    if (r.find("then|next|another|before|after|he|she|first|says", 0, r.size()) < 0) expect_speakers(r, sum);
    return;
  }
  const int sexed = r.find(kSexedNouns, i + 1, noun + 1);
  if (sexed >= 0) {
    const Known& known = r.facts.known();
    const std::string value = trait_value(Trait::kSex, r.sentence, sexed);
    if (known.all_sexes && n >= 2 && known.with_sex(value) != n) r.wrong("speakers", "another number of " + value);
    if (n > r.facts.speakers(r.audio)) expect_speakers(r, n);
    return;
  }
  if (n == 1 && r.find("only|single|sole|just|lone|solitary", i - 2, noun) < 0 && !(r.answer && r.mentions.size() <= 1)) return;
  // "one speaker says …, the other …" is a part.
  if (n == 1 && (r.facts.knows_words() && r.find("other|second|then|and", noun, r.size()) >= 0)) return;
  expect_speakers(r, n);
}

void count_turns(Reading& r, int i) {
  const double n = r.word(i).number;
  const Set talk = r.facts.speech(r.audio);
  // "three questions, three replies" are parts
  if (r.find("each", 0, r.size()) >= 0 || (r.find("replies", i + 1, i + 4) >= 0 && r.has("question|questions"))) return;
  const int from = r.segment_begin(i), to = r.segment_end(i);
  if (talk.empty() || r.find("overlapping|overlap|overlaps|between|more|other|these|those|both|rest", from, i + 4) >= 0) return;
  // "of the eight turns" tells how many there are
  const bool whole = i > 1 && is_one(r.word(i - 1), "the") && is_one(r.word(i - 2), "of|among");
  if (!whole && i > 0 && r.find("of|the|first|last|next|his|her|their|in|these|those", i - 2, i) >= 0) return;
  if (r.find("his|her|their|hers|each", i, to) >= 0) return;
  // "she's got two turns", "the other man has three"
  const bool total = r.find("all|total|altogether", i, to) >= 0 && r.find("he|she|who|man|woman", from, i) < 0;
  if (!total && r.facts.speakers(r.audio) > 1 &&
      r.find("he|she|she's|he's|his|her|hers|man|woman|guy|girl|lady|gentleman|person|party|other|who|one|first|second|third|"
             "latter|former",
             from, i) >= 0)
    return;
  const Mention* who = nullptr;
  for (const Mention& m : r.mentions)
    if (m.speaker > 0 && m.end <= i) who = &m;
  const auto all = static_cast<double>(talk.size());
  if (n == all) return;
  if (who != nullptr && !who->events.empty()) {
    if (n != static_cast<double>(who->events.size()))
      r.wrong("count", who->name + " has " + std::to_string(who->events.size()) + " turns, not " + times(n));
    return;
  }
  if (r.facts.speakers(r.audio) > 1 && r.sample->answer_text == times(n)) return;
  if ((n > 1 || r.find("only|just|single|sole", i - 2, i + 1) >= 0) && !talk.empty() &&
      r.find("last|first|next|these|those|the", i - 2, i) < 0)
    r.wrong("count", "there are " + std::to_string(talk.size()) + " turns, not " + times(n));
}

// How many pairs of neighbours sound at the same time.
int overlaps_in(const Reading& r) {
  int out = 0;
  const Set front = r.facts.foreground(r.audio);
  for (const int a : front)
    for (const int b : front) out += a < b && r.facts.overlap({a}, {b}) > 0.05 ? 1 : 0;
  return out;
}

// "three overlaps", "a single overlap"
void count_overlaps(Reading& r) {
  for (int i = 0; i < r.size(); ++i) {
    if (!is_one(r.word(i), "overlap|overlaps|interruption|interruptions|collision|collisions|clash|clashes") || i == 0)
      continue;
    const double n = r.word(i - 1).number;
    // "two clashes of the cymbal"
    if (i + 1 < r.size() && r.word(i + 1).text == "of" && r.find("the|a", i + 2, i + 3) >= 0) continue;
    if (n < 1 || n != static_cast<int>(n) || r.word(i - 1).open ||
        r.find("of|first|last|other|more|at|least|than|if|the|these|both|all", i - 4, i - 1) >= 0)
      continue;
    const int truth = overlaps_in(r);
    if (n != truth && !(n > 1 && truth > n)) r.wrong("overlap", std::to_string(truth) + " overlaps, not " + times(n));
  }
}

void check_company(Reading& r) {
  if (!r.sentence.question && r.facts.audios() == 1) count_overlaps(r);
  const int speakers = r.facts.speakers(r.audio);
  if (speakers == 0) return;
  for (int i = 0; i < r.size(); ++i) {
    if (r.word(i).open || r.find("no|not|one|of|isn't|never|rather|than|than", i - 4, i) >= 0) continue;
    if (is_one(r.word(i), "dialogue|dialog|conversation") && speakers == 1) r.wrong("speakers", "only one person speaks");
    if (is_one(r.word(i), "monologue") && speakers > 1) r.wrong("speakers", std::to_string(speakers) + " people speak");
    if (is_one(r.word(i), "both") && i + 1 < r.size() && is_one(r.word(i + 1), "speakers|voices|people") && speakers == 1)
      r.wrong("speakers", std::to_string(speakers) + " people speak");
  }
}

}  // namespace areason::claims
