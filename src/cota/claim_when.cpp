// When one sound is heard as the other begins, ends or goes on: "the siren only sets in once the saw has fallen silent", "she
// starts before he is through", "when the band stops, the dog is long gone". Main and subordinate clause each give a sound and
// a point of it; wrong is what no two candidates make true.
#include <algorithm>

#include "cota/claim_clauses.h"

namespace areason::claims {
namespace {

constexpr double kNear = 0.2;   // borders that a listener cannot tell apart
constexpr double kAbout = 0.5;  // "as soon as", "until"

struct Pair {
  const Happening &main, &other;
  Aspect aspect, other_aspect;
  double point() const { return aspect == Aspect::kEnds ? main.to : main.from; }
  double other_point() const { return other_aspect == Aspect::kEnds ? other.to : other.from; }
  bool meet() const { return std::min(main.to, other.to) - std::max(main.from, other.from) > -kNear; }
};

bool at_once(const Pair& p) {
  if (p.other_aspect == Aspect::kStill) return p.meet();
  const double at = p.other_point();
  switch (p.aspect) {
    case Aspect::kStill:
      return p.main.from < at + kNear && p.main.to > at - kNear;
    case Aspect::kEnds:
      return p.main.to < at + kAbout;
    default:
      return p.main.from > at - kAbout;
  }
}

bool holds(Sense sense, const Pair& p, bool negated) {
  const double at = p.other_point();
  switch (sense) {
    case Sense::kAfter:
      // What is heard after it may have begun before.
      return (p.aspect == Aspect::kStill || p.aspect == Aspect::kSounds ? p.main.to : p.point()) > at - kNear;
    case Sense::kBefore:
      if (negated) return p.point() > at - kNear;
      return p.aspect == Aspect::kStill ? p.main.from < at + kNear : p.point() < at + kNear;
    case Sense::kOnce:
      return at_once(p);
    case Sense::kWhile:
      return p.aspect == Aspect::kSounds || p.aspect == Aspect::kStill
                 ? p.meet()
                 : p.point() > p.other.from - kNear && p.point() < p.other.to + kNear;
    case Sense::kUntil:
      return negated ? p.main.from > at - kAbout : p.main.from < at + kNear && p.main.to < at + kAbout;
    default:
      return true;
  }
}

// "she is through" is said of the turn that was going on: of those that began before the main sound, the last.
Set going_on(const Reading& r, const Set& others, int main) {
  int best = -1;
  for (const int o : others)
    if (o != main && r.facts.key(o) < r.facts.key(main) && (best < 0 || r.facts.key(o) > r.facts.key(best))) best = o;
  return best < 0 ? others : Set{best};
}

// Is there a pair at all, and does one hold? `all`: "after both" means each of them.
void judge(Reading& r, Sense sense, const Clause& main, const Clause& other, bool all) {
  bool any = false;
  for (const int m : main.subject->events) {
    const bool turn = other.aspect == Aspect::kEnds && main.aspect != Aspect::kEnds && sense != Sense::kUntil;
    int pairs = 0, good = 0;
    for (const int o : turn ? going_on(r, other.subject->events, m) : other.subject->events) {
      if (m == o || r.facts.at(m).audio != r.facts.at(o).audio) continue;
      ++pairs;
      good += holds(sense, {r.facts.at(m), r.facts.at(o), main.aspect, other.aspect}, main.negated) ? 1 : 0;
    }
    any = any || pairs > 0;
    if (good >= (all ? std::min(2, pairs) : 1)) return;
  }
  if (any) r.wrong(sense == Sense::kWhile ? "overlap" : "order", "this is not when it is heard");
}

bool usable(const Clause& c) { return c.subject != nullptr && c.clear && !c.subject->events.empty(); }

// Clauses on both sides of the connective; the main one behind the comma when the connective opens the sentence.
bool main_clause(const Read& read, const SensePlace& place, int other_end, Clause& main) {
  const Reading& r = read.r;
  const int from = read.clause_begin(place.begin);
  bool adverbs = true;
  for (int i = from; i < place.begin; ++i)
    adverbs = adverbs && is_one(r.word(i),
                                "only|just|right|shortly|soon|immediately|well|long|even|not|almost|directly|and|then|"
                                "straight|seconds|second|a|moment|little|bit|some|exactly|precisely|at|about");
  if (!adverbs) {
    main = read.clause(from, place.begin);
    // "the footsteps, which begin before …"
    if (main.subject == nullptr && from > 1 && is_one(r.word(from - 1), "which|who")) {
      main.subject = read.last_ref(0, from - 1);
      return main.subject != nullptr && !main.subject->pronoun && main.subject->end >= from - 3;
    }
    if (main.subject != nullptr) return !main.subject->pronoun || !main.subject->events.empty();
    // "…, fades and stops before the bell rings": of what the sentence has named
    if (!main.verb || r.find("sound|sounds|one|event|noise|thing|anything|nothing|everything|what|who", from, place.begin) >= 0)
      return false;
    main.subject = read.last_ref(0, from);
    return main.subject != nullptr && from > 0 && is_one(r.word(from - 1), "and|,") && read.ref_in(0, from) == main.subject;
  }
  if (from > 0 && is_one(r.word(from - 1), ",|and") && (other_end >= r.size() || r.word(other_end).text != ",")) {
    // "X, once Y has stopped": of the clause before the comma
    main = read.clause(read.clause_begin(from - 1), from - 1);
    return main.subject != nullptr;
  }
  if (other_end >= r.size() || r.word(other_end).text != ",") return false;
  main = read.clause(other_end + 1, read.clause_end(other_end + 1));
  return main.subject != nullptr;
}

// "After it has stopped a cat roars": no comma between the two.
bool split(const Read& read, const SensePlace& place, Clause& other, Clause& main) {
  const int from = read.clause_begin(place.begin);
  if (place.begin - from > 2 || read.ref_in(from, place.begin) != nullptr || other.subject == nullptr) return false;
  for (const SensePlace& p : read.senses) {
    if (p.begin < other.subject->end || p.begin > other.subject->end + 2 || p.end > other.end || p.sense > Sense::kStill)
      continue;
    const Ref* next = read.ref_in(p.end, std::min(other.end, p.end + 4));
    if (next == nullptr || next->pronoun) return false;
    main = read.clause(p.end, other.end);
    other = read.clause(other.begin, p.end);
    return true;
  }
  return false;
}

void check_connective(const Read& read, const SensePlace& place) {
  Reading& r = read.r;
  if (r.word(place.begin).open || place.end >= r.size()) return;
  if (place.begin > 0 && is_one(r.word(place.begin - 1), "than|as|one|the|day|or|what|not")) return;
  const int end = read.clause_end(place.end);
  Clause other = read.clause(place.end, end), main;
  const bool inverted = split(read, place, other, main);
  if (!usable(other) || other.subject->begin - place.end > 3 || r.word(place.end).number >= 0) return;
  if ((!inverted && !main_clause(read, place, end, main)) || !usable(main)) return;
  if (!other.subject->plain ||
      (!main.subject->plain && !(main.subject->denied && main.negated && place.sense == Sense::kUntil)))
    return;
  if (!main.subject->plain) main.negated = true;
  if (other.negated) return;
  // "before it makes up its mind": a verb that no table knows
  // "had hardly gone when …"
  if (r.find("hardly|scarcely|barely|sooner", read.clause_begin(place.begin), place.begin) >= 0) return;
  if (other.subject->pronoun && other.aspect == Aspect::kSounds && other.subject->end < end &&
      !is_one(r.word(other.subject->end), "sounds|plays|barks|rings|speaks|talks|comes|does|did|do"))
    return;
  // "… just before the buzz does"
  if (other.end > place.end && is_one(r.word(other.end - 1), "does|did|do|is|was|has")) other.aspect = main.aspect;
  const bool timed = main.aspect == Aspect::kStarts || main.aspect == Aspect::kEnds || other.aspect == Aspect::kStill ||
                     other.aspect == Aspect::kEnds || main.aspect == Aspect::kStill;
  if (place.sense == Sense::kWhile && !timed) return;
  if (main.negated && place.sense != Sense::kUntil && place.sense != Sense::kBefore) return;
  // A bare name: "after the bell" is what other rules read.
  if (!timed && !main.subject->pronoun && !other.subject->pronoun) return;
  for (int i = main.begin; i < end; ++i)
    if (r.word(i).open) return;
  judge(r, place.sense, main, other, is_one(r.word(other.subject->begin), "both|all|either|everything"));
}

// "door 0.6 -> 1.0, inside the steps", "the drip falls on top of the roar"
void check_inside(const Read& read, const SensePlace& place) {
  Reading& r = read.r;
  const Ref* object = read.ref_in(place.end, r.size());
  if (object == nullptr || object->begin - place.end > 2 || r.word(place.begin).open) return;
  const Ref* subject = read.last_ref(read.clause_begin(place.begin), place.begin);
  if (subject == nullptr && place.begin > 0) subject = read.last_ref(0, place.begin);
  if (subject == nullptr || !subject->plain || !object->plain || subject->events.empty() || object->events.empty()) return;
  if (r.find("not|never|no|nor|neither|without|nothing|none|isn't", 0, object->begin) >= 0) return;
  bool any = false;
  for (const int m : subject->events)
    for (const int o : object->events) {
      if (m == o) continue;
      any = true;
      const double both = r.facts.overlap({m}, {o});
      if (place.sense == Sense::kInside ? both > -kNear : both < kNear) return;
    }
  if (any) r.wrong("overlap", "they do not lie so");
}

// "a bird sings afterwards", "…, before which a bird is heard", "Before that people had clapped"
void check_adverbs(const Read& read) {
  Reading& r = read.r;
  for (int i = 0; i < r.size(); ++i) {
    const bool linked = is_one(r.word(i), "before|after") && i + 1 < r.size() && is_one(r.word(i + 1), "which|that|this");
    const bool last = i + 1 >= r.size() || is_one(r.word(i + 1), ",|:|)|and|but");
    const bool earlier = (is_one(r.word(i), "beforehand|previously") && last) || (linked && r.word(i).text == "before");
    const bool later =
        (is_one(r.word(i), "afterwards|afterward|thereafter|subsequently") && last) || (linked && r.word(i).text == "after");
    if ((!earlier && !later) || r.word(i).open) continue;
    const int from = linked ? i + 2 : read.clause_begin(i), to = linked ? read.clause_end(i + 2) : i;
    const Clause main = read.clause(from, to);
    if (!usable(main) || main.subject->pronoun || !main.subject->plain || main.negated || main.aspect != Aspect::kSounds ||
        r.find("only|still|nothing|just|alone", from, to) >= 0 || read.sense_in(Sense::kOnce, from, to))
      continue;
    // Of what stands before it here, else of the sentence before.
    Set others;
    for (const Ref& ref : read.refs)
      if (ref.end <= (linked ? i : from) && !ref.pronoun) others.insert(ref.events.begin(), ref.events.end());
    if (others.empty() && i > (linked ? 1 : 99)) continue;
    if (others.empty())
      for (const Mention& m : r.before) others.insert(m.events.begin(), m.events.end());
    Set mains = main.subject->events;
    bool any = false, fits = false;
    for (const int m : mains)
      for (const int o : others) {
        if (m == o) continue;
        any = true;
        fits = fits || (earlier ? r.facts.key(m) < r.facts.key(o) + kNear : r.facts.key(m) > r.facts.key(o) - kNear);
      }
    if (any && !fits) r.wrong("order", std::string("it is not ") + (earlier ? "before" : "after") + " it");
  }
}

}  // namespace

void check_when(Reading& r) {
  if (r.sentence.question || r.facts.all().size() < 2) return;
  if (senses_in(r.sentence).empty() && !r.has("beforehand|previously|afterwards|afterward|thereafter|before|after")) return;
  const Read read(r);
  check_adverbs(read);
  for (const SensePlace& place : read.senses) {
    if (place.sense >= Sense::kAfter && place.sense <= Sense::kUntil) check_connective(read, place);
    if (place.sense == Sense::kInside || place.sense == Sense::kOutside) check_inside(read, place);
  }
}

}  // namespace areason::claims
