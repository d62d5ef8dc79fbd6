// How often, how many: "the dog barks twice", "three bells", "two people talk", "I count four". A number is judged when it is
// clear what it counts, and is wrong only when no usual way of counting gives it.
#include "cota/claim_counts.h"

#include <algorithm>
#include <cmath>

namespace areason::claims {
namespace {

constexpr const char* kThings =
    "sound|sounds|event|events|noise|noises|source|sources|occurrence|occurrences|instance|instances|item|items";
constexpr const char* kBursts =
    "bout|bouts|burst|bursts|stretch|stretches|round|rounds|hit|hits|stroke|strokes|strike|strikes|swell|swells|segment|"
    "segments|"
    "blast|blasts|blow|blows|call|calls|peal|peals|spell|spells|series|sequences|wave|waves|crash|crashes|ring|rings|cry|cries|"
    "episode|episodes|passage|passages|hits|shots|shot|knocks|bangs|chops|outburst|outbursts|drop|drops|stint|stints|salvo|"
    "salvos|goes|efforts|attempts|appearance|appearances|pulse|pulses";

std::pair<int, int> clause_around(const Reading& r, int i) {
  int from = i, to = i + 1;
  while (from > 0 && r.word(from - 1).clause == r.word(i).clause) --from;
  while (to < r.size() && r.word(to).clause == r.word(i).clause) ++to;
  return {from, to};
}

// "the baton passes three times": the segment has a subject of its own that no table knows.
bool own_subject(const Reading& r, int i) {
  const int from = r.segment_begin(i);
  for (int k = from; k + 2 < i; ++k) {
    if (!is_one(r.word(k), "the|a|an|his|her|their|my|our|your|each|every|this|that")) continue;
    const Word& noun = r.word(k + 1);
    const bool known =
        std::any_of(r.mentions.begin(), r.mentions.end(), [&](const Mention& m) { return m.begin >= k && m.begin <= k + 3; });
    if (!known && noun.stem.size() > 2 && noun.number < 0 && noun.ordinal == 0 &&
        !is_one(noun, "sound|noise|event|thing|clip|recording|audio|file|same|second|whole|former|latter|other"))
      return true;
  }
  return false;
}

// Which sounds "twice" at word i may count: of its segment, else of its clause; those of the sentence before for a pronoun.
std::vector<const Mention*> counted_by(const Reading& r, int i, int end) {
  std::vector<const Mention*> out;
  // "…, twice, the sound of a bell"
  if (i > 0 && r.word(i - 1).text == "," && end < r.size() && r.word(end).text == ",") {
    if (const Mention* m = r.mention_after(end, Within::kSentence)) out.push_back(m);
    return out;
  }
  for (const Mention& m : r.mentions)
    if (r.word(m.begin).segment == r.word(i).segment && m.end <= i) out.push_back(&m);
  // "twice traffic", "three times a bell"
  for (const Mention& m : r.mentions)
    if (m.begin >= end && m.begin <= end + 2 && r.word(m.begin).segment == r.word(i).segment) out.push_back(&m);
  if (!out.empty() || own_subject(r, i)) return out;
  const auto [from, to] = clause_around(r, i);
  for (const Mention& m : r.mentions)
    if (m.begin >= from && m.end <= i) out.push_back(&m);
  if (out.empty() && r.find("it|this|that|he|she|they|which|who|one", from, i) >= 0) {
    for (const Mention& m : r.mentions)
      if (m.end <= i) out.push_back(&m);
    for (const Mention& m : r.before)
      if (out.empty() || m.begin >= 0) out.push_back(&m);
  }
  return out;
}

bool speaking_verb(const Reading& r, int i) {
  return r.find("speak|speaks|spoke|talk|talks|turn|turns|word|floor|heard|takes|speaking|contributes|voice|appears",
                std::max(0, i - 5), std::min(r.size(), i + 6)) >= 0;
}

void count_times(Reading& r, double n, int from, int to) {
  if (r.find("as|longer|faster|louder|shorter|than|more|quicker|slower", to, to + 2) >= 0 ||
      r.find("at|all|several|many", from - 1, from) >= 0 || r.find("length|duration|size|level|loudness", to, to + 5) >= 0)
    return;
  if (r.find("not|never|doesn't|isn't|than|stops|stopped|pauses|paused|changes|interrupted|interrupts|interrupt|stop|pause|"
             "checked|counted|listened|replayed|said|word|overlap|overlaps|third|second",
             from - 4, from) >= 0)
    return;
  const std::vector<const Mention*> candidates = counted_by(r, from, to);
  if (candidates.empty()) {
    if (r.mentions.empty() && r.size() <= 8 && !r.has("each|other|others|rest|one")) expect_asked(r, n, from);
    return;
  }
  const Mention* wrong = nullptr;
  for (const Mention* m : candidates) {
    if (m->quote || m->denied || m->neutral || m->nth != 0) return;
    // "A asks twice": whose turns these are only the talk tells.
    if (m->speaker == 0 && r.facts.speakers(kAnyAudio) > 1 && m->events == r.facts.speech(r.audio)) return;
    if (m->human || m->speaker > 0) {
      const Set turns = m->speaker > 0 ? m->events : r.facts.speakers(r.audio) == 1 ? r.facts.speech(r.audio) : Set{};
      if (turns.empty() || !speaking_verb(r, from) || fits_count(r, n, *m, {from, to}) ||
          n == static_cast<double>(turns.size()))
        return;
      wrong = m;
      continue;
    }
    if (m->events.empty() || fits_count(r, n, *m, {from, to})) return;
    wrong = m;
  }
  if (wrong != nullptr)
    r.wrong("count", wrong->name + " is heard " + std::to_string(wrong->events.size()) + " times, not " + times(n));
}

// "1 dog bark, 2 dog bark": an enumeration, not a count.
bool enumerates(const Reading& r, int i, const Mention& m) {
  const bool digit = std::isdigit(static_cast<unsigned char>(r.word(i).text[0])) != 0;
  if (!digit) return false;
  if (i == 0 || is_one(r.word(i - 1), ",|:|(|)")) {
    bool label = false;  // "coins" is a name here, not a plural
    for (const Happening& h : r.facts.all()) label = label || h.label == m.name;
    if (!m.plural || label) return true;
    for (int k = i + 1; k < r.size(); ++k)
      if (std::isdigit(static_cast<unsigned char>(r.word(k).text[0])) != 0) return true;
  }
  return !m.plural && r.word(i).number >= 2;
}

void count_things(Reading& r, int i, int thing) {
  const double n = r.word(i).number;
  const bool of = thing + 1 < r.size() && is_one(r.word(thing + 1), "of|from");
  if (of) {
    const Mention* m = r.mention_after(thing + 1, Within::kClause);
    if (m != nullptr && m->begin <= thing + 4 && r.find("overlapping|simultaneous", thing, m->begin) < 0 && !m->human)
      expect_count(r, n, *m, {i, m->end});
    return;
  }
  // "taken in three bouts"
  if (is_one(r.word(thing), kBursts) && n > 1 && i > 0 && r.word(i - 1).text == "in") {
    const Mention* m = r.mention_before(i, Within::kClause);
    if (m != nullptr && r.mentions.size() == 1 && i - m->end <= 6 && !m->human && !r.facts.only_speech())
      expect_count(r, n, *m, {i, thing + 1});
    return;
  }
  if (is_one(r.word(thing), kBursts) && !r.facts.only_speech() && r.mentions.empty() && n > 1) {
    std::set<std::string> labels;
    for (const int e : r.facts.foreground(r.audio)) labels.insert(r.facts.at(e).label);
    const bool part = r.find(kPart, r.segment_begin(i), r.segment_end(i)) >= 0 || r.find("the|these|those|of", i - 2, i) >= 0;
    if (labels.size() == 1 && !part) expect_total(r, n);
    return;
  }
  // "bird song, with two occurrences"
  if (is_one(r.word(thing), "occurrences|instances|occurrence") && i > 0 && r.word(i - 1).text == "with" &&
      r.mentions.size() == 1 && r.mentions[0].end <= i && !r.mentions[0].human)
    return expect_count(r, n, r.mentions[0], {i, thing + 1});
  if (!is_one(r.word(thing), kThings)) return;
  // More than there are in all is wrong whatever part is meant.
  if (n > static_cast<double>(r.facts.all().size()) + 1 && r.facts.all().size() > 0 && !r.word(i).open &&
      !r.facts.only_speech())
    return r.wrong("count", "there are not " + times(n) + " sounds");
  // "three sounds before the bell", "two sounds besides the speech", "the two sounds": of a part only.
  if (r.find("before|after|besides|apart|other|between|except|aside|following|remaining|until|whose|with|here|these|them|same|"
             "the|those|both|"
             "longer|shorter|louder|named|question|any|of|all|overlap|overlapping|none|pair|distinct|kind|kinds|type|types|"
             "last|first|then|next|asked",
             0, thing) >= 0 &&
      r.find("all|total|altogether", 0, r.size()) < 0 && r.find("distinct|different|kind|kinds|type|types", i, thing + 1) < 0)
    return;
  if (r.find("before|after|besides|between|except|until|whose|that|which|overlapping|longer|shorter|from|earlier|later|share|"
             "follow|precede",
             thing, r.size()) >= 0)
    return;
  if (n == 1 && r.find("only|single|sole|just", i - 2, thing) < 0) return;
  expect_total(r, n);
}

// "a talk between three people"
bool of_people(const Reading& r, int i) {
  return r.word(i - 1).text == "between" && i + 1 < r.size() && is_one(r.word(i + 1), kPeople);
}

bool is_count(const Reading& r, int i) {
  const Word& w = r.word(i);
  if (w.open || w.number < 0 || w.number != std::floor(w.number) || w.number > 200 || is_one(w, "half")) return false;
  if (r.find("not|aren't|isn't|wasn't|weren't|don't|doesn't|didn't|cannot|can't|hardly|they|these|those|neither",
             std::max(r.segment_begin(i), i - 4), i) >= 0)
    return false;
  if (i > 0 && !of_people(r, i) &&
      is_one(r.word(i - 1),
             "at|audio|clip|part|speaker|option|person|number|channel|track|voice|file|recording|to|from|bar|first|last|next|"
             "between|no|this|another|which|each|every|that|other|not|-|half|than|turn|line|/|until|around|about|mark"))
    return (r.word(i - 1).text == "to" && i > 1 && is_one(r.word(i - 2), "comes|amounts|adds|come|sums|up") &&
            (i + 1 == r.size() || r.word(i + 1).stem.empty())) ||
           (r.find("about|around", i - 1, i) >= 0 && i + 1 < r.size() && r.word(i + 1).text.ends_with('s') &&
            !is_one(r.word(i + 1), kUnits));
  if (i > 0 && r.word(i - 1).ordinal != 0) return false;
  if (i + 1 < r.size() && is_one(r.word(i + 1), kUnits)) return false;
  if (i + 2 < r.size() && (is_one(r.word(i + 2), "per") || (r.word(i + 1).text == "-" && is_one(r.word(i + 2), kUnits))))
    return false;
  return true;
}

// The word that the number counts, past adjectives; -1 where none belongs to it.
int counted_noun(const Reading& r, int i) {
  for (int k = i + 1; k < std::min(r.size(), i + 5); ++k) {
    const Word& w = r.word(k);
    for (const Mention& m : r.mentions)
      if (k == m.begin && !m.quote) {
        // "three fellows chatting" counts the fellows
        if (k > i + 1 && w.text.ends_with("ing") && r.word(k - 1).text.ends_with('s')) return -1;
        return k;
      }
    if (is_one(w, kThings) || is_one(w, kTurns) || is_one(w, kPeople) ||
        is_one(w, "time|times|occasions|occasion|digits|digit|figures"))
      return k;
    if (is_one(w, kBursts)) return k;
    if (is_one(w, "single|lone|sole|solitary") || (k == i + 1 && w.text == "of" && is_one(r.word(i), "pair|couple"))) continue;
    if (w.stem.empty() || is_one(w, "more|other|another|additional|further|extra|else|of") || is_verb(w) || w.number >= 0 ||
        w.ordinal != 0)
      return -1;
    if (is_one(w, "in|at|on|and|or|is|the|a|an|that|this|after|before|for|with|from|by|then|as|it|there|which|who")) return -1;
  }
  return -1;
}

void check_digit_count(Reading& r, int i) {
  static const std::set<std::string> kDigits = {"zero", "one",   "two",   "three", "four", "five",
                                                "six",  "seven", "eight", "nine",  "oh"};
  double count = 0;
  std::string word;
  for (const char c : r.facts.spoken()) {
    if (c != ' ') {
      word += c;
      continue;
    }
    count += kDigits.contains(word) ? 1 : 0;
    word.clear();
  }
  if (count > 0 && count != r.word(i).number && r.find("first|last|final|of|other|same|identical|middle", i - 3, i + 3) < 0)
    r.wrong("count", times(count) + " digits are said");
}

void check_number(Reading& r, int i) {
  const double n = r.word(i).number;
  const int noun = counted_noun(r, i);
  if (noun < 0) return;
  const Word& w = r.word(noun);
  if (is_one(w, "time|times|occasions|occasion")) return count_times(r, n, i, noun + 1);
  if (is_one(w, "digits|digit|figures")) return check_digit_count(r, i);
  for (const Mention& m : r.mentions) {
    if (noun != m.begin || m.human || m.speaker > 0) continue;
    if (SoundWords::speech(r.facts.words().read({w.stem}, 0).concepts) && (m.plural || is_one(w, kTurns))) break;
    const bool alone = n != 1 || w.text.empty() || r.find("only|just|exactly|single|sole|lone", i - 2, noun) >= 0 ||
                       is_one(r.word(i), "single|sole|lone|solitary");
    if (!enumerates(r, i, m) && alone) expect_count(r, n, m, {i, m.end});
    return;
  }
  if (is_one(w, kPeople)) return count_people(r, i, noun);
  if (is_one(w, kTurns)) return count_turns(r, i);
  count_things(r, i, noun);
}

// "the number of barks is three", "I count three", "that makes 4", "five in total", "traffic x 2"
void check_sum(Reading& r, int i) {
  const double n = r.word(i).number;
  if (i + 1 < r.size() && r.find("kind|kinds|type|types|sort|sorts|species|classes|sources|different|more", i + 1, i + 3) >= 0)
    return;
  if (i >= 1 && i + 1 < r.size() && r.word(i + 1).text == "x") {
    for (const Mention& each : r.mentions)
      if (each.end == i && !each.human) return expect_count(r, n, each, {i, i + 1});
  }
  if (i >= 2 && is_one(r.word(i - 1), ":|x") && (i + 1 == r.size() || is_one(r.word(i + 1), ",|)"))) {
    const Mention* m = nullptr;
    bool several = false;  // "buzz, drip: two"
    for (const Mention& each : r.mentions) {
      several =
          several || (m != nullptr && each.end <= i - 1 && each.events != m->events &&
                      r.word(each.begin).segment - r.word(m->begin).segment <= 1 && r.find(":|x", m->end, each.begin) < 0);
      if (each.end <= i - 1) m = &each;
    }
    if (several) return;
    if (m != nullptr && !m->human && i - 1 - m->end <= 1) return expect_count(r, n, *m, {i, i + 1});
  }
  if (r.word(i).text == "one") {
    if (r.has("more|another|each|the|this|that|than|which") && !(r.size() <= 3 && r.answer)) return;
  }
  if (is_one(r.word(std::max(0, i - 1)), "it") && r.find("makes|make|making", i - 3, i) >= 0) return;
  const int name = r.find("number|count|total|tally|sum", i - 9, i);
  const bool sums = r.find("count|counted|makes|make|altogether|total|reach|get|gives|comes|amounts", i - 4, i) >= 0 &&
                    (i + 1 == r.size() || r.word(i + 1).stem.empty() || is_one(r.word(i + 1), "in|altogether|overall|and|so"));
  const bool closing = r.find("total|altogether|all", i + 1, i + 4) >= 0 && r.find("at|them", i + 1, i + 3) < 0;
  if (name >= 0 && r.find("i|we|and|by|when|if", name - 1, name) < 0 &&
      r.find("is|was|:|of|comes|reaches|at|equals|stands|to|remains", name, i) >= 0) {
    const Mention* m = nullptr;
    for (const Mention& each : r.mentions)
      if (each.begin > name && each.end <= i) m = &each;
    if (m != nullptr && !m->human) return expect_count(r, n, *m, {i, i + 1});
    // "the number of speakers is thus three"
    if (m != nullptr && m->begin <= name + 3 && is_one(r.word(m->begin), "speaker|speakers|people|persons|voices|individuals"))
      return expect_speakers(r, n);
    if (r.mentions.size() <= 1) return expect_asked(r, n, i);
    // "add the hiss and the explosion, and the total comes to three"
    if (name > 0 && is_one(r.word(name), "total|tally|sum") && is_one(r.word(name - 1), "the") &&
        (r.facts.audios() == 1 || r.audio == kAnyAudio) && !r.has("part|half|first|second|his|her|of"))
      expect_total(r, n);
    return;
  }
  if (!sums && !closing && !(r.answer && r.size() <= 3 && r.mentions.empty())) return;
  std::set<Set> kinds;
  for (const Mention& m : r.mentions) kinds.insert(m.events);
  if (r.mentions.empty())
    expect_asked(r, n, i);
  else if (kinds.size() == 1 && !r.mentions[0].human && r.mentions[0].end <= i)
    expect_count(r, n, r.mentions[0], {i, i + 1});
}

// "five events, two of them sawing", "four of which are screams"
void check_of_them(Reading& r, int i) {
  const double n = r.word(i).number;
  int k = i + 1;
  if (k + 2 >= r.size() || r.word(k).text != "of" || !is_one(r.word(k + 1), "them|which|these|those|whom")) return;
  for (k += 2; k < r.size() && is_one(r.word(k), "is|are|were|was|being|a|all|the"); ++k) continue;
  for (const Mention& m : r.mentions)
    if (m.begin == k && !m.human && m.nth == 0 && is_asserted(m) && !share(m.events, r.facts.speech(kAnyAudio)) &&
        (m.end >= r.size() || r.word(m.end).stem.empty()) &&
        !(n == static_cast<double>(m.events.size()) || n == static_cast<double>(m.wide.size())) && !m.events.empty() &&
        r.facts.audios() == (r.audio == kAnyAudio ? r.facts.audios() : 1))
      return r.wrong("count", m.name + " is heard " + std::to_string(m.events.size()) + " times, not " + times(n));
}

// "the siren is heard again at the end", where it is heard once
void check_again(Reading& r) {
  for (const Mention& m : r.mentions) {
    if (!is_asserted(m) || m.human || m.wide.size() != 1 || m.nth != 0 || r.facts.at(*m.wide.begin()).to > 29) continue;
    const int from = r.segment_begin(m.begin), to = r.segment_end(m.begin);
    const int again = r.find("again", m.end, std::min(to, m.end + 4));
    const bool heard = again > 0 && is_one(r.word(again - 1), "heard|audible|back|sounds|appears|comes");
    const bool returns = m.end < to && is_one(r.word(m.end), "returns|reappears");
    if ((heard || returns) &&
        r.find("not|never|no|nobody|nothing|doesn't|isn't|if|would|before|until|silence|quiet", from, to) < 0)
      r.wrong("count", m.name + " is heard once");
  }
}

// "the third of the six sounds"
void check_rank_total(Reading& r, int i) {
  if (i >= 3 && i + 1 < r.size() && r.word(i - 1).text == "the" && r.word(i - 2).text == "of" && r.word(i - 3).ordinal != 0 &&
      is_one(r.word(i + 1), "sounds|events|noises") && (i + 2 >= r.size() || is_one(r.word(i + 2), "is|,|in|here|are")) &&
      r.facts.audios() == 1)
    expect_total(r, r.word(i).number);
}

// "the third howl" where there are two
void check_beyond(Reading& r) {
  for (const Mention& m : r.mentions)
    if (m.beyond && !m.neutral && !m.denied) r.wrong("count", "there is no such " + m.name);
}

}  // namespace

void check_counts(Reading& r) {
  if (r.sentence.question) return;
  for (int i = 0; i < r.size(); ++i) {
    const Word& w = r.word(i);
    const double adverb = is_one(w, "once") ? 1 : is_one(w, "twice") ? 2 : is_one(w, "thrice") ? 3 : 0;
    const bool conjunction = adverb == 1 && i + 1 < r.size() &&
                             !is_one(r.word(i + 1), ",|and|in|only|before|after|during|near|for|then|but|with|right|early|)");
    if (adverb > 0 && !w.open && !conjunction) count_times(r, adverb, i, i + 1);
    if (!is_count(r, i)) continue;
    check_of_them(r, i);
    check_rank_total(r, i);
    counted_noun(r, i) >= 0 ? check_number(r, i) : check_sum(r, i);
  }
  check_company(r);
  check_again(r);
  check_beyond(r);
}

}  // namespace areason::claims
