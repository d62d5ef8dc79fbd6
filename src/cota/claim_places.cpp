// Where in the clip: "the first sound is a horn", "it ends with a bell", "a dog opens the clip", "early on a toy squeaks".
#include <algorithm>

#include "cota/claim_rules.h"

namespace areason::claims {
namespace {

constexpr const char* kClip =
    "match|game|show|affair|proceedings|race|round|broadcast|performance|story|clip|recording|audio|sequence|file|track|things|"
    "scene|excerpt|timeline|sample|list|series";
constexpr const char* kNouns =
    "--|sound|event|noise|thing|one|item|element|source|audible|distinct|detectable|clear|major|to|heard|sounds|animal|can|"
    "very|that|i|hear|be|of|all|"
    "is|was|comes|,|:|among|in|identifiable|place|position|and|the|clip|recording|audio|come|-|at|event|overall|occur|occurs|"
    "we|distinct|belongs|should|then";

bool usable(const Mention& m) { return is_asserted(m) && m.nth == 0 && !(m.human && m.speaker == 0); }

void expect_place(Reading& r, const Mention& m, int n) {
  if (!usable(m) || m.speaker > 0) return;
  if (r.facts.nth(m.events, n, r.audio) || (r.facts.audios() > 1 && r.facts.nth(m.events, n, kAnyAudio))) return;
  r.wrong("order", m.name + " is not the " + (n < 0 ? "last" : n == 1 ? "first" : "number " + std::to_string(n)) + " sound");
}

const Mention* first_after(const Reading& r, int i, int reach) {
  for (const Mention& m : r.mentions)
    if (m.begin > i) return m.begin - i <= reach ? &m : nullptr;
  return nullptr;
}
const Mention* last_before(const Reading& r, int i, int from) {
  const Mention* out = nullptr;
  for (const Mention& m : r.mentions)
    if (m.end <= i && m.begin >= from) out = &m;
  return out;
}

// Does the ordinal belong to a mention ("the second bark")?
bool attached(const Reading& r, int i) {
  return std::any_of(r.mentions.begin(), r.mentions.end(), [&](const Mention& m) {
    return m.begin == i + 1 || (m.begin == i + 2 && !r.word(i + 1).stem.empty() && !is_one(r.word(i + 1), kNouns));
  });
}

void check_ordinal(Reading& r, int i) {
  const Word& w = r.word(i);
  if (w.ordinal == 0 || w.open || attached(r, i)) return;
  const int from = r.segment_begin(i), end = r.segment_end(i);
  if (r.find("not|isn't|wasn't|never|no|than|two|both|these|time|speaker|voice|person|longer|shorter|louder|between|"
             "before|after|while|from|until|overlap|overlaps|at|line|turn|word|each|every|though|s|seconds",
             from, end) >= 0) {
    if (!(w.text == "third" && r.find("not|no|than|half|part|time|speaker|before|after|at|s|seconds|between", from, end) < 0))
      return;
  }
  if (r.find("audio|clip|recording|part|time|half|speaker|voice|person|note|chord|beat|bar|word|line|turn|speech|phrase|digit|"
             "few|moment|impression",
             i + 1, i + 2) >= 0)
    return;
  // "The first sound is X", "last comes X", "first: X"
  const Mention* next = first_after(r, i, 9);
  if (next != nullptr) {
    bool plain_way = r.find("is|was|comes|:|belongs|-", i + 1, next->begin) >= 0;
    for (int k = i + 1; k < next->begin; ++k)
      plain_way = plain_way && (is_one(r.word(k), kNouns) || is_one(r.word(k), "a|an|made|by"));
    if (plain_way) return expect_place(r, *next, w.ordinal);
  }
  // "X is (the) first (sound)", "X comes last"
  const Mention* m = last_before(r, i, from);
  if (m == nullptr && from == 1 && r.word(1).text == ":") m = last_before(r, i, 0);
  if (m == nullptr || r.find("then|next|,|followed|later", i, r.size()) >= 0) return;
  bool plain_way = r.find("is|was|comes|come|are|heard|came|as|appears|occurs|sounds|:", m->end, i) >= 0 ||
                   r.word(m->end - 1).text.ends_with("'s");
  for (int k = m->end; k < i; ++k)
    plain_way = plain_way &&
                is_one(r.word(k),
                       "is|was|comes|come|are|heard|came|:|as|the|clearly|indeed|therefore|thus|be|very|in|a|to|"
                       "appears|occurs|sounds|number|my|also|and|only|actually|really|in|fact|definitely|certainly|even|still");
  const bool ends =
      i + 1 >= r.size() || is_one(r.word(i + 1), "sound|event|noise|thing|one|item|in|of|,|and|)|to|overall|among|audible|-");
  if (plain_way && ends) expect_place(r, *m, w.ordinal);
}

// "begins with X", "the clip ends on X"; "X opens the clip".
void check_border(Reading& r, int i) {
  const Word& w = r.word(i);
  if (w.open || i + 1 >= r.size()) return;
  int n = is_one(w, "begins|begin|starts|start|opens|open|opening|beginning|starting|began|started|opened|commences|kicks") ? 1
          : is_one(w,
                   "ends|end|ended|closes|close|closed|concludes|concluded|finishes|finished|ending|closing|concluding|close|"
                   "rounds|terminates")
              ? -1
              : 0;
  if (n == 0) return;
  const int from = r.segment_begin(i);
  if (r.find("not|never|doesn't|no|before|after|until|when|once|as|if", from, i) >= 0) return;
  const Mention* subject = last_before(r, i, from);
  const bool letter =
      i > 0 && ((r.word(i - 1).text.size() == 1 && r.word(i - 1).text != ",") ||
                is_one(r.word(i - 1), "they|these|which|that|who|both|options|sequences|orders|rows|lists|ones|answers|those"));
  if (is_one(r.word(i + 1), "with|on|by|off|in") && subject == nullptr && !letter) {
    const Mention* m = first_after(r, i, 8);
    if (m != nullptr && r.word(m->begin).segment == r.word(i).segment) expect_place(r, *m, n);
    return;
  }
  // "the roar closes the clip"
  if (subject != nullptr && i - subject->end <= 2 && r.find(kClip, i + 1, i + 4) >= 0 &&
      !is_one(w, "end|start|close|open|ending|opening|closing"))
    expect_place(r, *subject, n);
}

// The one mention that begins in [from, to); null for none or several.
const Mention* only_mention(const Reading& r, int from, int to) {
  const Mention* only = nullptr;
  for (const Mention& m : r.mentions) {
    if (m.begin < from || m.begin >= to) continue;
    if (only != nullptr) return nullptr;
    only = &m;
  }
  return only;
}

// "the fourth place is held by the rooster", "traffic in 3rd place"
void check_numbered_place(Reading& r, int i) {
  const Word& w = r.word(i);
  if (w.ordinal == 0 || w.open || i + 1 >= r.size() || !is_one(r.word(i + 1), "place|position|slot|spot|rank")) return;
  const int from = r.segment_begin(i), to = r.segment_end(i);
  const Mention* only = only_mention(r, from, to);
  // "The water, in (b), arrives in the third position."
  if (only == nullptr && last_before(r, i, from) == nullptr && first_after(r, i, 3) == nullptr &&
      r.find("arrives|comes|takes|occupies|is|has|holds", from, i) >= 0)
    only = last_before(r, from, 0);
  if (only != nullptr && r.find("not|no|never|and|longest|loudest|after|before|would|or", from, to) < 0)
    expect_place(r, *only, w.ordinal);
}

// "early on a toy squeaks", "near the end a siren wails", "right at the start"
void check_region(Reading& r, int i) {
  if (r.word(i).open || r.facts.audios() > 1) return;
  const bool end = is_one(r.word(i), "end|close|finish"), start = is_one(r.word(i), "start|beginning|outset");
  const bool early = is_one(r.word(i), "early") && r.find("on|in", i + 1, i + 2) >= 0;
  if (!early &&
      !((end || start) && r.find("the", i - 3, i) >= 0 && r.find("at|near|towards|toward|in|by|right", i - 4, i) >= 0))
    return;
  if (r.find("from|until|till|to|not|no|never|nothing|than|before|after|of", std::max(0, i - 5), i) >= 0 &&
      r.find("at", i - 3, i) < 0)
    return;
  if (i + 1 < r.size() && r.word(i + 1).text == "of" && r.find(kClip, i + 2, i + 5) < 0) return;
  const int from = r.segment_begin(i), to = r.segment_end(i);
  const Mention* only = only_mention(r, from, to);
  if (only == nullptr || !usable(*only) ||
      r.find("again|another|more|until|not|no|same|loud|louder|second|third|still|its|also", from, to) >= 0)
    return;
  if (only->begin < i && i - only->end > 6) return;
  const double whole = clip_end(r);
  bool fits = false;
  for (const int e : only->events) {
    const Happening& h = r.facts.at(e);
    fits = fits || (end ? h.to > 0.6 * whole : h.from < 0.45 * whole);
  }
  if (!fits) r.wrong("order", only->name + " is not there");
}

}  // namespace

void check_places(Reading& r) {
  if (r.sentence.question || r.facts.only_speech()) return;
  for (int i = 0; i < r.size(); ++i) {
    check_ordinal(r, i);
    check_border(r, i);
    check_numbered_place(r, i);
    check_region(r, i);
  }
  // "Finally, a bell." as a whole sentence
  if (r.mentions.size() == 1 && r.size() > 1 && is_one(r.word(0), "finally|lastly") &&
      !r.has("answer|so|conclude|compare|note"))
    expect_place(r, r.mentions[0], -1);
  // "Nothing precedes the arrow."
  if (r.mentions.size() == 1 && r.size() >= 3 && is_one(r.word(0), "nothing")) {
    if (is_one(r.word(1), "precedes") || (r.word(1).text == "comes" && r.word(2).text == "before"))
      expect_place(r, r.mentions[0], 1);
    if (is_one(r.word(1), "follows") || (r.word(1).text == "comes" && r.word(2).text == "after"))
      expect_place(r, r.mentions[0], -1);
  }
}

}  // namespace areason::claims
