// Amounts that can mean one thing only: silences ("three seconds of nothing", "a pause of half a second"), differences of level
// ("six decibels louder"), sums of times and lists of times ("at 0.3, 2.1 and 4.0 s").
#include <algorithm>
#include <cmath>
#include <map>

#include "cota/claim_gaps.h"

namespace areason::claims {
namespace {

constexpr const char* kPause =
    "silence|pause|lull|gap|break|interval|respite|breather|calm|stillness|rest|interlude|hiatus|interruption";

enum class Quiet { kNone, kSilence, kApart };

// Words that may stand between "a pause" and its amount.
constexpr const char* kBeforeAmount =
    "of|about|around|roughly|approximately|nearly|almost|just|under|over|a|an|some|only|is|was|lasts|lasting|lasted|for|:|the|"
    "between|spell|more|less|than|well|little|bit|barely|not|quite|good|least|at|exactly|measures|short|shy|perhaps|maybe|no|"
    "even|,";

bool nothing_else(const Reading& r, int k) {
  return r.word(k).text == "nothing" && !(k + 1 < r.size() && is_one(r.word(k + 1), "but|else|other|except|more|that|happens"));
}

// What the amount at word i is of; `behind` is the word behind its unit.
Quiet quiet_at(const Reading& r, int i, int behind) {
  int from = r.segment_begin(i);
  const int to = r.segment_end(i);
  // "a pause, nearly fourteen seconds"
  if (from > 0 && r.word(from).text == ",") from = r.segment_begin(from - 1);
  if (behind < r.size() && is_one(r.word(behind), "apart")) return Quiet::kApart;
  int k = behind;
  const bool of = k < to && is_one(r.word(k), "of");
  if (of)
    for (++k; k < to && is_one(r.word(k), "pure|complete|total|utter|full|mere|perfect|absolute|dead|sheer|plain|a|the"); ++k)
      continue;
  if (k < to && !r.word(k).open && (is_one(r.word(k), kPause) || (of && (is_one(r.word(k), "quiet") || nothing_else(r, k)))))
    return r.word(k).text == "rest" && !of && r.find("of", k, k + 2) >= 0 ? Quiet::kNone : Quiet::kSilence;
  for (k = i - 1; k >= from && is_one(r.word(k), kBeforeAmount); --k) continue;
  if (k < from || r.word(k).open) return Quiet::kNone;
  if (is_one(r.word(k), "separated") && r.find("by", k + 1, i) >= 0) return Quiet::kApart;
  const bool resting = is_one(r.word(k), "rests|rested|pauses|paused|silent|quiet|silence|pause|gone|over|finished|done") &&
                       r.find("for", k + 1, i) >= 0;
  if (!resting && !(is_one(r.word(k), kPause) && !is_one(r.word(k), "rest"))) return Quiet::kNone;
  return r.find("no|without|never", std::max(from, k - 2), k) >= 0 ? Quiet::kNone : Quiet::kSilence;
}

// Silences as anybody may count them: between neighbours, between two of a kind or of a speaker, between what is named, before
// the first and behind the last.
std::vector<double> silences(const Reading& r, Quiet quiet) {
  std::vector<double> out;
  const Set front = r.facts.foreground(r.audio);
  std::vector<int> order(front.begin(), front.end());
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return r.facts.key(a) < r.facts.key(b); });
  std::map<std::pair<int, std::string>, int> last_of;
  std::map<int, double> end;
  const Happening* before = nullptr;
  for (const int e : order) {
    const Happening& h = r.facts.at(e);
    if (!end.contains(h.audio)) {
      out.push_back(h.from);
    } else {
      out.push_back(h.from - end[h.audio]);
      if (before != nullptr && before->audio == h.audio) out.push_back(h.from - before->to);
    }
    const auto [it, fresh] = last_of.try_emplace({h.audio, h.label + std::to_string(h.speaker)}, e);
    if (!fresh) out.push_back(h.from - r.facts.at(it->second).to);
    it->second = e;
    end[h.audio] = std::max(end[h.audio], h.to);
    before = &h;
  }
  for (const auto& [audio, length] : r.facts.lengths())
    if (end.contains(audio)) out.push_back(length - end[audio]);
  if (quiet == Quiet::kApart)
    for (const int a : front)
      for (const int b : front)
        if (a != b && r.facts.at(a).audio == r.facts.at(b).audio) {
          out.push_back(r.facts.at(b).from - r.facts.at(a).to);
          out.push_back(r.facts.at(b).from - r.facts.at(a).from);
        }
  return out;
}

// From each of a to the next of b.
void distances(const Reading& r, const Set& a, const Set& b, std::vector<double>& out) {
  for (const int x : a)
    for (const int y : b) {
      const Happening &first = r.facts.at(x), &second = r.facts.at(y);
      if (x == y || first.audio != second.audio || second.from < first.from) continue;
      const auto between = [&](int e) {
        return e != x && e != y && r.facts.key(e) > r.facts.key(x) && r.facts.key(e) < r.facts.key(y);
      };
      if (std::none_of(a.begin(), a.end(), between) && std::none_of(b.begin(), b.end(), between))
        out.push_back(second.from - first.to);
    }
}

// What the sentence names, a kind once; none where one of them is not said to be there, or is anybody's voice.
std::vector<const Mention*> kinds_in(const Reading& r) {
  std::vector<const Mention*> kinds;
  for (const Mention& m : r.mentions) {
    if (!is_asserted(m) || m.human) return {};
    if (std::none_of(kinds.begin(), kinds.end(), [&](const Mention* k) { return share(k->events, m.events); }))
      kinds.push_back(&m);
  }
  return kinds;
}

// Two kinds set against each other by the sentence itself: only what lies between them counts.
bool of_two(const Reading& r, std::vector<double>& out) {
  const std::vector<const Mention*> kinds = kinds_in(r);
  if (kinds.size() != 2 || !r.has("when|before|until|after|between") || r.has("it|that|this|they|each|both|or")) return false;
  out.clear();
  distances(r, kinds[0]->events, kinds[1]->events, out);
  distances(r, kinds[1]->events, kinds[0]->events, out);
  return !out.empty();
}

std::vector<double> candidates(const Reading& r, Quiet quiet) {
  std::vector<double> out = silences(r, quiet), pair;
  if (of_two(r, pair)) return pair;
  std::vector<const Mention*> named;
  for (const auto* mentions : {&r.mentions, &r.before, &r.earlier})
    for (const Mention& m : *mentions) named.push_back(&m);
  for (const Mention* a : named)
    for (const Mention* b : named) distances(r, a->nth != 0 ? a->events : a->wide, b->nth != 0 ? b->events : b->wide, out);
  return out;
}

void check_silence(Reading& r, int i, int behind) {
  const Quiet quiet = quiet_at(r, i, behind);
  if (quiet == Quiet::kNone) return;
  const int from = r.segment_begin(i);
  if (r.find("if|would|could|without|never|longer|shorter", from, i) >= 0) return;
  const Amount a = amount_at(r.sentence, i);
  const double tol = a.low < a.high ? std::max(0.25, 0.1 * a.value) : std::max(0.35, 0.25 * a.value);
  for (const double d : candidates(r, quiet))
    if (d > -0.05 && a.fits(d, tol)) return;
  r.wrong("gap", "no such silence");
}

// "six decibels louder": the difference of any two sounds.
void check_decibels(Reading& r, int i) {
  if (i + 1 >= r.size() || !is_one(r.word(i + 1), "db|decibel|decibels")) return;
  if (r.has("noise|floor|background|if|would") || (i > 0 && is_one(r.word(i - 1), "-|--|at|to"))) return;
  if (r.find("by|louder|quieter|softer|weaker|stronger|fainter|below|above|down|up|more|less|difference|apart", i - 4, i + 6) <
      0)
    return;
  const Amount a = amount_at(r.sentence, i);
  const double tol = 1.2 + 0.25 * a.value;
  for (const Happening& x : r.facts.all())
    for (const Happening& y : r.facts.all())
      if (&x != &y && a.fits(std::abs(x.level_db - y.level_db), tol)) return;
  r.wrong("level", "no two sounds differ by so much");
}

// "the horse exceeds the sheep by about one second", "outlasts it by …": of the two that the sentence names.
void check_excess(Reading& r, int i) {
  const int from = r.segment_begin(i), by = r.find("by", i - 5, i);
  if (by < 0 || r.find("exceeds|exceed|outlasts|outlast|longer|shorter", from, by) < 0 ||
      r.has("not|no|never|if|would|or|between"))
    return;
  const std::vector<const Mention*> kinds = kinds_in(r);
  if (kinds.size() != 2 || kinds[1]->begin > i || r.word(kinds[0]->begin).segment != r.word(i).segment) return;
  const Amount a = amount_at(r.sentence, i);
  const double tol = std::max(0.4, 0.25 * a.value);
  for (const int x : kinds[0]->events)
    for (const int y : kinds[1]->events) {
      const Happening &one = r.facts.at(x), &other = r.facts.at(y);
      if (a.fits(std::abs((one.to - one.from) - (other.to - other.from)), tol) || a.fits(std::abs(one.to - other.to), tol))
        return;
    }
  r.wrong("length", "they differ by something else");
}

// "hoots at 0.3, 7.6, 14.5 and 26.3 seconds": each is the start of one of them. Returns the last word of the list.
int check_list(Reading& r, int i) {
  std::vector<int> numbers{i};
  int k = i + 1;
  while (k + 1 < r.size()) {
    int next = unit(r, k) ? k + 1 : k;
    while (next < r.size() && is_one(r.word(next), ",|and")) ++next;
    if (next == k || next >= r.size() || r.word(next).number < 0 || is_one(r.word(next), "a|half")) break;
    numbers.push_back(next);
    k = next + 1;
  }
  const int last = numbers.back();
  const bool decimal = r.word(i).text.find('.') != std::string::npos && r.word(last).text.find('.') != std::string::npos;
  if (numbers.size() < 3 || !(decimal || unit(r, last + 1)) || r.find("at", i - 2, i) < 0 || r.has("not|no|if|option|or"))
    return i;
  Set events;
  for (const Mention& m : r.mentions) {
    if (!is_asserted(m) || m.elsewhere || (!events.empty() && events != m.wide)) return last;
    events = m.human && m.speaker == 0 ? r.facts.speech(r.audio) : m.wide;
  }
  if (events.empty()) return last;
  for (const int n : numbers) {
    const Amount a = amount_at(r.sentence, n);
    const bool start =
        std::any_of(events.begin(), events.end(), [&](int e) { return a.fits(r.facts.at(e).from, decimal ? 0.5 : 0.8); });
    if (!start) return r.wrong("time", "nothing named starts at " + r.word(n).text), last;
  }
  // "…: five"
  const int colon = unit(r, last + 1) ? last + 2 : last + 1;
  if (colon + 2 == r.size() && r.word(colon).text == ":" && r.word(colon + 1).number > 0 &&
      r.word(colon + 1).number != static_cast<double>(numbers.size()))
    r.wrong("count", std::to_string(numbers.size()) + " times are told");
  return last;
}

// "The dog: 0.5 to 1.5 s. That is 1.0 s." and "2.5 is more than 1.0"
void check_arithmetic(Reading& r) {
  if (r.size() >= 4 && r.word(0).text == "that" && r.word(1).text == "is" && r.word(2).number >= 0 && unit(r, 3) &&
      r.interval.first >= 0 &&
      std::abs(r.interval.second - r.interval.first - r.word(2).number) >
          0.06 + (r.word(2).text.find('.') != std::string::npos ? 0 : 0.5))
    r.wrong("length", "the interval before it is not so long");
  for (int i = 0; i + 4 < r.size(); ++i) {
    if (r.word(i).number < 0 || r.word(i + 4).number < 0 || !is_one(r.word(i + 1), "is") || !is_one(r.word(i + 3), "than"))
      continue;
    const bool more = is_one(r.word(i + 2), "more|longer|greater|larger|higher"),
               less = is_one(r.word(i + 2), "less|shorter|fewer|smaller|lower");
    const double a = r.word(i).number, b = r.word(i + 4).number;
    if ((more && a <= b) || (less && a >= b)) r.wrong("arithmetic", r.word(i).text + " against " + r.word(i + 4).text);
  }
}

}  // namespace

void check_silences(Reading& r) {
  if (r.sentence.question) return;
  check_arithmetic(r);
  if (r.has("minus|plus|=")) return;
  for (int i = 0; i < r.size(); ++i) {
    if (r.word(i).number < 0 || r.word(i).open) continue;
    check_decibels(r, i);
    const bool hyphen = i + 2 < r.size() && r.word(i + 1).text == "-" && unit(r, i + 2);
    if (unit(r, i + 1)) check_excess(r, i);
    if (unit(r, i + 1) || hyphen) check_silence(r, i, hyphen ? i + 3 : i + 2);
    i = check_list(r, i);
  }
}

}  // namespace areason::claims
