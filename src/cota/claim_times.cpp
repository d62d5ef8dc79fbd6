// When and how long: "from 1.0 to 2.5 s", "at about 3 seconds", "lasts just under two seconds", "half a second later". Every
// way to read a time is tried, with every sound of the sentence that it may belong to; only what fits none is an error.
#include <algorithm>
#include <cmath>

#include "cota/claim_rules.h"

namespace areason::claims {
namespace {

constexpr const char* kSeconds = "s|sec|secs|second|seconds";
constexpr const char* kModifiers =
    "about|around|roughly|approximately|approx|nearly|almost|just|a|little|bit|over|under|more|less|than|some|only|barely|well|"
    "slightly|maybe|perhaps|or|so|the|at|least|most|shade|touch|close|to|circa|ca|not|quite|no|good|full|whole|mere|somewhere|"
    "hair|fraction|past|above|below|shy|of|on|very|longer|exactly|precisely|short|brief|near|estimated|up";
constexpr const char* kEnding =
    "ends|ending|end|ended|finishing|fading|ceasing|dying|concludes|terminates|completed|complete|"
    "stops|stopping|stopped|stop|until|till|finishes|finished|fades|fade|faded|dies|died|tapers|over|"
    "gone|"
    "done|ceases|ceased|subsides|to|closes|disappears|quiet|silent|finish";
constexpr const char* kStarting =
    "becomes|commences|commencing|entering|beginning|starts|start|begins|begin|started|began|starting|beginning|onset|from|"
    "enters|sets|arrives|emerges|comes|kicks|"
    "appears|"
    "follows|opens|joins|falls|strikes|occurs";

bool number(const Reading& r, int i) { return i >= 0 && i < r.size() && r.word(i).number >= 0; }
bool unit(const Reading& r, int i) { return i < r.size() && is_one(r.word(i), kSeconds) && !r.word(i).open; }
bool decimal(const Reading& r, int i) { return r.word(i).text.find('.') != std::string::npos; }

std::string seconds(double value) {
  std::string out = std::to_string(std::round(value * 10) / 10);
  return out.substr(0, out.find('.') + 2) + " s";
}

// First word of the amount: "just under | 3 s".
int lead(const Reading& r, int i) {
  int k = i;
  while (k > 0 && is_one(r.word(k - 1), kModifiers)) {
    // "at", "to" and "of" say which role it has, unless they belong to "at least", "close to".
    if (is_one(r.word(k - 1), "at|to|of|near") && !(k < i && is_one(r.word(k), "least|most")) &&
        !(r.word(k - 1).text == "to" && k > 1 && is_one(r.word(k - 2), "close|up")))
      break;
    --k;
  }
  return k;
}

Set events_of(const Reading& r, const Mention& m) {
  if (m.human && m.speaker == 0 && r.facts.has_speech()) return r.facts.speech(r.audio);
  return m.wide.empty() ? m.events : m.nth != 0 ? m.events : m.wide;
}

// "the second", "the third one": which sound it is only the sentences before tell.
bool ordinal_alone(const Reading& r, int i) {
  for (int k = 0; k < i; ++k) {
    if (r.word(k).ordinal == 0) continue;
    if (std::none_of(r.mentions.begin(), r.mentions.end(), [&](const Mention& m) { return m.begin > k && m.begin <= k + 3; }))
      return true;
  }
  return false;
}

// "the fourth event", "the third turn": by any way of counting.
Set nth_event(const Reading& r, int i) {
  Set out;
  int n = 0;
  for (int k = 0; k + 1 < r.size() && k < i + 4; ++k)
    if (r.word(k).ordinal != 0 && is_one(r.word(k + 1), "event|sound|turn|utterance|phrase"))
      n = n == 0 ? r.word(k).ordinal : 99;
  if (n == 0 || n == 99) return out;
  for (int e = 0; e < static_cast<int>(r.facts.all().size()); ++e)
    if (r.facts.nth({e}, n, r.audio)) out.insert(e);
  return out;
}

// The sounds that an amount at word i may be about.
std::vector<Set> subjects(const Reading& r, int i) {
  std::vector<Set> out;
  // "bird (10.0 s), fire (12.5 s)"
  for (const Mention& m : r.mentions)
    if (i > 1 && r.word(i - 1).text == "(" && m.end == i - 1 && is_asserted(m)) return {events_of(r, m)};
  const auto take = [&](const auto& fits) {
    if (!out.empty()) return;
    for (const Mention& m : r.mentions)
      if (may_be_asserted(m) && fits(m)) out.push_back(events_of(r, m));
  };
  take([&](const Mention& m) { return r.word(m.begin).segment == r.word(i).segment; });
  // "2.6 s against 0.3 s, so the cricket wins": of any.
  if (out.empty() && (r.find("against|vs|versus", i + 1, i + 4) >= 0 || r.find("against|vs|versus", i - 3, i) >= 0))
    for (int e = 0; e < static_cast<int>(r.facts.all().size()); ++e) out.push_back({e});
  take([&](const Mention& m) { return r.word(m.begin).clause == r.word(i).clause; });
  // What nobody could resolve may be meant as well.
  int from = i;
  while (from > 0 && r.word(from - 1).segment == r.word(i).segment) --from;
  const bool pronoun = (out.empty() && ordinal_alone(r, i)) ||
                       r.find("it|this|that|which|they|one|these|its|both|each|them|he|she|another|ones|latter|former|other",
                              out.empty() ? 0 : from, i) >= 0;
  if (out.empty() || pronoun) {
    for (const Mention& m : r.mentions)
      if (may_be_asserted(m)) out.push_back(events_of(r, m));
    // "The second lasts …": any sound of the clip may be meant.
    if (const Set nth = nth_event(r, i); !nth.empty()) return {nth};
    // "it lasts …": of what this sentence or the last ones name.
    const bool plain = r.find("it|its|each|both", 0, i) >= 0 &&
                       r.find("one|this|that|which|they|these|them|another|latter|former|other|he|she", 0, i) < 0 &&
                       !ordinal_alone(r, i);
    if (plain && (!out.empty() || !r.before.empty())) {
      for (const auto* mentions : {&r.before, &r.earlier})
        for (const Mention& m : *mentions)
          if (!m.events.empty() && !m.quote) out.push_back(events_of(r, m));
      if (!out.empty()) return out;
    }
    if (pronoun || out.empty())
      for (int e = 0; e < static_cast<int>(r.facts.all().size()); ++e)
        if (r.audio == kAnyAudio || r.facts.at(e).audio == r.audio) out.push_back({e});
  }
  return out;
}

struct Roles {
  bool length = false, moment = false, gap = false;
};

// Words of a pause in the same segment, or right behind the amount.
bool pause_near(const Reading& r, int i) {
  int from = i, to = i;
  while (from > 0 && r.word(from - 1).segment == r.word(i).segment) --from;
  while (to < r.size() && r.word(to).segment == r.word(i).segment) ++to;
  // "Between the two lie some five seconds."
  if (r.find("between", 0, i) >= 0) return true;
  return r.find(
             "pause|pauses|lie|lies|elapse|elapses|pass|silence|gap|gaps|apart|interval|overlap|overlaps|break|breaks|quiet|"
             "silent|separated|separates|"
             "separate|lull|beat|respite|remaining|left|already|been|every|intervals|spacing|margin|rest|another|further|"
             "additional|wait|waits|coincide|alone|share|shared|overlapping|within|extends|beyond|distance|delay|space|"
             "daylight|ahead|head|outlasts|longer|shorter|room|difference",
             from, to) >= 0 ||
         r.find("later|earlier|before|after|between|behind|into|from|ago|of|more|past|since|too|early|late|ahead", i + 1,
                std::min(r.size(), i + 4)) >= 0 ||
         (is_one(r.word(std::max(0, from)), "after|within|only|for") && r.find("lasts|lasting|at", from, i) < 0 &&
          r.word(from).text != "for");
}

Roles roles_of(const Reading& r, int i, int from) {
  Roles out;
  int after = unit(r, i + 1) ? i + 2 : i + 1;
  if (after + 1 < r.size() && is_one(r.word(after), "or") && is_one(r.word(after + 1), "so")) after += 2;
  if (r.find("mark|in|into", after, after + 1) >= 0 && !(after + 1 < r.size() && r.word(after + 1).text == "length"))
    out.moment = true;
  if (r.find("long|worth|of", after, after + 1) >= 0 ||
      (after + 1 < r.size() && is_one(r.word(after), "in") && is_one(r.word(after + 1), "length")))
    out.length = true;
  if (from > 0) {
    const Word& before = r.word(from - 1);
    if (is_one(before, "at|near|by|from|since|until|till|towards|toward|to|@|around")) out.moment = true;
    if (is_one(before,
               "for|lasts|lasting|last|lasted|of|takes|spans|runs|over|continues|measures|extends|duration|long|stretches|"
               "filling|fills|occupies|is|was|clocks|holds|keeps"))
      out.length = true;
    if (is_one(before, "after|before|with|by|within|past|is|was")) out.gap = true;
  }
  if (!out.length && !out.moment) out.length = out.moment = true;
  if (pause_near(r, i)) out.gap = true;
  // "a three second siren", "three-second"
  return out;
}

bool fits_length(const Reading& r, const Set& events, const Amount& a) {
  const double tol = a.rough ? std::max(0.75, 0.3 * a.value) : std::max(0.5, 0.2 * a.value);
  double sum = 0, first = 1e9, last = -1e9;
  for (const int e : events) {
    const Happening& h = r.facts.at(e);
    if (a.fits(h.to - h.from, tol)) return true;
    sum += h.to - h.from;
    first = std::min(first, h.from);
    last = std::max(last, h.to);
  }
  return a.fits(sum, tol) || a.fits(last - first, tol);
}

bool fits_moment(const Reading& r, const Set& events, const Amount& a, int i) {
  const double tol = a.rough ? 1.0 : r.word(i).text.find('.') == std::string::npos ? 0.8 : 0.55;
  int from = i;
  while (from > 0 && r.word(from - 1).segment == r.word(i).segment) --from;
  const int prep = std::max(from, lead(r, i));
  bool ends = false, starts = false;
  // The nearest cue holds: "starting at 1.1 and finishing at 2.4".
  for (int k = prep - 1; k >= from && !ends && !starts; --k) {
    ends = is_one(r.word(k), kEnding) && !(r.word(k).text == "to" && k + 2 < prep && !is_one(r.word(k + 1), "the|its|a|about"));
    ends = ends || (k > 1 && is_one(r.word(k), "last|end") && is_one(r.word(k - 1), "the") && is_one(r.word(k - 2), "to"));
    starts = is_one(r.word(k), kStarting);
  }
  const bool inside = lead(r, i) > 0 && is_one(r.word(lead(r, i) - 1), "at|near|by|around|until|to|from|till");
  for (const int e : events) {
    const Happening& h = r.facts.at(e);
    const bool start = a.fits(h.from, tol), end = a.fits(h.to, tol);
    if ((start && (starts || !ends)) || (end && (ends || !starts))) return true;
    if ((starts && end && ends) || (starts && ends && start)) return true;
    if (!starts && !ends && inside && a.value > h.from && a.value < h.to) return true;
  }
  return false;
}

// Between any two sounds of the clip.
bool fits_gap(const Reading& r, const Amount& a, double tol) {
  const auto& all = r.facts.all();
  for (const Happening& x : all) {
    for (const Happening& y : all) {
      if (&x == &y || x.audio != y.audio) continue;
      for (const double d : {y.from - x.to, y.from - x.from, y.to - x.to, x.to - y.from, y.to - x.from})
        if (d > -0.01 && a.fits(d, tol)) return true;
    }
    if (a.fits(x.from, tol) || a.fits(x.to - x.from, tol)) return true;
  }
  return false;
}

// The length of the whole clip: no shorter than what is heard in it.
bool fits_clip(const Reading& r, const Amount& a) {
  double end = 0;
  for (const Happening& h : r.facts.all()) end = std::max(end, h.to);
  return a.high >= end - 1.2;
}

bool about_clip(const Reading& r, int i) {
  int from = i, to = i;
  while (from > 0 && r.word(from - 1).clause == r.word(i).clause) --from;
  while (to < r.size() && r.word(to).clause == r.word(i).clause) ++to;
  return r.find("clip|recording|audio|file|track|excerpt|sequence|scene", from, to) >= 0;
}

// Is there one sound that the amount can be about, named in the same breath?
bool clear_subject(const Reading& r, int i) {
  const int from = r.segment_begin(i), to = r.segment_end(i);
  int named = 0;
  for (const Mention& m : r.mentions) {
    // "bird (10.0 s)"
    if (i > 1 && r.word(i - 1).text == "(" && m.end == i - 1 && is_asserted(m)) return true;
    if (m.begin >= from && m.begin < to)
      named += is_asserted(m) && (!m.human || m.speaker > 0 || r.facts.speakers(r.audio) == 1) ? 1 : 2;
  }
  constexpr const char* kPronouns = "it|they|this|that|which|he|she|these|those|one|other|another";
  if (named == 1) return r.find(kPronouns, from, i) < 0;
  // The only sound of the whole sentence, named before: "The beep, in contrast, lasts five seconds."
  if (named > 0 || r.mentions.empty() || r.mentions[0].begin > i || r.find(kPronouns, 0, i) >= 0 || ordinal_alone(r, i))
    return false;
  return std::all_of(r.mentions.begin(), r.mentions.end(),
                     [&](const Mention& m) { return is_asserted(m) && !m.human && m.wide == r.mentions[0].wide; });
}

// Does it fit the border of any sound of the clip, or the length of one?
bool fits_anything(const Reading& r, const Amount& a, const Roles& roles) {
  for (const Happening& h : r.facts.all()) {
    if (roles.moment && (a.fits(h.from, 0.35) || a.fits(h.to, 0.35))) return true;
    if (roles.length && a.fits(h.to - h.from, std::max(0.3, 0.15 * a.value))) return true;
  }
  for (const auto& [file, length] : r.facts.lengths())
    if (a.fits(length, 0.6)) return true;
  return roles.length && fits_gap(r, a, std::max(0.15, 0.1 * a.value));
}

// "only 2.0, 3.5 and 5.0 are offered": what the options say.
bool of_options(const Reading& r, const Amount& a) {
  if (!r.has("option|options|offers|offered|offer|choices|choice|closest|nearest|round|rounded|alternatives|available"))
    return false;
  return std::any_of(r.sample->choices.begin(), r.sample->choices.end(), [&](const std::string& c) {
    return !c.empty() && std::isdigit(static_cast<unsigned char>(c[0])) != 0 &&
           std::abs(std::stod(c.substr(0, 6)) - a.value) < 0.01;
  });
}

void check_amount(Reading& r, int i) {
  const Amount a = amount_at(r.sentence, i);
  const int from = lead(r, i);
  // "three laughs in nine seconds"
  if (from > 0 && is_one(r.word(from - 1), "in|within|across|inside")) return;
  const Roles roles = roles_of(r, i, from);
  if (of_options(r, a)) return;
  const std::vector<Set> about = subjects(r, i);
  if (about_clip(r, i) && (fits_clip(r, a) || about.empty())) return;
  if (about.empty()) return;
  for (const Set& events : about) {
    if (roles.length && fits_length(r, events, a)) return;
    if (roles.moment && fits_moment(r, events, a, i)) return;
  }
  if (roles.gap && fits_gap(r, a, std::max(0.5, 0.25 * a.value))) return;
  if (!clear_subject(r, i) && fits_anything(r, a, roles)) return;
  r.wrong(roles.moment ? "time" : "length", "no " + seconds(a.value) + " fits");
}

// "0.5 to 1.5 s", "between 1 and 3 seconds", "from 2 until 4 s". Returns the last word of it; i when there is none.
int interval_end(const Reading& r, int i, int& second) {
  int k = i + 1;
  if (unit(r, k)) ++k;
  if (k >= r.size()) return i;
  const bool between = r.find("between", i - 4, i) >= 0;
  if (!is_one(r.word(k), "to|until|till|through|-|--") && !(between && is_one(r.word(k), "and"))) return i;
  ++k;
  while (k < r.size() &&
         is_one(r.word(k), "about|around|roughly|approximately|the|nearly|almost|just|a|little|after|before|past|over"))
    ++k;
  if (!number(r, k) || r.word(k).number <= r.word(i).number) return i;
  const bool known_unit = unit(r, k + 1) || unit(r, i + 1) || (decimal(r, i) && decimal(r, k));
  if (!known_unit && (r.word(k - 1).text == "-" || !(k + 1 < r.size() && r.word(k + 1).text == ":"))) return i;
  // "Transition 2-3:" numbers something else.
  if (!known_unit && i > 0 && !r.word(i - 1).stem.empty() && !is_one(r.word(i - 1), "from|between|at|about|and")) return i;
  second = k;
  return unit(r, k + 1) ? k + 1 : k;
}

bool fits_interval(const Reading& r, const Set& events, const Amount& a, const Amount& b) {
  const double slack = b.value - a.value < 0.7 ? 0.9 : 0.7;
  double first = 1e9, last = -1e9;
  for (const int e : events) {
    const Happening& h = r.facts.at(e);
    if (a.fits(h.from, a.rough ? 1.0 : 0.7) && b.fits(h.to, b.rough ? 1.0 : slack)) return true;
    if (h.from >= a.value - 0.5 && h.to <= b.value + 0.5 && h.to - h.from > 0.5 * (b.value - a.value)) return true;
    first = std::min(first, h.from);
    last = std::max(last, h.to);
  }
  return a.fits(first, 0.8) && b.fits(last, 0.8);
}

// Somebody's overlap, a pause: any two borders of the clip.
bool fits_borders(const Reading& r, const Amount& a, const Amount& b) {
  const auto border = [&](const Amount& x) {
    return std::any_of(r.facts.all().begin(), r.facts.all().end(),
                       [&](const Happening& h) { return x.fits(h.from, 0.7) || x.fits(h.to, 0.7); });
  };
  return border(a) && border(b);
}

void check_interval(Reading& r, int i, int k) {
  const Amount a = amount_at(r.sentence, i), b = amount_at(r.sentence, k);
  r.interval = {a.value, b.value};
  if (r.has("overlap|overlaps|overlapping|together|simultaneously|pause|silence|gap|between|quiet|coincide|share|only|alone|"
            "stretch|both")) {
    if (!fits_borders(r, a, b) && r.find("lasts|lasting|for", i - 3, i) < 0)
      r.wrong("time", "nothing lies at " + seconds(a.value) + " to " + seconds(b.value));
    return;
  }
  const std::vector<Set> about = subjects(r, i);
  if (about.empty()) return;
  // "between two and three seconds long"
  const Amount range{(a.value + b.value) / 2, a.value, b.value, true};
  const bool length = r.find("for|lasts|lasting|long|of|lasted", i - 3, i) >= 0 || r.find("long|each|of", k + 1, k + 4) >= 0;
  for (const Set& events : about)
    if (fits_interval(r, events, a, b) || (length && fits_length(r, events, range))) return;
  r.wrong("time", "nothing named is heard from " + seconds(a.value) + " to " + seconds(b.value));
}

// "The dog: 0.5 to 1.5 s. That is 1.0 s." and "2.5 is more than 1.0"
void check_arithmetic(Reading& r) {
  if (r.size() >= 4 && r.word(0).text == "that" && r.word(1).text == "is" && number(r, 2) && unit(r, 3) &&
      r.interval.first >= 0 &&
      std::abs(r.interval.second - r.interval.first - r.word(2).number) > 0.06 + (decimal(r, 2) ? 0 : 0.5))
    r.wrong("length", "the interval before it is " + seconds(r.interval.second - r.interval.first) + " long");
  for (int i = 0; i + 4 < r.size(); ++i) {
    if (!number(r, i) || !number(r, i + 4) || !is_one(r.word(i + 1), "is") || !is_one(r.word(i + 3), "than")) continue;
    const bool more = is_one(r.word(i + 2), "more|longer|greater|larger|higher"),
               less = is_one(r.word(i + 2), "less|shorter|fewer|smaller|lower");
    const double a = r.word(i).number, b = r.word(i + 4).number;
    if ((more && a <= b) || (less && a >= b)) r.wrong("arithmetic", seconds(a) + " against " + seconds(b));
  }
}

bool other_unit(const Reading& r, int i) {
  return r.find("hz|khz|db|bpm|beats|percent|%|times|minutes|minute|/", i + 1, i + 2) >= 0;
}

}  // namespace

void check_times(Reading& r) {
  if (r.sentence.question) return;
  check_arithmetic(r);
  // Results of sums are not moments.
  if (r.has("minus|plus|subtract|subtracting|difference|=")) return;
  for (int i = 0; i < r.size(); ++i) {
    if (!number(r, i) || r.word(i).open || r.find("audio|clip|speaker|option|part|number", i - 1, i) >= 0 || other_unit(r, i))
      continue;
    int second = i;
    const int end = interval_end(r, i, second);
    if (end > i) {
      check_interval(r, i, second);
      i = end;
      continue;
    }
    const bool clock = unit(r, i + 1) || (i + 2 < r.size() && r.word(i + 1).text == "-" && unit(r, i + 2));
    const bool bare = decimal(r, i) && r.find("at|from|until|to|around|about", i - 2, i) >= 0;
    if (clock || bare) check_amount(r, i);
  }
}

}  // namespace areason::claims
