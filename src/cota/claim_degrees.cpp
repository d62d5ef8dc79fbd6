// More and most, told of whatever a clause is about: "it is by far the feeblest", "softer than the music", "longer than the
// other two put together", "half as long as the first". The measures are the timeline's lengths and levels.
#include <algorithm>

#include "cota/claim_clauses.h"

namespace areason::claims {
namespace {

struct Scale {
  bool loud = false, more = false, most = false;
};

bool scale_of(Sense sense, Scale& out) {
  switch (sense) {
    case Sense::kLonger:
    case Sense::kShorter:
    case Sense::kLouder:
    case Sense::kQuieter:
      out.most = false;
      break;
    case Sense::kLongest:
    case Sense::kShortest:
    case Sense::kLoudest:
    case Sense::kQuietest:
      out.most = true;
      break;
    default:
      return false;
  }
  out.loud = sense == Sense::kLouder || sense == Sense::kQuieter || sense == Sense::kLoudest || sense == Sense::kQuietest;
  out.more = sense == Sense::kLonger || sense == Sense::kLouder || sense == Sense::kLongest || sense == Sense::kLoudest;
  return true;
}

double value(const Reading& r, int event, const Scale& scale) {
  const Happening& h = r.facts.at(event);
  const double v = scale.loud ? h.level_db : h.to - h.from;
  return scale.more ? v : -v;
}
double slack(const Scale& scale) { return scale.loud ? 2.0 : 0.2; }

// What the whole sentence compares: all that is heard, that of its file, those of the same kind.
bool extreme(const Reading& r, int event, const Scale& scale) {
  const Happening& own = r.facts.at(event);
  bool file = true, kind = true, named = true;
  int others = 0, siblings = 0;
  Set mentioned;
  for (const Mention& m : r.mentions) mentioned.insert(m.wide.begin(), m.wide.end());
  for (const int e : r.facts.foreground(kAnyAudio)) {
    if (e == event) continue;
    const bool beaten = value(r, e, scale) > value(r, event, scale) + slack(scale);
    const Happening& h = r.facts.at(e);
    if (h.audio == own.audio) file = file && !beaten, ++others;
    if (h.label == own.label && h.audio == own.audio) kind = kind && !beaten, ++siblings;
    if (mentioned.contains(e)) named = named && !beaten;
  }
  return file || (siblings > 0 && kind) || (mentioned.size() > 2 && named);
}

constexpr const char* kNoDegree =
    "not|never|no|nor|neither|isn't|aren't|wasn't|doesn't|don't|nothing|none|hardly|if|would|could";

// "of her turns", "among the animals", "the second loudest": a part that is not looked at.
bool of_part(const Reading& r, const SensePlace& p) {
  if (p.begin > 0 && (r.word(p.begin - 1).ordinal > 0 || is_one(r.word(p.begin - 1), "second|next|one|two|three|among")))
    return true;
  const int of = r.find("of|among|amongst|except|after|besides", p.end, p.end + 4);
  if (of < 0) return false;
  return !is_one(r.word(of), "of") ||
         r.find("all|three|four|five|six|trio|lot|clip|recording|them|audio|whole|bunch|everything|sounds|events", of + 1,
                of + 5) < 0;
}

// "the first sound": whatever may be counted as such.
Set sound_at_place(const Reading& r, int from, int to) {
  Set out;
  for (int i = from; i + 1 < to; ++i) {
    if (r.word(i).ordinal == 0 || r.word(i).open || !is_one(r.word(i + 1), "sound|event|noise")) continue;
    if (i == 0 || r.word(i - 1).text != "the" || i - 1 > from + 1) return {};
    for (const int e : r.facts.foreground(r.audio))
      if (r.facts.nth({e}, r.word(i).ordinal, r.audio)) out.insert(e);
  }
  return out;
}

void check_most(const Read& read, const SensePlace& p, const Scale& scale) {
  Reading& r = read.r;
  if (of_part(r, p)) return;
  const int from = r.segment_begin(p.begin), to = r.segment_end(p.begin);
  if (r.find(kNoDegree, from, to) >= 0 ||
      r.find("part|moment|point|stretch|gap|pause|silence|overlap|passage|answer|option", p.end, p.end + 4) >= 0)
    return;
  // "Loudest is the last howl.", "X is by far the loudest thing"
  const int copula = r.find("is|was|are|being|remains|seems|makes|it's|'s|sounds", from, p.begin);
  const Ref* subject = read.last_ref(from, p.begin);
  if (subject == nullptr && copula < 0 && p.end < to && is_one(r.word(p.end), "is|was|of|sound|event")) {
    const int is = r.find("is|was", p.end, p.end + 6);
    if (is >= 0) subject = read.ref_in(is, std::min(to, is + 6));
  }
  // "Quietest: the insect."
  if (p.begin == 0 && p.end + 1 < r.size() && r.word(p.end).text == ":") {
    subject = read.ref_in(p.end + 1, std::min(r.size(), p.end + 5));
    if (subject == nullptr || subject->pronoun) return;
  }
  // "…, and is the quietest"
  if (subject == nullptr && copula >= 0 && from > 0) {
    const bool relative = is_one(r.word(from), "which|that");
    subject = relative ? read.last_ref(0, from) : read.ref_in(0, from);
    if (subject != nullptr && read.last_ref(0, from) != subject) subject = nullptr;
  }
  // "the cymbal, which closes the clip, is the softest"
  if (subject == nullptr && copula >= 0 && from > 1 && r.word(from).text == ",") {
    const int before = r.segment_begin(from - 1);
    if (before > 0 && r.find("which|who", before, before + 2) >= 0)
      subject = read.last_ref(r.segment_begin(before - 1), before);
  }
  if (copula >= 0 && r.facts.audios() == 1) {
    if (const Set placed = sound_at_place(r, from, copula); !placed.empty()) {
      for (const int e : placed)
        if (extreme(r, e, scale)) return;
      return r.wrong(scale.loud ? "level" : "length", "it is not " + r.word(p.end - 1).text);
    }
  }
  if (subject == nullptr || subject->events.empty() || !subject->plain || unknown_noun(r, p.begin)) return;
  if (subject->begin < p.begin && copula < 0) return;
  for (int i = from; i < to; ++i)
    if (r.word(i).open) return;
  if (std::any_of(subject->events.begin(), subject->events.end(), [&](int e) { return extreme(r, e, scale); })) return;
  if (std::all_of(subject->events.begin(), subject->events.end(), [&](int e) { return r.facts.at(e).speaker > 0; })) return;
  r.wrong(scale.loud ? "level" : "length", "it is not " + r.word(p.end - 1).text);
}

// "than X", "than either", "than anything else": is one of a more than one (or all) of b?
void check_than(const Read& read, const SensePlace& p, const Scale& scale) {
  Reading& r = read.r;
  const int than = r.find("than", p.end, p.end + 3);
  if (than < 0 || than + 1 >= r.size()) return;
  const int from = r.segment_begin(p.begin);
  if (r.find(kNoDegree, from, than) >= 0) return;
  const Ref* subject = read.last_ref(from, p.begin);
  if (subject == nullptr && from > 0 && r.mentions.size() <= 2) subject = read.last_ref(0, from);
  if (subject == nullptr || subject->events.empty() || !subject->plain || r.word(p.begin).open) return;
  const bool all = r.find("either|both|anything|everything|any|others|each|every|all", than + 1, than + 4) >= 0 ||
                   r.find("other", than + 1, than + 3) >= 0;
  const Ref* object = read.ref_in(than + 1, std::min(r.size(), than + 5));
  if (object != nullptr && !object->plain) return;
  if (is_one(r.word(than + 1), "half|a|one|its|usual|normal|before|that|this|expected|what") &&
      (object == nullptr || object->pronoun))
    return;
  Set others;
  if (object != nullptr && !object->pronoun) others = object->events;
  if (others.empty() && all) others = r.facts.foreground(r.audio);
  if (others.empty() && object != nullptr && is_one(r.word(object->begin), "it|them")) others = object->events;
  if (others.empty() || r.facts.audios() > 1) return;
  bool any = false;
  for (const int a : subject->events) {
    int good = 0, pairs = 0;
    for (const int b : others) {
      if (a == b || (all && r.facts.at(b).label == r.facts.at(a).label && subject->events.contains(b))) continue;
      ++pairs;
      good += value(r, a, scale) > value(r, b, scale) - slack(scale) ? 1 : 0;
    }
    any = any || pairs > 0;
    if (pairs > 0 && good >= (all ? std::min(pairs, 2) : 1)) return;
  }
  if (any) r.wrong(scale.loud ? "level" : "length", "it is not " + r.word(p.begin).text);
}

// "twice as long as the bell", "not even half as loud as before"
void check_factor(const Read& read, int as) {
  Reading& r = read.r;
  if (as + 2 >= r.size() || !is_one(r.word(as + 1), "long|short|loud|quiet|soft") || r.word(as + 2).text != "as") return;
  if (r.word(as).open || as < 1) return;
  const int from = r.segment_begin(as);
  const bool half = r.find("half|third|quarter|fraction", as - 2, as) >= 0;
  const bool times = r.find("twice|times|thrice", as - 2, as) >= 0;
  if (half == times || !is_one(r.word(as + 1), "long|short") || r.find("not|isn't|no|never", from, as) >= 0) return;
  const bool more = times == is_one(r.word(as + 1), "long");
  const Ref* subject = read.ref_in(from, as);
  if (subject == nullptr) subject = read.last_ref(0, from);
  const Ref* object = read.ref_in(as + 3, std::min(r.size(), as + 8));
  if (subject == nullptr || object == nullptr || object->pronoun || !subject->plain || !object->plain) return;
  const Scale scale{false, more, false};
  for (const int a : subject->events)
    for (const int b : object->events)
      if (a != b && value(r, a, scale) > value(r, b, scale) + 0.05) return;
  if (!subject->events.empty() && !object->events.empty() && !(subject->events == object->events))
    r.wrong("length", "it is not so long");
}

}  // namespace

void check_degrees(Reading& r) {
  if (r.sentence.question || r.facts.all().size() < 2) return;
  const std::vector<SensePlace> senses = senses_in(r.sentence);
  const bool degree = std::any_of(senses.begin(), senses.end(), [](const SensePlace& p) { return p.sense >= Sense::kLonger; });
  if (!degree && !r.has("as")) return;
  const Read read(r);
  for (const SensePlace& p : read.senses) {
    Scale scale;
    if (!scale_of(p.sense, scale)) continue;
    scale.most ? check_most(read, p, scale) : check_than(read, p, scale);
  }
  for (int i = 0; i < r.size(); ++i)
    if (r.word(i).text == "as") check_factor(read, i);
}

}  // namespace areason::claims
