// Two sounds against each other: "they overlap", "the horn is louder than the bell", "the longest of all".
#include <algorithm>
#include <cmath>
#include <map>

#include "cota/claim_rules.h"

namespace areason::claims {
namespace {

constexpr const char* kTogether =
    "overlap|overlaps|overlapping|overlapped|intersect|intersects|intersection|intersecting|concur|concurs|clash|clashes|"
    "simultaneous|simultaneously|concurrent|concurrently|coincide|coincides|coinciding";

// Do any two sounds of the clip (people of a dialogue, if it is one) clearly overlap?
double most_overlap(const Reading& r) {
  double most = -1e9;
  const Set front = r.facts.foreground(kAnyAudio);
  for (const int i : front)
    for (const int k : front)
      if (i < k) most = std::max(most, r.facts.overlap({i}, {k}));
  return most;
}

// The sentence's pair, or those of the question when it names none.
bool pair_of(const Reading& r, int cue, Set& a, Set& b) {
  std::vector<const Mention*> named;
  for (const Mention& m : r.mentions) {
    if (!may_be_asserted(m) || r.word(m.begin).clause != r.word(cue).clause) continue;
    if (named.empty() || !share(named.back()->events, m.events)) named.push_back(&m);
  }
  // "the howls overlap": those of one kind
  if (named.size() == 1 && named[0]->events.size() > 1 && named[0]->plural && r.mentions.size() == 1) {
    a = b = named[0]->events;
    return true;
  }
  if (named.size() == 2) {
    a = named[0]->events;
    b = named[1]->events;
    return !share(a, b);
  }
  const bool they = r.find("they|two|both|them|these|so", 0, r.size()) >= 0;
  if (named.empty() && r.mentions.empty() && they) {
    std::vector<const Mention*> asked;
    for (const Mention& m : r.asked.mentions)
      if (!m.events.empty()) asked.push_back(&m);
    if (asked.size() == 2 && r.asked.what == Asked::What::kOverlap) {
      a = asked[0]->events;
      b = asked[1]->events;
      return !share(a, b);
    }
    if (r.before.size() == 2 && is_asserted(r.before[0]) && is_asserted(r.before[1]) &&
        !share(r.before[0].events, r.before[1].events)) {
      a = r.before[0].events;
      b = r.before[1].events;
      return true;
    }
    // Two kinds in all: they are meant.
    std::map<std::string, Set> kinds;
    for (const int i : r.facts.foreground(kAnyAudio)) kinds[r.facts.at(i).label].insert(i);
    if (kinds.size() == 2 && !r.facts.has_speech() && r.facts.audios() == 1) {
      a = kinds.begin()->second;
      b = kinds.rbegin()->second;
      return true;
    }
  }
  return false;
}

// "They are disjoint", "there is daylight between them".
void check_apart(Reading& r, int cue) {
  if (r.find("not|never|no|n't|isn't|aren't|without|nor", r.segment_begin(cue), cue) >= 0) return;
  Set a, b;
  if (!pair_of(r, cue, a, b)) return;
  bool apart = false;
  for (const int i : a)
    for (const int k : b) apart = apart || (i != k && r.facts.overlap({i}, {k}) < 0.4);
  if (!apart) r.wrong("overlap", "they overlap");
}

void check_together(Reading& r, int cue) {
  const int from = r.segment_begin(cue);
  const bool denied =
      r.find("not|never|no|without|don't|doesn't|nor|neither|isn't|aren't|nothing|none|nobody|avoid|cannot|hardly", from,
             cue) >= 0 ||
      r.find("none|nothing|nobody|anywhere|nowhere|zero|absent", cue, std::min(r.size(), cue + 4)) >= 0;
  Set a, b;
  if (pair_of(r, cue, a, b)) {
    const double overlap = r.facts.overlap(a, b);
    if (!denied && overlap < -kSame) r.wrong("overlap", "they do not overlap");
    if (denied && overlap > 0.4) r.wrong("overlap", "they overlap");
    return;
  }
  if (!is_one(r.word(cue), kTogether) && !is_one(r.word(cue), "top|shared")) return;
  const bool named =
      std::any_of(r.mentions.begin(), r.mentions.end(), [](const Mention& m) { return !m.events.empty() && !m.human; });
  const int two = r.find("two", from, cue);
  const bool any_two = two >= 0 && is_one(r.word(two + 1), "items|sounds|events|noises|things|entries") && two + 2 >= cue - 1;
  if (!named && any_two && !denied && most_overlap(r) < -0.05) return r.wrong("overlap", "no two sounds overlap");
  if (named || r.find("they|two|both|it|he|she|who|these|those|former|latter|either|each", 0, r.size()) >= 0) return;
  const double most = most_overlap(r);
  if (denied && most > 0.45 && r.find("first|second|third|other|most|many|long|last|than|much", 0, r.size()) < 0)
    r.wrong("overlap", "some sounds overlap");
  if (!denied && most < -0.05 && r.find("if|no|not", 0, r.size()) < 0) r.wrong("overlap", "no two sounds overlap");
}

// "A while B", "A during B": the two have to touch.
void check_during(Reading& r, int cue) {
  const Mention *before = nullptr, *after = nullptr;
  for (const Mention& m : r.mentions) {
    if (m.end <= cue) before = &m;
    if (m.begin > cue && after == nullptr) after = &m;
  }
  // "While the train passes, somebody laughs."
  if (before == nullptr && after != nullptr && r.word(after->begin).segment == r.word(cue).segment) {
    before = after;
    after = nullptr;
    for (const Mention& m : r.mentions)
      if (m.begin > before->end && r.word(m.begin).segment != r.word(before->begin).segment && after == nullptr) after = &m;
  }
  if (before == nullptr || after == nullptr || !is_asserted(*before) || !is_asserted(*after) ||
      share(before->events, after->events))
    return;
  if (after->begin - cue > 5 && before->end <= cue) return;
  const int end = std::max(before->end, after->end);
  // "while" may also set two things against each other.
  if (r.word(cue).text == "while" &&
      (r.find(
           "first|second|third|last|longer|shorter|louder|quieter|only|short|long|brief|twice|once|times|loud|quiet|later|just|"
           "higher|lower|half|part|in|starts|begins|begin|start|comes|latter|other|ends|at|from",
           0, r.size()) >= 0 ||
       r.find("is|are|was|were", after->end, std::min(r.size(), end + 2)) >= 0))
    return;
  if (r.find("not|never|no|nobody|nothing|without|before|after|until|then|immediately", 0, r.size()) >= 0) return;
  if (r.facts.overlap(before->events, after->events) < -kSame)
    r.wrong("overlap", before->name + " and " + after->name + " do not overlap");
}

// "nobody interrupts", "they talk over each other": of people
void check_interruptions(Reading& r) {
  if (!r.facts.only_speech() || r.facts.speakers(kAnyAudio) < 2) return;
  int cue =
      r.find("interrupt|interrupts|interrupted|interrupting|interruption|interruptions|crosstalk|overlap|overlaps|overlapping",
             0, r.size());
  for (int i = 0; i + 2 < r.size() && cue < 0; ++i)
    if (r.word(i).text == "over" && is_one(r.word(i + 1), "each|one") && is_one(r.word(i + 2), "other|another")) cue = i;
  for (int i = 0; i + 1 < r.size() && cue < 0; ++i)
    if (is_one(r.word(i), "same") && is_one(r.word(i + 1), "time|moment") &&
        r.find("talk|talks|talked|speak|speaks|spoke|talking|speaking", 0, r.size()) >= 0)
      cue = i;
  for (int i = 0; i + 1 < r.size() && cue < 0; ++i)
    if (is_one(r.word(i), "cuts|cut|jumps|jump|jumping|cutting|breaks") && is_one(r.word(i + 1), "in|into")) cue = i;
  // "she cuts him off"
  for (int i = 0; i + 2 < r.size() && cue < 0; ++i)
    if (is_one(r.word(i), "cuts|cut|cutting") && r.find("off|short", i + 1, i + 5) >= 0) cue = i;
  if (cue < 0) cue = r.find("crosstalk|cross", 0, r.size());
  if (cue < 0 || r.word(cue).open || r.find("whether|if|except|minus|would|most|could|or", 0, r.size()) >= 0) return;
  constexpr const char* kNone = "no|not|never|nobody|without|none|neither|nor|hardly|doesn't|don't|didn't|noone|nothing|isn't";
  const bool denied = r.find(kNone, 0, cue) >= 0;
  if (!denied && r.find(kNone, cue, r.size()) >= 0) return;
  // "she does not interrupt the second question" is of one place only.
  if (denied && r.find("only|but|just|once|much|long|barely|little|besides|question|sentence|line|turn|between|first|second|"
                       "third|last|other|word|he|she",
                       0, r.size()) >= 0)
    return;
  double most = -1e9;
  for (const int i : r.facts.speech(kAnyAudio))
    for (const int k : r.facts.speech(kAnyAudio))
      if (i < k && r.facts.at(i).speaker != r.facts.at(k).speaker) most = std::max(most, r.facts.overlap({i}, {k}));
  if (denied && most > 0.2) r.wrong("overlap", "people talk at the same time");
  if (!denied && most < 0) r.wrong("overlap", "nobody talks while another does");
}

double measure(const Reading& r, const Set& events, bool loud) {
  return loud ? r.facts.loudest(events) : r.facts.longest(events);
}

void expect_more(Reading& r, const Set& a, const Set& b, const Word& word) {
  const bool loud = is_one(word, "louder|quieter|softer|fainter|weaker|stronger"),
             more = is_one(word, "longer|louder|stronger");
  // Levels of one kind of sound tell its loudness, those of two kinds less so.
  const bool one_kind = !a.empty() && !b.empty() && r.facts.at(*a.begin()).label == r.facts.at(*b.begin()).label;
  const double slack = loud ? (one_kind ? 1.5 : 3.0) : kSame;
  // One of several may be meant on either side.
  bool fits = false;
  for (const int i : a) {
    for (const int k : b) {
      const double difference = measure(r, {i}, loud) - measure(r, {k}, loud);
      fits = fits || (more ? difference >= -slack : difference <= slack);
    }
  }
  if (!fits) r.wrong("length", "it is not " + word.text);
}

// "the second bark is longer than the first": one kind, two of it.
bool same_kind(const Reading& r, const Mention& a, int than, Set& other) {
  const int at = r.find("first|second|third|last|one", than, std::min(r.size(), than + 4));
  if (at < 0 || r.word(at).ordinal == 0 || a.nth == 0) return false;
  std::vector<int> order(a.wide.begin(), a.wide.end());
  std::stable_sort(order.begin(), order.end(), [&](int x, int y) { return r.facts.key(x) < r.facts.key(y); });
  const int n = r.word(at).ordinal < 0 ? static_cast<int>(order.size()) - 1 : r.word(at).ordinal - 1;
  if (n < 0 || n >= static_cast<int>(order.size())) return false;
  other = {order[static_cast<std::size_t>(n)]};
  return true;
}

void check_more(Reading& r, int i) {
  const int than = r.find("than", i, i + 5);
  const Mention* a = nullptr;
  for (const Mention& m : r.mentions)
    if (m.end <= i && r.word(m.begin).segment == r.word(i).segment) a = &m;
  if (a == nullptr) {
    for (const Mention& m : r.mentions)
      if (m.end <= i && r.word(m.begin).clause == r.word(i).clause) a = &m;
  }
  if (a == nullptr || !is_asserted(*a) || (a->human && a->speaker == 0)) return;
  const Mention* b = than >= 0 ? r.mention_after(than, Within::kSentence) : nullptr;
  if (b != nullptr && b->begin - than > 3) b = nullptr;
  Set other;
  if (b != nullptr) other = b->events;
  if (b == nullptr && than >= 0 && !same_kind(r, *a, than, other)) return;
  if (than < 0 && r.asked.what == Asked::What::kLonger && r.asked.mentions.size() == 2 && r.mentions.size() == 1 &&
      is_one(r.word(i), "longer|shorter"))
    other = r.asked.mentions[share(r.asked.mentions[0].events, a->events) ? 1 : 0].events;
  // "The shot is the louder one": of two there is one other.
  if (than < 0 && other.empty() && i > 0 && r.word(i - 1).text == "the" && r.facts.audios() == 1 && r.mentions.size() == 1) {
    std::set<std::string> labels;
    for (const int k : r.facts.foreground(kAnyAudio)) {
      labels.insert(r.facts.at(k).label);
      if (!a->wide.contains(k)) other.insert(k);
    }
    if (labels.size() != 2 || r.find("of", i + 1, i + 3) >= 0) other.clear();
  }
  if (!other.empty() && !(b != nullptr && !is_asserted(*b)) && (!share(other, a->events) || a->nth != 0))
    expect_more(r, a->events, other, r.word(i));
}

void check_most(Reading& r, int i) {
  const Word& w = r.word(i);
  const Mention* a = nullptr;
  for (const Mention& m : r.mentions) {
    if (r.word(m.begin).clause != r.word(i).clause) continue;
    if (a != nullptr) return;
    a = &m;
  }
  // "the loudest, some decibels above the train"
  if (a != nullptr && a->begin > i && r.find(",|above|over|than|of", i, a->begin) >= 0) return;
  // "…, and is the shortest of all": of whom the sentence speaks
  if (a == nullptr && r.mentions.size() == 1 && r.mentions[0].end <= i) a = &r.mentions[0];
  if (a == nullptr || !is_asserted(*a) || a->human || a->nth != 0 || a->begin == i + 1 || a->begin == i + 2) return;
  if (r.find("second|two|three|among|than|its|part|where|moment", i - 3, i) >= 0 ||
      r.find("two|them|part|moment|point|stretch|gap|pause|file|file's|first|second|her|his|their", i, i + 6) >= 0)
    return;
  const bool loud = is_one(w, "loudest|quietest|softest|faintest"), most = is_one(w, "longest|loudest");
  const double slack = loud ? 3.0 : kSame, own = measure(r, a->events, loud);
  for (const int k : r.facts.foreground(r.audio)) {
    const double other = measure(r, {k}, loud);
    if (most ? other > own + slack : other < own - slack && !a->events.contains(k))
      return r.wrong("length", a->name + " is not the " + w.text + " sound");
  }
}

// In a clip of one kind of sound: "the second is louder than the first", "the third being the longest".
bool check_ordinals(Reading& r, int i) {
  const Word& w = r.word(i);
  const bool more = is_one(w, "longer|louder|stronger"), less = is_one(w, "shorter|quieter|softer|fainter|weaker|briefer");
  const bool most = is_one(w, "longest|loudest"), least = is_one(w, "shortest|quietest|softest|faintest|briefest");
  if (!more && !less && !most && !least) return false;
  const bool loud = is_one(w, "louder|stronger|quieter|softer|fainter|weaker|loudest|quietest|softest|faintest");
  std::vector<int> order;
  std::set<std::string> labels;
  for (const int k : r.facts.foreground(kAnyAudio)) {
    order.push_back(k);
    labels.insert(r.facts.at(k).label);
  }
  if (labels.size() != 1 || order.size() < 2 || r.facts.audios() > 1) return false;
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return r.facts.key(a) < r.facts.key(b); });
  const auto count = static_cast<int>(order.size());
  int who = 0, other = 0, named = 0;
  for (int k = r.segment_begin(i); k < r.size() && k < i + 8; ++k) {
    const int n = r.word(k).ordinal;
    if (n == 0 || n > count) continue;
    // "his first" is the first of his.
    if (k > 0 && is_one(r.word(k - 1), "his|her|their|its")) return true;
    if (k + 1 < r.size() && is_one(r.word(k + 1), "man|woman|speaker|person|voice|lady|guy|file|file's|part|audio"))
      return true;
    (k < i ? who : other) = n < 0 ? count : n;
    ++named;
  }
  const auto value = [&](int n) {
    const Happening& h = r.facts.at(order[static_cast<std::size_t>(n - 1)]);
    return loud ? h.level_db : h.to - h.from;
  };
  const double slack = loud ? 1.0 : 0.1;
  if (who == 0 || named > 2) return true;
  if ((more || less) && other > 0 && other != who) {
    const double difference = value(who) - value(other);
    if (more ? difference < -slack : difference > slack) r.wrong("length", "it is not " + w.text);
  } else if ((most || least) && named == 1 && r.find("two|second|half", i - 1, i + 4) < 0) {
    for (int n = 1; n <= count; ++n)
      if (most ? value(n) > value(who) + slack : value(n) < value(who) - slack)
        return r.wrong("length", "it is not the " + w.text), true;
  }
  return true;
}

}  // namespace

void check_overlaps(Reading& r) {
  if (r.sentence.question) return;
  check_interruptions(r);
  for (int i = 0; i < r.size(); ++i) {
    const Word& w = r.word(i);
    if (w.open) continue;
    const bool same_time = is_one(w, "same") && i + 1 < r.size() && is_one(r.word(i + 1), "time|moment");
    const bool at_once =
        is_one(w, "at") && i + 1 < r.size() && is_one(r.word(i + 1), "once") &&
        r.find("all|sounding|heard|sound|sounds|running|playing|go|going|speak|speaking|talk|talking", i - 4, i) >= 0;
    if (is_one(w, "disjoint|daylight")) return check_apart(r, i);
    // "on top of each other", "no shared moment"
    const bool piled = is_one(w, "top") && i + 2 < r.size() && is_one(r.word(i + 2), "each|one|another|anything");
    const bool shared = is_one(w, "shared|share|shares") && r.find("moment|time|instant", i + 1, i + 4) >= 0;
    if (piled || shared) return check_together(r, i);
    if (is_one(w, kTogether) || same_time || at_once) return check_together(r, i);
    if (is_one(w, "while|during|amid|whilst")) {
      if (r.find("clip|recording|audio|silence|pause|whole|course|rest|entire|that|this|which|it", i + 1, i + 4) >= 0) continue;
      return check_during(r, i);
    }
  }
}

void check_lengths(Reading& r) {
  if (r.sentence.question) return;
  for (int i = 0; i < r.size(); ++i) {
    const Word& w = r.word(i);
    const int from = r.segment_begin(i);
    if (w.open || r.find("not|isn't|doesn't|never|neither|no|nothing|none|as", from, i) >= 0) continue;
    if (check_ordinals(r, i)) continue;
    if (is_one(w, "longer|shorter|louder|quieter|softer|fainter|briefer|weaker|stronger")) check_more(r, i);
    if (is_one(w, "longest|shortest|loudest|quietest|softest|faintest|briefest")) check_most(r, i);
  }
}

}  // namespace areason::claims
