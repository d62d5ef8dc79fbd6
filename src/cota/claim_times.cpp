// When and how long: "from 1.0 to 2.5 s", "at about 3 seconds", "lasts just under two seconds", "half a second later". Every
// way to read a time is tried, with every sound of the sentence that it may belong to; only what fits none is an error.
#include <algorithm>
#include <cmath>

#include "cota/claim_gaps.h"
#include "cota/claim_subjects.h"

namespace areason::claims {
namespace {

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
    "come|came|enters|sets|arrives|emerges|comes|kicks|"
    "appears|"
    "follows|opens|joins|falls|strikes|occurs|returns|resumes|reappears|restarts|approaches";

bool number(const Reading& r, int i) { return i >= 0 && i < r.size() && r.word(i).number >= 0; }
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

struct Roles {
  bool length = false, moment = false, gap = false;
};

// Words of a pause in the same segment, or right behind the amount.
bool pause_near(const Reading& r, int i) {
  int from = i, to = i;
  while (from > 0 && r.word(from - 1).segment == r.word(i).segment) --from;
  while (to < r.size() && r.word(to).segment == r.word(i).segment) ++to;
  // "quite a pause, nearly fourteen seconds, before …"
  if (from > 0 && r.word(from).text == "," && r.find("pause|silence|gap|break|lull|wait|interval", from - 4, from) >= 0)
    return true;
  // "Between the two lie some five seconds."
  if (r.find("between", std::max(0, from - 8), i) >= 0) return true;
  return r.find(
             "pause|pauses|lie|lies|elapse|elapses|pass|silence|gap|gaps|apart|interval|overlap|overlaps|break|breaks|quiet|"
             "silent|separated|separates|"
             "separate|lull|beat|respite|remaining|left|already|been|intervals|spacing|margin|rest|another|further|"
             "additional|wait|waits|coincide|alone|share|shared|overlapping|within|extends|beyond|distance|delay|space|"
             "daylight|ahead|head|outlasts|longer|shorter|room|difference|clear|lull|breather|away|together|simultaneously",
             from, to) >= 0 ||
         r.find("later|earlier|before|after|between|behind|into|from|ago|of|more|past|since|too|early|late|ahead", i + 1,
                std::min(to, i + 4)) >= 0 ||
         (is_one(r.word(std::max(0, from)), "after|within|only|for") && r.find("lasts|lasting|at", from, i) < 0 &&
          r.word(from).text != "for");
}

// "five seconds or so of buzzing"
bool of_sound(const Reading& r, int i) {
  int of = unit(r, i + 1) ? i + 2 : i + 1;
  while (of < r.size() && is_one(r.word(of), "or|so|and|a|bit|more")) ++of;
  if (of >= r.size() || r.word(of).text != "of") return false;
  const int to = r.segment_end(i);
  if (r.find("remain|remains|remaining|ahead|between|left|go|alone|only|before|after|still|more|another|first|last", i, to) >=
      0)
    return false;
  return std::any_of(r.mentions.begin(), r.mentions.end(), [&](const Mention& m) {
    return m.begin > of && m.begin <= of + 2 && is_asserted(m) && r.find("silence|nothing|the|this", of, m.begin) < 0;
  });
}

Roles roles_of(const Reading& r, int i, int from) {
  Roles out;
  if (of_sound(r, i)) {
    out.length = true;
    return out;
  }
  int after = unit(r, i + 1) ? i + 2 : i + 1;
  if (after + 1 < r.size() && is_one(r.word(after), "or") && is_one(r.word(after + 1), "so")) after += 2;
  if (r.find("mark|in|into", after, after + 1) >= 0 && !(after + 1 < r.size() && r.word(after + 1).text == "length"))
    out.moment = true;
  // "joined by an insect half a second in": after something has begun
  if (after < r.size() && r.word(after).text == "in" && (after + 1 >= r.size() || r.word(after + 1).stem.empty()))
    out.gap = true;
  if (r.find("long|worth|of", after, after + 1) >= 0 ||
      (after + 1 < r.size() && is_one(r.word(after), "in") && is_one(r.word(after + 1), "length")))
    out.length = true;
  if (from > 0) {
    const Word& before = r.word(from - 1);
    if (is_one(before, "at|near|by|from|since|until|till|towards|toward|to|@|around")) out.moment = true;
    if (is_one(before,
               "for|lasts|lasting|last|lasted|of|takes|took|taking|needed|stays|stayed|spans|runs|over|continues|"
               "measures|extends|duration|long|stretches|"
               "filling|fills|occupies|is|was|clocks|holds|keeps"))
      out.length = true;
    if (is_one(before, "after|before|with|by|within|past") || (r.gaps && is_one(before, "is|was"))) out.gap = true;
  }
  // "is drawn out to two seconds", "amounts to"
  if (from > 1 && r.word(from - 1).text == "to" && is_one(r.word(from - 2), "out|amounts|amounting|comes|adds"))
    out.length = true, out.moment = false;
  if (!out.length && !out.moment) out.length = out.moment = true;
  if (r.find("longest|shortest|briefest", 0, i) >= 0) out.length = true;
  if (pause_near(r, i)) out.gap = true;
  // "is gone again after six seconds"
  if (from > 0 && is_one(r.word(from - 1), "after|within") && after >= r.segment_end(i) && !r.has("pause|silence|gap|later") &&
      r.find("gone|over|stops|ends|finished|finishes|done|fades|ceases|begins|starts|enters", r.segment_begin(from - 1) - 5,
             from) >= 0)
    out = {true, true, false};
  // "a three second siren", "three-second"
  return out;
}

bool fits_length(const Reading& r, const Set& events, const Amount& a, int i) {
  // "more than a second" has one border only.
  const bool one_sided = (a.low == a.value) != (a.high == a.value);
  const double tol = one_sided ? std::max(0.3, 0.1 * a.value)
                     : a.rough ? std::max(0.75, 0.3 * a.value)
                               : std::max(0.5, 0.2 * a.value);
  double sum = 0, first = 1e9, last = -1e9;
  for (const int e : events) {
    const Happening& h = r.facts.at(e);
    if (a.fits(h.to - h.from, tol)) return true;
    sum += h.to - h.from;
    first = std::min(first, h.from);
    last = std::max(last, h.to);
  }
  // "a helicopter stays for ten seconds" is one visit.
  for (const Mention& m : r.mentions)
    if (m.begin > 0 && m.end <= i && i - m.end <= 8 && !m.plural && is_one(r.word(m.begin - 1), "a|an|another") &&
        r.word(m.begin).segment == r.word(i).segment)
      return false;
  // Each of several has no common length.
  if (r.find("each|every|apiece|all|they", r.segment_begin(i), std::min(r.size(), i + 4)) >= 0) return false;
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
    // "It starts at 0.3 and at 1.2 it's gone": the cue is of another amount.
    if (number(r, k) && (decimal(r, k) || unit(r, k + 1))) break;
    // "silent until a rooster crows at ten seconds": the cue is of something else.
    if (std::any_of(r.mentions.begin(), r.mentions.end(),
                    [&](const Mention& m) { return k >= m.begin && k < m.end && m.end < prep; }) &&
        r.find("until|till", from, k) >= 0)
      break;
    ends = is_one(r.word(k), kEnding) && !(r.word(k).text == "to" && k + 2 < prep && !is_one(r.word(k + 1), "the|its|a|about"));
    ends = ends || (k > 1 && is_one(r.word(k), "last|end") && is_one(r.word(k - 1), "the") && is_one(r.word(k - 2), "to"));
    starts = is_one(r.word(k), kStarting);
  }
  const bool inside = lead(r, i) > 0 && is_one(r.word(lead(r, i) - 1), "at|near|by|around|until|to|from|till");
  // "doesn't come until 1.2 s"
  if (ends && r.find("until|till|before", i - 4, i) >= 0 &&
      r.find("not|doesn't|don't|didn't|never|won't|isn't|only|needs|need|takes|waits|wait", i - 6, i) >= 0)
    starts = true;
  for (const int e : events) {
    const Happening& h = r.facts.at(e);
    const bool start = a.fits(h.from, tol), end = a.fits(h.to, tol);
    if ((start && (starts || !ends)) || (end && (ends || !starts))) return true;
    if ((starts && end && ends) || (starts && ends && start)) return true;
    if (!starts && !ends && inside && a.value > h.from && a.value < h.to) return true;
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
  // "in audio 2", "into the recording" are places.
  for (int k = from; k < to; ++k)
    if (is_one(r.word(k), "clip|recording|audio|file|track|excerpt|sequence|scene") &&
        r.find("in|into|of|from|through|on|within|to", k - 3, k) < 0 && !(k + 1 < to && r.word(k + 1).number >= 0))
      return true;
  return false;
}

// Does a verb of lasting, beginning or ending stand right before the amount?
bool governed(const Reading& r, int i, const Roles& roles) {
  const int from = std::max(r.segment_begin(i), lead(r, i) - 4);
  // "each time about five seconds"
  const int first = lead(r, i);
  if (roles.length && first > 1 && r.word(first - 1).text == "time" && is_one(r.word(first - 2), "each|every")) return true;
  // "…, nearly five seconds of it, …"
  if (roles.length && lead(r, i) <= r.segment_begin(i) + 1 && i > 2 && r.word(r.segment_begin(i)).text == "," &&
      r.segment_end(i) - i <= 5 && r.find("later|after|before|from|between|apart|silence|to|until", i, r.segment_end(i)) < 0)
    return true;
  if (roles.length && r.find("lasts|lasting|lasted|takes|taking|took|measures|spans|stays|holds|keeps|goes|continues|duration|"
                             "length|for|long|occupies|rings|runs|extends|extending|over",
                             from, i) >= 0)
    return true;
  if (roles.length && r.find("long", i + 1, i + 4) >= 0) return true;
  return roles.moment && !roles.length &&
         r.find(
             "becomes|commences|commencing|entering|starts|start|begins|begin|started|began|starting|beginning|enters|sets|"
             "arrives|emerges|comes|come|appears|returns|resumes|reappears|ends|ending|end|ended|finishing|stops|stopping|"
             "stopped|stop|until|finishes|"
             "finished|fades|dies|gone|done|ceases|completed|there|is|was",
             from, i) >= 0;
}

// Does it fit the border of any sound of the clip, or the length of one?
bool fits_anything(const Reading& r, const Amount& a, const Roles& roles, bool verb) {
  for (const Happening& h : r.facts.all()) {
    if (roles.moment && (a.fits(h.from, 0.35) || a.fits(h.to, 0.35))) return true;
    if (roles.length && a.fits(h.to - h.from, std::max(0.3, 0.15 * a.value))) return true;
  }
  // "lasts three seconds" is of a sound, not of a pause.
  if (verb) return (roles.gap || r.gaps) && fits_gap(r, a, std::max(0.15, 0.1 * a.value), Gap::kAny);
  for (const auto& [file, length] : r.facts.lengths())
    if (a.fits(length, 0.6)) return true;
  return roles.length && fits_gap(r, a, std::max(0.15, 0.1 * a.value), Gap::kAny);
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

// "… 0.9 s after the speech": is there a sound right behind it?
bool names_other(const Reading& r, int i) {
  return std::any_of(r.mentions.begin(), r.mentions.end(),
                     [&](const Mention& m) { return m.begin > i && m.begin <= i + 5 && is_asserted(m); });
}

void check_amount(Reading& r, int i) {
  const Amount a = amount_at(r.sentence, i);
  const int from = lead(r, i);
  // "three laughs in nine seconds"
  if (from > 0 && is_one(r.word(from - 1), "in|within|across|inside")) return;
  const Roles roles = roles_of(r, i, from);
  if (of_options(r, a)) return;
  const Subjects about = subjects(r, i);
  if (about_clip(r, i) && (fits_clip(r, a) || about.sets.empty())) return;
  if (about.sets.empty()) return;
  // "starts 0.9 s after the speech": neither a length nor a moment
  const bool later =
      roles.gap && gap_kind(r, i) == Gap::kLater && from > 0 && is_one(r.word(from - 1), kStarting) && names_other(r, i);
  for (const Set& events : about.sets) {
    if ((roles.gap && silence(r, i)) || later) break;
    if (roles.length && fits_length(r, events, a, i)) return;
    if (roles.moment && fits_moment(r, events, a, i)) return;
  }
  const Gap gap = gap_kind(r, i);
  if (roles.gap && gap == Gap::kLater) {
    if (fits_later(r, a, i, std::max(0.4, 0.2 * a.value))) return;
    if (later) return r.wrong("gap", "nothing starts " + seconds(a.value) + " from it");
  } else if (roles.gap && fits_gap(r, a, std::max(0.4, 0.2 * a.value), gap))
    return;
  if (roles.gap && gap == Gap::kSilence && silence(r, i))
    return r.wrong("gap", "no silence of " + seconds(a.value) + " lies between two sounds");
  const bool at =
      roles.moment && !roles.length && about.sets.size() == 1 && from > 0 && is_one(r.word(from - 1), "at|around|by|until");
  if (roles.gap && gap == Gap::kOverlap && roles.length && !about_clip(r, i) &&
      (r.find("overlap|overlaps|shared|share|coincide|coincides", r.segment_begin(i), r.segment_end(i)) >= 0 ||
       (r.find("together", i - 5, i) >= 0 && r.find("for", i - 4, i) >= 0 &&
        r.find("sound|sounds|heard|are", i - 8, i) >= 0)) &&
      r.find("no|not|never|without|before|after|than|later|only", r.segment_begin(i), r.segment_end(i)) < 0)
    return r.wrong("overlap", "no overlap of " + seconds(a.value));
  const bool part =
      r.find(roles.moment ? "two|both|together|alone|nothing|rest" : "two|both|together|alone|only|remaining|nothing|rest",
             r.segment_begin(i), r.segment_end(i)) >= 0;
  const bool pause = r.gaps && r.find("it|this|that|one|first|second|last|which", 0, i) >= 0 &&
                     r.find("each|every", r.segment_begin(i), i) < 0;
  const bool known =
      clear_subject(r, i) || (!part && !pause && about.resolved && (at || governed(r, i, roles))) || of_sound(r, i);
  if (!known && fits_anything(r, a, roles, !part && governed(r, i, roles) && !about_clip(r, i))) return;
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
  // "the crow from 0.8 to 2.6, so they overlap": its own
  const bool own = i > 1 && r.word(i - 1).text == "from" &&
                   std::any_of(r.mentions.begin(), r.mentions.end(), [&](const Mention& m) { return m.end == i - 1; });
  if (!own &&
      r.has("overlap|overlaps|overlapping|together|simultaneously|pause|silence|gap|between|quiet|coincide|share|only|alone|"
            "stretch|both")) {
    if (!fits_borders(r, a, b) && r.find("lasts|lasting|for", i - 3, i) < 0)
      r.wrong("time", "nothing lies at " + seconds(a.value) + " to " + seconds(b.value));
    return;
  }
  const Subjects about = subjects(r, i);
  if (about.sets.empty()) return;
  // "between two and three seconds long"
  const Amount range{(a.value + b.value) / 2, a.value, b.value, true};
  const bool length = r.find("for|lasts|lasting|long|of|lasted", i - 3, i) >= 0 || r.find("long|each|of", k + 1, k + 4) >= 0;
  for (const Set& events : about.sets)
    if (fits_interval(r, events, a, b) || (length && fits_length(r, events, range, i))) return;
  r.wrong("time", "nothing named is heard from " + seconds(a.value) + " to " + seconds(b.value));
}

bool other_unit(const Reading& r, int i) {
  return r.find("hz|khz|db|bpm|beats|percent|%|times|minutes|minute|/", i + 1, i + 2) >= 0;
}

}  // namespace

void check_times(Reading& r) {
  if (r.sentence.question) return;
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
    // "a cricket chirps for nine"
    const bool counted = !clock && r.find("for|takes|lasts", lead(r, i) - 1, lead(r, i)) >= 0 &&
                         (i + 1 >= r.size() || is_one(r.word(i + 1), ",|)|--")) && r.word(i).number > 0.2;
    // "the dog barks around twelve"
    const bool round = !clock && !decimal(r, i) && i > 1 && is_one(r.word(i - 1), "at|around") && r.word(i).number >= 3 &&
                       (i + 1 >= r.size() || is_one(r.word(i + 1), ",|)|--")) && clear_subject(r, i) &&
                       !r.has("option|options|line|turn|number|audio");
    if (clock || bare || counted || round) check_amount(r, i);
  }
}

}  // namespace areason::claims
