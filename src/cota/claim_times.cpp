// When and how long: "from 1.0 to 2.5 s", "at about 3 seconds", "lasts two seconds", "they overlap", "longer than".
#include <algorithm>
#include <cmath>

#include "cota/claim_rules.h"

namespace areason::claims {
namespace {

constexpr const char* kSeconds = "s|sec|secs|second|seconds";
constexpr const char* kRoughly =
    "about|around|roughly|approximately|approx|nearly|almost|some|close|circa|ca|near|just|little|over|under";

bool number(const Reading& r, int i) { return i >= 0 && i < r.size() && r.word(i).number >= 0; }
bool unit(const Reading& r, int i) { return i < r.size() && is_one(r.word(i), kSeconds); }
bool rough(const Reading& r, int i) { return r.find(kRoughly, i - 3, i) >= 0; }
// Whole numbers are rounder than "2.5".
double tolerance(const Reading& r, int i) {
  const double base = r.word(i).text.find('.') == std::string::npos ? 0.75 : 0.6;
  return rough(r, i) ? std::max(base, 1.0) : base;
}

std::string seconds(double value) {
  std::string out = std::to_string(std::round(value * 10) / 10);
  return out.substr(0, out.find('.') + 2) + " s";
}

const Mention* subject_of(const Reading& r, int from, int to, bool following_first) {
  if (following_first) {
    if (const Mention* m = r.mention_after(to, Within::kSentence)) return m;
  }
  if (const Mention* m = r.mention_before(from, Within::kClause)) return m;
  if (const Mention* m = r.mention_after(to, Within::kClause)) return m;
  if (const Mention* m = r.mention_before(from, Within::kSentence)) return m;
  return nullptr;
}

bool knowable(const Mention* m) { return m != nullptr && !m->events.empty() && !m->denied && !m->neutral; }

void expect_interval(Reading& r, const Mention& m, int i, int k) {
  const double a = r.word(i).number, b = r.word(k).number;
  const bool loose = r.find("between", i - 2, i) >= 0;
  for (const int e : m.events) {
    const Happening& h = r.facts.at(e);
    // What is very short is written as half a second.
    const double slack = std::max({tolerance(r, i), tolerance(r, k), b - a < 0.6 ? 0.9 : 0});
    if (std::abs(h.from - a) <= tolerance(r, i) && std::abs(h.to - b) <= slack) return;
    if (loose && h.from >= a - tolerance(r, i) && h.to <= b + tolerance(r, k)) return;
  }
  // Several of a kind may be spoken of as one stretch.
  double first = 1e9, last = -1e9;
  for (const int e : m.events) {
    first = std::min(first, r.facts.at(e).from);
    last = std::max(last, r.facts.at(e).to);
  }
  if (std::abs(first - a) <= tolerance(r, i) && std::abs(last - b) <= tolerance(r, k)) return;
  r.wrong("time", m.name + " is not heard from " + seconds(a) + " to " + seconds(b));
}

// "0.5 to 1.5 s", "between 1 and 3 seconds", "from 2 until 4 s". Returns the last word of it; i when there is none.
int read_interval(Reading& r, int i) {
  if (!number(r, i)) return i;
  int k = i + 1;
  if (unit(r, k)) ++k;
  if (k >= r.size()) return i;
  const bool between = r.find("between", i - 2, i) >= 0;
  if (!is_one(r.word(k), "to|until|till|through") && !(between && is_one(r.word(k), "and"))) return i;
  ++k;
  while (k < r.size() && is_one(r.word(k), "about|around|roughly|approximately|the")) ++k;
  if (!number(r, k) || r.word(k).number <= r.word(i).number) return i;
  const bool seconds_follow = unit(r, k + 1) || unit(r, i + 1);
  const bool decimals = r.word(i).text.find('.') != std::string::npos && r.word(k).text.find('.') != std::string::npos;
  const bool colon = k + 1 < r.size() && r.word(k + 1).text == ":";
  if (!seconds_follow && !decimals && !colon) return i;
  r.interval = {r.word(i).number, r.word(k).number};
  const int end = unit(r, k + 1) ? k + 2 : k + 1;
  if (r.has("overlap|overlaps|overlapping|together|simultaneously")) return end - 1;
  const bool names_next = end < r.size() && is_one(r.word(end), ":|-|,") && r.mention_before(i, Within::kSentence) == nullptr;
  const Mention* m = subject_of(r, i, end, names_next);
  if (m != nullptr && m->human && m->speaker == 0 && !r.facts.speech(r.audio).empty()) {
    Mention talk = *m;
    talk.events = r.facts.speech(r.audio);
    expect_interval(r, talk, i, k);
  } else if (knowable(m)) {
    expect_interval(r, *m, i, k);
  }
  return end - 1;
}

void expect_moment(Reading& r, const Mention& m, int i) {
  const double t = r.word(i).number;
  const int clause = r.word(i).clause;
  int from = i;
  while (from > m.end && r.word(from - 1).clause == clause) --from;
  const bool ends = r.find("ends|ending|stops|stopping|ended|stopped|until|finishes|fades|end", from, i) >= 0;
  const bool starts = r.find(
                          "starts|begins|started|began|starting|beginning|start|onset|from|enters|becomes|joins|appears|sets|"
                          "arrives|emerges|comes|first|kicks",
                          from, i) >= 0;
  for (const int e : m.events) {
    const Happening& h = r.facts.at(e);
    const double tol = tolerance(r, i);
    if (ends && std::abs(h.to - t) <= tol) return;
    if (starts && std::abs(h.from - t) <= tol) return;
    if (!ends && !starts && t >= h.from - tol && t <= h.to + tol && (std::abs(h.from - t) <= tol + 0.25 || t > h.from)) return;
  }
  r.wrong("time", m.name + " is not heard at " + seconds(t));
}

// "at 2.5 s", "three seconds in", "at the 4 second mark"
bool read_moment(Reading& r, int i) {
  const bool at = r.find("at|around|near|by", i - 3, i) >= 0 && r.find("for|lasts|lasting|of", i - 3, i) < 0;
  const bool into = unit(r, i + 1) && i + 2 < r.size() && is_one(r.word(i + 2), "in|into|mark");
  if (!(at && (unit(r, i + 1) || r.word(i).text.find('.') != std::string::npos)) && !into) return false;
  if (i + 2 < r.size() && unit(r, i + 1) && is_one(r.word(i + 2), "later|apart|before|after|of|earlier")) return true;
  const Mention* m = subject_of(r, i, i + 1, false);
  if (knowable(m) && !(m->human && m->speaker == 0)) expect_moment(r, *m, i);
  return true;
}

void expect_length(Reading& r, const Mention& m, int i) {
  const double n = r.word(i).number;
  const double tol = rough(r, i) ? std::max(1.0, 0.35 * n) : std::max(tolerance(r, i), 0.2 * n);
  double sum = 0, first = 1e9, last = -1e9;
  for (const int e : m.events) {
    const Happening& h = r.facts.at(e);
    if (std::abs(h.to - h.from - n) <= tol) return;
    sum += h.to - h.from;
    first = std::min(first, h.from);
    last = std::max(last, h.to);
  }
  const bool whole = r.find("each|every|individual", 0, r.size()) < 0;
  if (whole && (std::abs(sum - n) <= tol || std::abs(last - first - n) <= tol)) return;
  r.wrong("length", m.name + " does not last " + seconds(n));
}

// "lasts three seconds", "for about two seconds", "a three second siren", "5 s long"
void read_length(Reading& r, int i) {
  if (!unit(r, i + 1)) return;
  if (r.has("pause|silence|gap|apart|interval|overlap|overlaps|clip|recording|audio")) return;
  if (i > 0 && (r.word(i - 1).ordinal != 0 || is_one(r.word(i - 1), "every|each|within|in|past|by|after|before|next"))) return;
  if (i + 2 < r.size() &&
      is_one(r.word(i + 2), "later|before|after|between|ago|mark|into|in|longer|shorter|earlier|apart|from"))
    return;
  const bool verb =
      r.find("for|lasts|lasting|lasted|last|spans|runs|continues|goes|takes|duration|length|long|over|persists|holds", i - 5,
             i) >= 0;
  const bool tail = i + 2 < r.size() && is_one(r.word(i + 2), "long|of|worth");
  const Mention* next = r.mention_after(i + 2, Within::kClause);
  // "a three second siren"
  const bool adjective = next != nullptr && next->begin == i + 2 && !tail && !is_one(r.word(i + 1), "seconds|secs");
  if (!verb && !tail && !adjective) return;
  const bool that = r.find("that|this|it", i - 4, i) >= 0 && r.mention_before(i, Within::kSentence) == nullptr;
  // "That is 1.0 s." of the interval before.
  if (that && r.interval.first >= 0) return;
  const Mention* m = adjective && !verb ? next : subject_of(r, i, i + 2, tail && !verb);
  if (m == nullptr && r.find("it|this|that|which|they|them|each", 0, i) >= 0) {
    // Any of those that the sentence before names.
    const std::size_t errors = r.errors.size();
    for (const Mention& named : r.before) {
      if (!knowable(&named) || (named.human && named.speaker == 0)) return r.errors.resize(errors);
      const std::size_t now = r.errors.size();
      expect_length(r, named, i);
      if (r.errors.size() == now) return r.errors.resize(errors);
    }
    return r.errors.resize(std::min(r.errors.size(), errors + 1));
  }
  if (knowable(m) && !(m->human && m->speaker == 0)) expect_length(r, *m, i);
}

// "The dog: 0.5 to 1.5 s. That is 1.0 s." and "2.5 is more than 1.0"
void check_arithmetic(Reading& r) {
  if (r.size() >= 4 && r.word(0).text == "that" && r.word(1).text == "is" && number(r, 2) && unit(r, 3) &&
      r.interval.first >= 0) {
    if (std::abs(r.interval.second - r.interval.first - r.word(2).number) > 0.06)
      r.wrong("length", "the interval before it is " + seconds(r.interval.second - r.interval.first) + " long");
  }
  for (int i = 0; i + 4 < r.size(); ++i) {
    if (!number(r, i) || !number(r, i + 4) || !is_one(r.word(i + 1), "is") || !is_one(r.word(i + 3), "than")) continue;
    const bool more = is_one(r.word(i + 2), "more|longer|greater|larger|higher"),
               less = is_one(r.word(i + 2), "less|shorter|fewer|smaller|lower");
    const double a = r.word(i).number, b = r.word(i + 4).number;
    if ((more && a <= b) || (less && a >= b)) r.wrong("arithmetic", seconds(a) + " against " + seconds(b));
  }
}

// The two sounds that an overlap is about; {null, null} when they cannot be told.
std::pair<const Mention*, const Mention*> pair_around(const Reading& r, int cue) {
  std::vector<const Mention*> before, after;
  for (const Mention& m : r.mentions) {
    if (!knowable(&m)) continue;
    if (m.end <= cue)
      before.push_back(&m);
    else if (r.word(m.begin).clause == r.word(std::min(cue, r.size() - 1)).clause ||
             !is_one(r.word(std::min(cue, r.size() - 1)), "overlap|overlaps"))
      after.push_back(&m);
  }
  const auto different = [](const Mention* a, const Mention* b) { return a->events != b->events; };
  if (!before.empty() && !after.empty() && different(before.back(), after.front())) return {before.back(), after.front()};
  if (before.size() >= 2 && after.empty() && different(before[before.size() - 2], before.back()))
    return {before[before.size() - 2], before.back()};
  if (before.empty() && after.size() >= 2 && different(after[0], after[1])) return {after[0], after[1]};
  if (before.empty() && after.empty() && r.mentions.empty() && r.asked.what == Asked::What::kOverlap &&
      r.asked.mentions.size() == 2)
    return {&r.asked.mentions[0], &r.asked.mentions[1]};
  return {nullptr, nullptr};
}

void expect_overlap(Reading& r, int cue, bool denied) {
  const auto [a, b] = pair_around(r, cue);
  if (a == nullptr || a->events.empty() || b->events.empty()) return;
  const double overlap = r.facts.overlap(a->events, b->events);
  if (!denied && overlap < -kSame) r.wrong("overlap", a->name + " and " + b->name + " do not overlap");
  if (denied && overlap > 0.4) r.wrong("overlap", a->name + " and " + b->name + " overlap");
}

// "while" may also set two things against each other.
bool contrast(const Reading& r, int i) {
  return r.has(
             "first|second|third|last|longer|shorter|louder|quieter|only|lasts|lasting|short|long|brief|whereas|twice|once|"
             "times|"
             "loud|quiet|count|counts|other|latter|before|after|earlier|later|just|higher|lower") ||
         r.find("are|was|were", i + 1, std::min(r.size(), i + 6)) >= 0;
}

// "Is it longer?", "the horn is louder than the bell".
double measure(const Reading& r, const Mention& m, bool loud) {
  return loud ? r.facts.loudest(m.events) : r.facts.longest(m.events);
}

void expect_more(Reading& r, const Mention& a, const Mention& b, const Word& word) {
  const bool loud = is_one(word, "louder|quieter|softer"), more = is_one(word, "longer|louder");
  const double slack = loud ? 2.0 : kSame;
  const double difference = measure(r, a, loud) - measure(r, b, loud);
  if (more ? difference < -slack : difference > slack) r.wrong("length", a.name + " is not " + word.text + " than " + b.name);
}

void expect_most(Reading& r, const Mention& a, const Word& word) {
  const bool loud = is_one(word, "loudest|quietest|softest"), most = is_one(word, "longest|loudest");
  const double slack = loud ? 2.0 : kSame, own = measure(r, a, loud);
  for (const int i : r.facts.foreground(r.audio)) {
    const Happening& h = r.facts.at(i);
    const double other = loud ? h.level_db : h.to - h.from;
    if (most ? other > own + slack : other < own - slack)
      return r.wrong("length", a.name + " is not the " + word.text + " sound");
  }
}

}  // namespace

void check_times(Reading& r) {
  check_arithmetic(r);
  for (int i = 0; i < r.size(); ++i) {
    if (!number(r, i)) continue;
    if (r.find("audio|clip|speaker|option|part", i - 1, i) >= 0) continue;
    const int end = read_interval(r, i);
    if (end > i) {
      i = end;
      continue;
    }
    if (!read_moment(r, i)) read_length(r, i);
  }
}

void check_overlaps(Reading& r) {
  for (int i = 0; i < r.size(); ++i) {
    const Word& w = r.word(i);
    bool cue =
        is_one(w,
               "overlap|overlaps|overlapping|overlapped|simultaneous|simultaneously|concurrent|concurrently|coincide|coincides|"
               "during|meanwhile|amid");
    if (is_one(w, "same") && i + 1 < r.size() && is_one(r.word(i + 1), "time|moment")) cue = true;
    if (is_one(w, "at") && i + 1 < r.size() && is_one(r.word(i + 1), "once")) cue = true;
    if (is_one(w, "while") && !contrast(r, i)) cue = true;
    if (is_one(w, "during") && i + 1 < r.size() &&
        r.find("clip|recording|audio|silence|pause|whole|course|rest", i + 1, i + 4) >= 0)
      cue = false;
    if (!cue) continue;
    const int from = std::max(0, i - 6);
    const bool denied = r.find("not|never|no|without|don't|doesn't|nor|neither|hardly|isn't|aren't", from, i) >= 0;
    return expect_overlap(r, i, denied);
  }
  // "One ends before the other begins."
  if (r.mentions.size() == 2 && r.has("separately|apart") && r.has("sound|occur|heard|are|happen"))
    expect_overlap(r, r.size(), true);
}

void check_lengths(Reading& r) {
  if (r.has("not|isn't|doesn't|never|neither")) return;
  for (int i = 0; i < r.size(); ++i) {
    const Word& w = r.word(i);
    if (is_one(w, "longer|shorter|louder|quieter|softer")) {
      const Mention* a = r.mention_before(i, Within::kSentence);
      const int than = r.find("than", i, i + 6);
      const Mention* b = than >= 0 ? r.mention_after(than, Within::kSentence) : nullptr;
      if (than < 0 && a != nullptr && r.asked.what == Asked::What::kLonger && r.asked.mentions.size() == 2 &&
          r.mentions.size() == 1)
        b = &r.asked.mentions[r.asked.mentions[0].events == a->events ? 1 : 0];
      if (knowable(a) && b != nullptr && !b->events.empty() && a->events != b->events && !a->human) expect_more(r, *a, *b, w);
    }
    if (is_one(w, "longest|shortest|loudest|quietest|softest")) {
      const Mention* a = r.mentions.size() == 1 ? &r.mentions[0] : nullptr;
      const bool of_kind = a != nullptr && a->begin == i + 1;  // "the loudest bark"
      if (knowable(a) && !of_kind && !a->human) expect_most(r, *a, w);
    }
  }
}

}  // namespace areason::claims
