// One kind of sound against itself: "each louder than the one before", "the second is the longer one", "the last is the
// loudest".
#include <algorithm>
#include <map>

#include "cota/claim_rules.h"

namespace areason::claims {
namespace {

enum class Measure { kNone, kLevel, kLength };

struct Degree {
  Measure measure = Measure::kNone;
  bool more = false, most = false;
};

Degree degree_at(const Reading& r, int i) {
  const Word& w = r.word(i);
  if (is_one(w, "louder|stronger")) return {Measure::kLevel, true, false};
  if (is_one(w, "quieter|softer|fainter|weaker")) return {Measure::kLevel, false, false};
  if (is_one(w, "longer")) return {Measure::kLength, true, false};
  if (is_one(w, "shorter|briefer")) return {Measure::kLength, false, false};
  if (is_one(w, "loudest|strongest")) return {Measure::kLevel, true, true};
  if (is_one(w, "quietest|softest|faintest|weakest")) return {Measure::kLevel, false, true};
  if (is_one(w, "longest")) return {Measure::kLength, true, true};
  if (is_one(w, "shortest|briefest")) return {Measure::kLength, false, true};
  if (i + 1 >= r.size() || !is_one(w, "more|less|most|least")) return {};
  const bool up = is_one(w, "more|most"), most = is_one(w, "most|least");
  if (is_one(r.word(i + 1), "loud|loudly|force|forceful|forcefully|strong|strongly|intense|volume"))
    return {Measure::kLevel, up, most};
  if (is_one(r.word(i + 1), "quiet|quietly|softly|soft|faint|faintly|weak|weakly")) return {Measure::kLevel, !up, most};
  if (is_one(r.word(i + 1), "long")) return {Measure::kLength, up, most};
  if (is_one(r.word(i + 1), "short|brief|briefly")) return {Measure::kLength, !up, most};
  return {};
}

// The one kind that the sentence before is about, where "the last one" can be no other: none of the other file.
Set named_before(const Reading& r) {
  Set out;
  for (const Mention& m : r.before) {
    if (m.quote || m.denied || m.human || (!out.empty() && out != m.wide)) return {};
    out = m.wide;
  }
  return out;
}

// "The first bout is softer than the second": of the only kind that is heard more than once.
Set bouts(const Reading& r) {
  constexpr const char* kBout =
      "bout|burst|round|pass|flight|go|occurrence|instance|visit|repetition|effort|attempt|appearance|call|cry|blow|strike|hit|"
      "stroke|stretch|spell";
  bool named = false;
  for (int i = 1; i < r.size(); ++i) named = named || (r.word(i - 1).ordinal != 0 && is_one(r.word(i), kBout));
  if (!named) return {};
  std::map<std::pair<int, std::string>, Set> kinds;
  for (const int e : r.facts.foreground(r.audio)) kinds[{r.facts.at(e).audio, r.facts.at(e).label}].insert(e);
  Set out;
  for (const auto& [kind, events] : kinds) {
    if (events.size() < 2) continue;
    if (!out.empty()) return {};
    out = events;
  }
  return out;
}

// All of the one kind that the sentence is about; empty where it may be about several.
std::vector<int> kind_of(const Reading& r, int i) {
  Set events;
  for (const Mention& m : r.mentions) {
    if (m.quote || m.denied) continue;
    if (r.word(m.begin).segment != r.word(i).segment && r.mentions.size() > 1) continue;
    const Set& own = m.human && m.speaker == 0 ? r.facts.speech(r.audio) : m.wide;
    if (!events.empty() && events != own) return {};
    events = own;
  }
  if (events.empty() && r.mentions.empty()) {
    std::set<std::string> labels;
    events = r.facts.foreground(r.audio);
    for (const int e : events) labels.insert(r.facts.at(e).label);
    if (labels.size() != 1) {
      events = bouts(r);
      if (events.empty() && r.facts.audios() > 1) events = named_before(r);
    }
  }
  std::vector<int> out(events.begin(), events.end());
  std::stable_sort(out.begin(), out.end(), [&](int a, int b) { return r.facts.key(a) < r.facts.key(b); });
  for (const int e : out)
    if (r.facts.at(e).audio != r.facts.at(out[0]).audio) return {};
  return out;
}

struct Trend {
  Reading& r;
  Degree degree;
  std::vector<int> order;
  double value(std::size_t n) const {
    const Happening& h = r.facts.at(order[n]);
    return degree.measure == Measure::kLevel ? h.level_db : h.to - h.from;
  }
  double slack() const { return degree.measure == Measure::kLevel ? 1.0 : 0.12; }
  bool beats(std::size_t a, std::size_t b) const {
    return degree.more ? value(a) > value(b) - slack() : value(a) < value(b) + slack();
  }
};

// Which of the kind the segment names: "the second", "2nd", "the last", "the middle one", "the former"; -1 for none, -2 for
// several.
int named_place(const Trend& t, int from, int to) {
  const int n = static_cast<int>(t.order.size());
  int out = -1;
  for (int k = from; k < to; ++k) {
    const Word& w = t.r.word(k);
    int place = -1;
    // "the third man" is no third turn.
    if (w.ordinal != 0 && k + 1 < t.r.size() && is_one(t.r.word(k + 1), "man|woman|speaker|person|voice|lady|guy|one's"))
      return -2;
    // "his first" is the first of his.
    if (w.ordinal != 0 && k > 0 && is_one(t.r.word(k - 1), "his|her|their|its")) return -2;
    if (w.ordinal > 0 && !(k + 1 < to && is_one(t.r.word(k + 1), "time") && n != 2)) place = w.ordinal - 1;
    if (w.ordinal < 0 || (n == 2 && is_one(w, "latter"))) place = n - 1;
    if (n == 2 && is_one(w, "former")) place = 0;
    if (is_one(w, "middle") && n % 2 == 1) place = n / 2;
    if (place < 0 || (k + 1 < to && is_one(t.r.word(k + 1), "half|part|time|second|of"))) continue;
    if (out != -1 && out != place) return -2;
    out = place >= n ? -2 : place;
  }
  return out;
}

void wrong(const Trend& t, int i) { t.r.wrong("length", "it is not " + t.r.word(i).text); }

void check_most(const Trend& t, int i, int place) {
  if (place < 0) return;
  for (std::size_t k = 0; k < t.order.size(); ++k)
    if (!t.beats(static_cast<std::size_t>(place), k)) return wrong(t, i);
}

void check_each(const Trend& t, int i) {
  for (std::size_t k = 1; k < t.order.size(); ++k)
    if (!t.beats(k, k - 1)) return wrong(t, i);
}

// "louder than before", "the third softer than its predecessor", "the longer of the two"
void check_more(const Trend& t, int i, int place) {
  const std::size_t n = t.order.size();
  if (place > 0) {
    if (!t.beats(static_cast<std::size_t>(place), static_cast<std::size_t>(place) - 1)) wrong(t, i);
    return;
  }
  if (place == 0) {
    if (n == 2 && !t.beats(0, 1)) wrong(t, i);
    return;
  }
  for (std::size_t k = 1; k < n; ++k)
    if (t.beats(k, k - 1)) return;
  wrong(t, i);
}

// "the second neigh ends at 4.6 s, and it is much shorter than the first one": two of a kind by their places.
bool check_two_places(const Trend& t, int i, int than) {
  const Reading& r = t.r;
  int own = named_place(t, r.segment_begin(i), i);
  const int other = named_place(t, than, std::min(r.size(), than + 4));
  if (own == -1 && r.find("it|it's", r.segment_begin(i), i) >= 0)
    for (const Mention& m : r.mentions)
      if (m.nth != 0 && m.end <= i) own = m.nth < 0 ? static_cast<int>(t.order.size()) - 1 : m.nth - 1;
  if (own < 0 || other < 0 || own == other || own >= static_cast<int>(t.order.size())) return false;
  if (!t.beats(static_cast<std::size_t>(own), static_cast<std::size_t>(other))) wrong(t, i);
  return true;
}

void check_degree(Reading& r, int i, const Degree& degree) {
  const Trend t{r, degree, kind_of(r, i)};
  if (t.order.size() < 2) return;
  // "a second, fainter drip"
  const int from = std::max(0, std::min(r.segment_begin(i), r.segment_begin(i) == i ? i - 2 : i)), to = r.segment_end(i);
  if (r.find("not|never|isn't|neither|nor|no|nothing|none|if|would|could|than|as", from, i) >= 0) return;
  const int than = r.find("than", i, i + 4);
  const bool before = than >= 0 && r.find("before|predecessor|previous|preceding|last|earlier", than, than + 5) >= 0;
  if (than >= 0 && !before && !degree.most && check_two_places(t, i, than)) return;
  const int place = named_place(t, from, before ? than : to);
  if (place == -2) return;
  if (degree.most) {
    // "the longest of her turns"
    if (r.find("of", i + 1, i + 2) >= 0 && r.find("her|his|their|its|these|those", i + 2, i + 3) >= 0) return;
    // "the second longest", "the longest of the two"
    if (r.find("second|two", i - 1, i) < 0) check_most(t, i, place);
    return;
  }
  if (than >= 0 && !before) return;
  const bool each = r.find("each|every|progressively|successively|steadily|gradually", from, std::min(r.size(), i + 8)) >= 0;
  // "each" of two kinds may be meant one by one.
  if (each && r.find("two|both", from, to) < 0) return check_each(t, i);
  // "it comes back, a bit longer this time"
  const bool again = place < 0 && t.order.size() == 2 && r.find("time", i + 1, i + 3) >= 0 && r.find("this", i + 1, i + 2) >= 0;
  if (before || (place >= 0 && t.order.size() == 2) || again) check_more(t, i, again ? 1 : place);
}

}  // namespace

void check_trends(Reading& r) {
  if (r.sentence.question) return;
  for (int i = 0; i < r.size(); ++i) {
    if (r.word(i).open) continue;
    if (const Degree d = degree_at(r, i); d.measure != Measure::kNone) check_degree(r, i, d);
  }
}

}  // namespace areason::claims
