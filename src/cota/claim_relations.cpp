// What the patterns of claim_patterns.h find, held against the timeline: wrong is what no pair of the sounds meant makes true.
#include <algorithm>

#include "cota/claim_patterns.h"

namespace areason::claims {
namespace {

bool plainly(const Mention& m) { return is_asserted(m) && !m.elsewhere; }

// "people" and "a voice" are anybody's; which one of several the rule for people asks.
bool usable(const Reading& r, const Mention& m) {
  return plainly(m) && !(m.human && m.speaker == 0 && r.facts.speakers(kAnyAudio) > 1);
}

const Set& meant(const Mention& m) { return m.nth != 0 || m.wide.empty() ? m.events : m.wide; }

template <typename Fits>
bool any_pair(const Set& a, const Set& b, const Fits& fits) {
  return std::any_of(a.begin(), a.end(),
                     [&](int i) { return std::any_of(b.begin(), b.end(), [&](int k) { return i != k && fits(i, k); }); });
}

double end_of(const Reading& r, int i) { return r.facts.at(i).audio * 1e6 + r.facts.at(i).to; }
double length(const Reading& r, int i) { return r.facts.at(i).to - r.facts.at(i).from; }

bool holds(const Reading& r, Relation relation, const Set& a, const Set& b) {
  const Facts& f = r.facts;
  switch (relation) {
    case Relation::kBefore:
      return any_pair(a, b, [&](int i, int k) { return f.key(i) < f.key(k) + kSame; });
    // What lies inside another does not come after it.
    case Relation::kAfter:
      return any_pair(a, b, [&](int i, int k) { return f.key(i) > f.key(k) - kSame && end_of(r, i) > end_of(r, k) - 0.3; });
    case Relation::kDone:
      return any_pair(a, b, [&](int i, int k) { return end_of(r, i) < f.key(k) + 0.5; });
    case Relation::kDoneAfter:
      return holds(r, Relation::kDone, b, a);
    case Relation::kOverlap:
      return f.overlap(a, b) > -kSame;
    case Relation::kApart:
      return any_pair(a, b, [&](int i, int k) { return f.overlap({i}, {k}) < 0.3; });
    case Relation::kLonger:
      return any_pair(a, b, [&](int i, int k) { return length(r, i) > length(r, k) - 0.15; });
    case Relation::kShorter:
      return holds(r, Relation::kLonger, b, a);
    case Relation::kLouder:
      return any_pair(a, b, [&](int i, int k) { return f.at(i).level_db > f.at(k).level_db - 3; });
    case Relation::kQuieter:
      return holds(r, Relation::kLouder, b, a);
    default:
      return true;
  }
}

bool extreme(const Reading& r, Relation relation, const Set& a) {
  const bool loud = relation == Relation::kLoudest || relation == Relation::kQuietest;
  const bool most = relation == Relation::kLongest || relation == Relation::kLoudest;
  const auto value = [&](int i) { return loud ? r.facts.at(i).level_db : length(r, i); };
  const double slack = loud ? 4.0 : 0.25;  // levels are not loudness
  for (const int i : a) {
    bool best = true;
    for (const int k : r.facts.foreground(r.audio)) {
      if (a.contains(k)) continue;
      best = best && (most ? value(k) <= value(i) + slack : value(k) >= value(i) - slack);
    }
    if (best) return true;
  }
  return false;
}

// May it be said of a sound alone?
bool holds(const Reading& r, Relation relation, const Set& a) {
  const double whole = clip_end(r);
  switch (relation) {
    case Relation::kFirst:
      return r.facts.nth(a, 1, r.audio) || r.facts.nth(a, 1, kAnyAudio);
    case Relation::kLast:
      return r.facts.nth(a, -1, r.audio) || r.facts.nth(a, -1, kAnyAudio);
    case Relation::kEarly:
      return std::any_of(a.begin(), a.end(), [&](int i) { return r.facts.at(i).from < std::max(1.2, 0.45 * whole); });
    case Relation::kLate:
      return std::any_of(a.begin(), a.end(), [&](int i) { return r.facts.at(i).to > 0.6 * whole; });
    case Relation::kWhole: {
      double first = 1e9, last = 0;
      for (const int i : a) first = std::min(first, r.facts.at(i).from), last = std::max(last, r.facts.at(i).to);
      return first < 0.3 * whole && last > 0.7 * whole;
    }
    default:
      return extreme(r, relation, a);
  }
}

constexpr const char* kGoesOnBeside =
    "alone|again|remains|continues|carries|keeps|stays|left|still|remain|continue|goes|resumes|persists|returns|back|more|once";

bool lies_under(const Reading& r, const Set& a) {
  return std::any_of(a.begin(), a.end(),
                     [&](int i) { return r.facts.at(i).background || SoundWords::music(r.facts.at(i).concepts); });
}

const char* said_as(Relation relation) {
  switch (relation) {
    case Relation::kBefore:
    case Relation::kAfter:
    case Relation::kDone:
    case Relation::kDoneAfter:
    case Relation::kFirst:
    case Relation::kLast:
    case Relation::kEarly:
    case Relation::kLate:
      return "order";
    case Relation::kOverlap:
    case Relation::kApart:
      return "overlap";
    case Relation::kWhole:
      return "time";
    default:
      return "length";
  }
}

void check_match(Reading& r, const Match& m) {
  if (m.relation == Relation::kNone) return;
  for (int i = m.begin; i < m.end; ++i)
    if (r.word(i).open) return;
  for (const Mention* x : m.sounds)
    if (!usable(r, *x) && !(m.relation == Relation::kApart && may_be_asserted(*x))) return;
  // "Which sound accompanies the speech?" asks for one that is in the clip with it.
  if (m.relation == Relation::kOverlap && r.answer &&
      (r.sample->question.find("accompan") != std::string::npos ||
       r.sample->question.find("together with") != std::string::npos))
    return;
  if (m.sounds.size() == 2) {
    const Set &a = meant(*m.sounds[0]), &b = meant(*m.sounds[1]);
    // "the second bark is longer than the first": other rules tell those of one kind apart.
    if (share(a, b)) return;
    const bool order = m.relation == Relation::kBefore || m.relation == Relation::kAfter || m.relation == Relation::kDone ||
                       m.relation == Relation::kDoneAfter;
    if (order && r.has("longest|shortest|loudest|quietest|faintest|softest|briefest|strongest|weakest|ranking|rank")) return;
    // What lies under all the others is there before and after them.
    if (order && (lies_under(r, a) || lies_under(r, b) || r.find(kGoesOnBeside, m.end, m.end + 4) >= 0)) return;
    if (order && r.find("still|already|hardly|scarcely|barely", m.begin - 3, m.end) >= 0) return;
    // What starts after another has started may lie inside it.
    const bool starts =
        m.relation == Relation::kAfter &&
        r.find("starts|start|begins|begin|sets|enters|joins|seconds|second|starting|beginning", m.begin - 3, m.end) >= 0;
    if (starts ? !holds(r, Relation::kBefore, b, a) : !holds(r, m.relation, a, b))
      r.wrong(said_as(m.relation), m.sounds[0]->name + " against " + m.sounds[1]->name);
  } else if (m.sounds.size() == 1 && r.facts.audios() == 1 && m.sounds[0]->speaker == 0) {
    if (m.sounds[0]->nth != 0 || m.sounds[0]->human) return;
    // "Music accompanies the moo from beginning to end."
    for (const Mention& other : r.mentions)
      if (&other != m.sounds[0] && r.word(other.begin).segment == r.word(m.sounds[0]->begin).segment) return;
    if (!holds(r, m.relation, meant(*m.sounds[0]))) r.wrong(said_as(m.relation), m.sounds[0]->name + " is not so");
  }
}

}  // namespace

void check_relations(Reading& r) {
  if (r.sentence.question) return;
  for (const Match& m : matches_in(r)) check_match(r, m);
}

}  // namespace areason::claims
