#include "cota/claim_clauses.h"

#include <algorithm>

#include "cota/claim_people.h"

namespace areason::claims {
namespace {

constexpr const char* kBorders =
    ",|:|--|(|)|but|while|whereas|though|although|because|since|so|yet|which|who|then|and|or|whilst|after|before|until|till|"
    "once|"
    "when|therefore|hence|thus|however";
constexpr const char* kNotInClause =
    "not|never|no|nor|neither|without|doesn't|don't|didn't|isn't|aren't|wasn't|weren't|hasn't|haven't|cannot|can't|won't|"
    "hardly|"
    "nobody|nothing|none|couldn't|hadn't|scarcely|barely";
constexpr const char* kSpeechNouns =
    "question|reply|answer|remark|line|sentence|turn|statement|utterance|comment|contribution|opinion|words|phrase|view|point|"
    "complaint|observation|request";

// What a pronoun of this sentence may stand for: anything named before it here or in the two sentences before.
Set antecedents(const Reading& r, int before) {
  Set out;
  if (unknown_noun(r, before))
    for (int e = 0; e < static_cast<int>(r.facts.all().size()); ++e) out.insert(e);
  for (const Mention& m : r.mentions)
    if (m.end <= before) {
      const Set& all = m.nth != 0 || m.wide.empty() ? m.events : m.wide;
      out.insert(all.begin(), all.end());
    }
  for (const auto* mentions : {&r.before, &r.earlier})
    for (const Mention& m : *mentions) {
      const Set& all = m.nth != 0 || m.wide.empty() ? m.events : m.wide;
      out.insert(all.begin(), all.end());
    }
  return out;
}

// "her question about the fence": those of her turns that speak of a fence.
Set about_topic(const Reading& r, const Set& turns, int from, int& end) {
  int noun = -1;
  for (int k = from; k < std::min(r.size(), from + 4) && noun < 0; ++k)
    if (is_one(r.word(k), kSpeechNouns)) noun = k;
  if (noun < 0) return turns;
  end = noun + 1;
  Set out;
  if (noun + 1 < r.size() && is_one(r.word(noun + 1), "about|on|concerning|regarding|with")) {
    for (int k = noun + 2; k < std::min(r.size(), noun + 6); ++k) {
      const Word& w = r.word(k);
      if (w.stem.size() < 3 || is_one(w, "the|this|that|how|and")) continue;
      for (const int e : turns)
        if (r.facts.at(e).words.find(" " + w.text + " ") != std::string::npos) out.insert(e);
      if (!out.empty()) {
        end = k + 1;
        break;
      }
    }
  }
  return out.empty() ? turns : out;
}

bool overlaps(const Ref& a, int begin, int end) { return a.begin < end && begin < a.end; }

void add_people(const Reading& r, std::vector<Ref>& out) {
  if (!r.facts.has_speech()) return;
  for (const Person& p : persons_in(r)) {
    Ref ref{p.begin, p.end, {}, p.pronoun, true, false};
    for (const int speaker : p.who) {
      const Set turns = r.facts.of_speaker(speaker, r.audio);
      ref.events.insert(turns.begin(), turns.end());
    }
    ref.events = about_topic(r, ref.events, p.end, ref.end);
    ref.plain = !r.word(p.begin).open;
    std::erase_if(out, [&](const Ref& other) { return overlaps(other, ref.begin, ref.end); });
    out.push_back(std::move(ref));
  }
}

void add_pronouns(const Reading& r, std::vector<Ref>& out) {
  for (int i = 0; i < r.size(); ++i) {
    const Word& w = r.word(i);
    if (std::any_of(out.begin(), out.end(), [&](const Ref& ref) { return overlaps(ref, i, i + 1); })) continue;
    const bool own = is_one(w,
                            "it|it's|they|them|both|either|these|those|that|this|another|latter|former|others|other|its|she's|"
                            "he's|shes|hes|they're|each|two|three|ones");
    const bool nth = w.ordinal != 0 && i > 0 && is_one(r.word(i - 1), "the|a|its|that");
    if (!own && !nth) continue;
    // "that" and "this" before a verb only, "the two" not before a noun of its own
    if (is_one(w, "that|this|these|those|each|other|another|two|three") &&
        !(i + 1 >= r.size() || is_verb(r.word(i + 1)) || r.word(i + 1).stem.empty() ||
          is_one(r.word(i + 1), "one|ones|of|sound|sounds|noise|event|animal|animals|both|too|and")))
      continue;
    Ref ref{i, i + 1, antecedents(r, i), true, !w.open, false};
    // "both animals" names them.
    if (std::any_of(out.begin(), out.end(), [&](const Ref& next) { return next.begin == i + 1 && !next.pronoun; }) &&
        is_one(w, "both|either|these|those|that|this|each|another|other|its|two|three|latter|former"))
      continue;
    if (is_one(w, "two|three") && !(i > 0 && is_one(r.word(i - 1), "the|these|all|those"))) continue;
    // "the second one" may be any sound that the clip has.
    if (nth || is_one(w, "that|this|two|three|ones|others|other|another|each"))
      for (int e = 0; e < static_cast<int>(r.facts.all().size()); ++e) ref.events.insert(e);
    out.push_back(std::move(ref));
  }
}

}  // namespace

// "The blades were there before the water and they …": something that no table knows may be meant.
bool unknown_noun(const Reading& r, int before) {
  for (int i = 0; i + 1 < before; ++i) {
    if (!is_one(r.word(i), "the|a|an|this|that|his|her|its|their")) continue;
    const Word& w = r.word(i + 1);
    if (w.stem.empty() || w.number >= 0 || w.ordinal != 0 || w.quote ||
        !(i == 0 || is_one(r.word(i - 1), ",|and|but|so|while|--")))
      continue;
    if (std::any_of(r.mentions.begin(), r.mentions.end(), [&](const Mention& m) { return m.begin <= i + 3 && m.end > i + 1; }))
      continue;
    if (!is_one(w,
                "clip|recording|audio|file|sound|noise|end|start|beginning|two|latter|former|other|same|rest|whole|animal|"
                "first|last|event|only|former|one|question|answer|sequence|order|man|woman|speaker|voice|talk"))
      return true;
  }
  return false;
}

std::vector<Ref> refs_in(const Reading& r) {
  std::vector<Ref> out;
  for (const Mention& m : r.mentions) {
    Ref ref{m.begin,
            m.end,
            m.nth != 0 || m.wide.empty() ? m.events : m.wide,
            false,
            may_be_asserted(m) && !m.elsewhere,
            m.denied || m.neutral};
    if (m.quote) ref.plain = !m.events.empty();
    if (m.human && m.speaker == 0 && r.facts.has_speech()) ref.events = r.facts.speech(r.audio);
    out.push_back(std::move(ref));
  }
  add_people(r, out);
  add_pronouns(r, out);
  std::sort(out.begin(), out.end(), [](const Ref& a, const Ref& b) { return a.begin < b.begin; });
  return out;
}

bool Read::border(int i) const { return i <= 0 || i >= r.size() || is_one(r.word(i), kBorders); }
int Read::clause_begin(int i) const {
  int k = i;
  while (k > 0 && !is_one(r.word(k - 1), kBorders)) --k;
  return k;
}
int Read::clause_end(int i) const {
  int k = i;
  while (k < r.size() && !is_one(r.word(k), kBorders)) ++k;
  return k;
}
const Ref* Read::ref_in(int from, int to) const {
  for (const Ref& ref : refs)
    if (ref.begin >= from && ref.end <= to) return &ref;
  return nullptr;
}
const Ref* Read::last_ref(int from, int to) const {
  const Ref* out = nullptr;
  for (const Ref& ref : refs)
    if (ref.begin >= from && ref.end <= to) out = &ref;
  return out;
}
bool Read::sense_in(Sense sense, int from, int to) const {
  return std::any_of(senses.begin(), senses.end(),
                     [&](const SensePlace& p) { return p.sense == sense && p.begin >= from && p.end <= to; });
}

Clause Read::clause(int from, int to) const {
  Clause out;
  out.begin = from;
  out.end = to;
  out.subject = ref_in(from, to);
  // "it thunders"
  if (out.subject != nullptr && out.subject->pronoun && is_one(r.word(out.subject->begin), "it")) {
    const Ref* next = ref_in(out.subject->end, std::min(to, out.subject->end + 1));
    if (next != nullptr) out.subject = next;
  }
  const bool starts = sense_in(Sense::kStart, from, to), ends = sense_in(Sense::kEnd, from, to),
             still = sense_in(Sense::kStill, from, to);
  out.negated = r.find(kNotInClause, from, to) >= 0;
  if (still || (ends && out.negated)) {
    out.aspect = Aspect::kStill;
    if (ends && out.negated) out.negated = false;
    out.clear = !starts;
  } else if (ends || starts) {
    out.aspect = ends ? Aspect::kEnds : Aspect::kStarts;
    out.clear = ends != starts;
  }
  for (int i = from; i < to; ++i) out.verb = out.verb || is_verb(r.word(i));
  out.verb = out.verb || starts || ends || still;
  return out;
}

}  // namespace areason::claims
