// How often, how many: "the dog barks twice", "three bells", "two people talk", "I count four".
#include <algorithm>
#include <cmath>

#include "cota/claim_rules.h"

namespace areason::claims {
namespace {

constexpr const char* kUnits =
    "s|sec|secs|second|seconds|ms|minute|minutes|percent|hz|khz|db|bpm|%|o'clock|to|until|half|quarter|quarters";
constexpr const char* kThings =
    "sound|sounds|event|events|noise|noises|source|sources|occurrence|occurrences|instance|instances";
constexpr const char* kTurns = "turn|turns|utterance|utterances|line|lines|sentence|sentences|remarks|statements|phrases";
constexpr const char* kRelative = "more|other|another|additional|further|extra|else|of";

bool one_of(double n, std::initializer_list<std::size_t> counts) {
  return std::any_of(counts.begin(), counts.end(), [&](std::size_t c) { return n == static_cast<double>(c); });
}
std::string times(double n) { return std::to_string(static_cast<int>(n)); }

// "two barks before the siren, and one after it" count parts of a whole. May n be such a part?
bool partial(const Reading& r, double n, const Mention& m) {
  if (r.find("another|more|again|rest|remaining|additional|further|others|respectively|former|latter", 0, r.size()) >= 0)
    return true;
  for (int i = 0; i + 1 < r.size(); ++i) {
    if (r.word(i).ordinal != 0 && is_one(r.word(i + 1), "one")) return true;
    if (is_one(r.word(i), "starts|begins|opens|ends|closes|continues|start|begin") && is_one(r.word(i + 1), "with"))
      return true;
  }
  const int where = r.find("before|after|during|between|while|until|within|inside|following|once|in", 0, r.size());
  if (where < 0) return false;
  bool reference = false;
  for (const Mention& other : r.mentions) {
    if (other.events == m.events || other.events.empty()) continue;
    reference = true;
    double before = 0, after = 0, during = 0;
    for (const int i : m.events) {
      const auto all = [&](const auto& holds) { return std::all_of(other.events.begin(), other.events.end(), holds); };
      before += all([&](int k) { return r.facts.key(i) < r.facts.key(k) + kSame; }) ? 1 : 0;
      after += all([&](int k) { return r.facts.key(i) > r.facts.key(k) - kSame; }) ? 1 : 0;
      during += r.facts.overlap({i}, other.events) > -kSame ? 1 : 0;
    }
    const double between = static_cast<double>(m.events.size()) - before - after;
    if (n == before || n == after || n == during || n == between) return true;
  }
  return !reference && !is_one(r.word(where), "in|once");
}

void expect_count(Reading& r, double n, const Mention& m) {
  if (m.quote || m.denied || m.neutral) return;
  if (m.human && m.speaker == 0) return;
  if (m.events.empty()) {
    if (n > 0 && m.certain) r.wrong("count", "there is no " + m.name);
    return;
  }
  // Some words mean more in one ear than in another: both numbers will do.
  if (one_of(n, {m.events.size(), m.wide.size()})) return;
  if (n < static_cast<double>(m.events.size()) && partial(r, n, m)) return;
  r.wrong("count", m.name + " is heard " + std::to_string(m.events.size()) + " times, not " + times(n));
}

void expect_speakers(Reading& r, double n) {
  const int speakers = r.facts.speakers(r.audio);
  if (speakers > 0 && n != speakers) r.wrong("speakers", std::to_string(speakers) + " people speak, not " + times(n));
  if (speakers == 0 && n > 0 && r.has("speak|speaks|talk|talks|speaker|speakers|talking|speaking|conversation")) {
    bool human = false;
    for (const Happening& h : r.facts.all()) human = human || SoundWords::voice(h.concepts);
    if (!human) r.wrong("speakers", "nobody speaks");
  }
}

// "three sounds": of the whole clip, by any usual way of counting.
void expect_total(Reading& r, double n, int from, int to) {
  const Set front = r.facts.foreground(r.audio), talk = r.facts.speech(r.audio);
  std::set<std::string> kinds, front_kinds;
  std::size_t all = 0, quiet = 0;
  std::set<std::string> quiet_kinds;
  for (const Happening& h : r.facts.all()) {
    if (r.audio != kAnyAudio && h.audio != r.audio) continue;
    ++all;
    kinds.insert(h.label);
    if (!h.background) front_kinds.insert(h.label);
    if (h.speaker == 0 && !h.background) {
      ++quiet;
      quiet_kinds.insert(h.label);
    }
  }
  const std::size_t speaker_kinds = front_kinds.size() + static_cast<std::size_t>(std::max(0, r.facts.speakers(r.audio) - 1));
  const bool events = r.find("event|events|occurrence|occurrences|instance|instances|separate|individual|total|altogether|all",
                             from, std::min(r.size(), to + 4)) >= 0;
  const bool kind = r.find("kind|kinds|type|types|different|distinct|unique|source|sources|sorts", from, to) >= 0;
  bool fits = false;
  if (kind || !events) fits = one_of(n, {kinds.size(), front_kinds.size(), quiet_kinds.size(), speaker_kinds});
  if (!kind || events || r.find("distinct|different", from, to) >= 0)
    fits = fits || one_of(n, {front.size(), all, quiet, front.size() - talk.size() + (talk.empty() ? 0 : 1)});
  if (!fits) r.wrong("count", "there are " + std::to_string(front.size()) + " sounds, not " + times(n));
}

// The number after "I count", "that makes": of what is asked for.
void expect_asked(Reading& r, double n) {
  const Asked& asked = r.asked;
  if (asked.what != Asked::What::kCount) return;
  if (r.find("audio|clip|part", 0, r.size()) < 0) r.audio = kAnyAudio;
  if (asked.speakers) return expect_speakers(r, n);
  if (asked.mentions.size() > 1) return;
  if (asked.mentions.size() == 1) {
    Mention m = asked.mentions[0];
    if (m.human) return;
    if (r.audio != kAnyAudio) std::erase_if(m.events, [&](int i) { return r.facts.at(i).audio != r.audio; });
    m.wide = m.events;
    m.certain = false;
    return expect_count(r, n, m);
  }
  expect_total(r, n, 0, 0);
}

// Which mention "twice" at word i belongs to: what comes before it in its clause, but not what it is set in time by.
const Mention* counted_by(const Reading& r, int i) {
  const Mention* out = nullptr;
  // "…, twice, the sound of a bell"
  if (i > 0 && r.word(i - 1).text == "," && i + 1 < r.size() && r.word(i + 1).text == ",")
    return r.mention_after(i + 1, Within::kSentence);
  for (const Mention& m : r.mentions) {
    if (m.end > i || r.word(m.begin).clause != r.word(i).clause || (m.events.empty() && !m.certain)) continue;
    if (r.find("before|after|during|while|until|between", m.begin - 2, m.begin) < 0 || m.begin <= 3) out = &m;
  }
  if (out != nullptr) return out;
  for (const Mention& m : r.mentions)
    if (m.begin > i && r.word(m.begin).clause == r.word(i).clause) return &m;
  int from = i;
  while (from > 0 && r.word(from - 1).clause == r.word(i).clause) --from;
  const bool pronoun = r.find("it|this|that|he|she|they|which|who", from, i) >= 0;
  bool verb = false;
  for (int k = from; k < i; ++k) verb = verb || is_verb(r.word(k));
  if (verb && !pronoun) return nullptr;
  if (const Mention* m = r.mention_before(i, Within::kSentence)) return m->human ? nullptr : m;
  return pronoun && !r.before.empty() ? &r.before.back() : nullptr;
}

void count_times(Reading& r, double n, int from, int to) {
  if (r.find("as|longer|faster|louder|shorter|than|more", to, to + 2) >= 0 || r.find("at|all", from - 1, from) >= 0) return;
  if (r.find("not|never|doesn't|isn't|than|stops|stopped|pauses|paused|changes|interrupted|stop|pause", from - 3, from) >= 0)
    return;
  const Mention* m = counted_by(r, from);
  if (m == nullptr) return expect_asked(r, n);
  const bool speech = m->speaker == 0 && !m->quote && m->events == r.facts.speech(r.audio) && !m->events.empty();
  if ((!m->human && !speech) || m->speaker > 0) return expect_count(r, n, *m);
  if (r.facts.speakers(r.audio) == 1 && static_cast<double>(r.facts.speech(r.audio).size()) != n)
    r.wrong("count", "the voice is heard " + std::to_string(r.facts.speech(r.audio).size()) + " times, not " + times(n));
}

// "1 dog bark, 2 dog bark": an enumeration, not a count.
bool enumerates(const Reading& r, int i, const Mention& m) {
  const bool digit = std::isdigit(static_cast<unsigned char>(r.word(i).text[0])) != 0;
  bool label = false;  // "coins" is a name here, not a plural
  for (const Happening& h : r.facts.all()) label = label || h.label == m.name;
  if (!digit || (m.plural && !label)) return false;
  if (r.word(i).number >= 2) return true;
  for (int k = i + 1; k < r.size(); ++k)
    if (r.word(k).text == "2") return true;
  return false;
}

void count_things(Reading& r, int i, int thing) {
  if (r.word(thing).text == "sources" || r.word(thing).text == "source") {
    if (r.find("of", thing, thing + 2) >= 0) return;
  }
  const bool of = thing + 1 < r.size() && r.word(thing + 1).text == "of";
  if (of) {
    const Mention* m = r.mention_after(thing + 1, Within::kClause);
    if (m != nullptr && m->begin <= thing + 5) return expect_count(r, r.word(i).number, *m);
    return;
  }
  // "three sounds before the bell", "two sounds besides the speech": of a part only.
  if (r.find("before|after|besides|apart|other|between|except|aside|following|remaining|until|whose|with|here|these|them|same|"
             "longer|shorter|louder",
             0, r.size()) >= 0)
    return;
  if (r.word(i).number == 1 && !r.word(thing).text.ends_with('s') && r.find("only|single|sole|just", i - 2, thing) < 0) return;
  expect_total(r, r.word(i).number, i, thing + 1);
}

// "stretches of sawing", "strokes of the bell"
bool counts_of(const Reading& r, int k) {
  if (k + 2 >= r.size() || r.word(k + 1).text != "of" ||
      is_one(r.word(k), "parts|part|half|pieces|members|kinds|types|sides|ends|kind|type"))
    return false;
  return std::any_of(r.mentions.begin(), r.mentions.end(), [&](const Mention& m) {
    return !m.quote && (m.begin == k + 2 || (m.begin == k + 3 && is_one(r.word(k + 2), "the|a|an")));
  });
}

// The word after the adjectives that follow a number; -1 where none belongs to it.
int counted_noun(const Reading& r, int i) {
  for (int k = i + 1; k < std::min(r.size(), i + 5); ++k) {
    const Word& w = r.word(k);
    for (const Mention& m : r.mentions)
      if (k == m.begin && !m.quote) return k;
    if (is_one(w, kThings) || is_one(w, kTurns) || is_one(w, "time|times|occasions|occasion")) return k;
    if (counts_of(r, k)) return k;
    if (w.stem.empty() || is_one(w, kRelative) || is_verb(w) || w.number >= 0 || w.ordinal != 0) return -1;
    if (is_one(w, "in|at|on|and|or|is|the|a|an|that|this|after|before|for|with|from|by|then|as|it|there|which|who")) return -1;
  }
  return -1;
}

bool is_count(const Reading& r, int i) {
  const Word& w = r.word(i);
  if (w.number < 0 || w.number != std::floor(w.number) || w.number > 200) return false;
  if (i > 0 && is_one(r.word(i - 1),
                      "at|audio|clip|part|speaker|option|person|number|channel|track|voice|file|recording|to|from|"
                      "between|no|this|another|which|each|every|that|last|other|not|-|half|than"))
    return false;
  if (i > 0 && r.word(i - 1).ordinal != 0) return false;
  if (i + 1 < r.size() && is_one(r.word(i + 1), kUnits)) return false;
  if (i + 2 < r.size() && is_one(r.word(i + 2), "per")) return false;
  return true;
}

void check_number(Reading& r, int i) {
  const double n = r.word(i).number;
  const int noun = counted_noun(r, i);
  if (noun < 0) return;
  if (is_one(r.word(noun), "time|times|occasions|occasion")) return count_times(r, n, i, noun + 1);
  if (is_one(r.word(noun), kThings) || counts_of(r, noun)) return count_things(r, i, noun);
  if (is_one(r.word(noun), kTurns)) {
    const Set talk = r.facts.speech(r.audio);
    if (!talk.empty() && n > 1 && r.find("each|speaker|of", 0, r.size()) < 0 && static_cast<double>(talk.size()) != n)
      r.wrong("count", "there are " + std::to_string(talk.size()) + " turns, not " + times(n));
    return;
  }
  for (const Mention& m : r.mentions) {
    if (noun != m.begin) continue;
    if (m.speaker > 0) continue;
    if (m.human || (SoundWords::speech(r.facts.words().read({r.word(noun).stem}, 0).sure) && m.plural)) {
      // "two men and a woman" are three; only the whole is known.
      const bool parts = r.find("man|men|woman|women|male|female|boy|girl|lady|gentleman", noun, r.size()) >= 0;
      if (!parts) expect_speakers(r, n);
    } else if (!enumerates(r, i, m) &&
               (n != 1 || r.word(i).text != "one" || r.find("only|just|exactly", i - 2, i) >= 0 || r.mentions.size() == 1)) {
      expect_count(r, n, m);
    }
    return;
  }
}

// "the number of barks is three", "I count three", "that makes 4", "five in total"
void check_sums(Reading& r) {
  for (int i = 0; i < r.size(); ++i) {
    if (!is_count(r, i) || counted_noun(r, i) >= 0) continue;
    const double n = r.word(i).number;
    // "Barks: 3"
    if (i >= 2 && r.word(i - 1).text == ":" && r.word(i).number >= 1 && (i + 1 == r.size() || r.word(i + 1).text == ",")) {
      const Mention* m = r.mention_before(i - 1, Within::kSentence);
      if (m != nullptr && !m->human && i - 1 - m->end <= 1) expect_count(r, n, *m);
      continue;
    }
    if (r.word(i).text == "one" && (r.has("more|another|each") || (i > 0 && is_one(r.word(i - 1), "the|only|just")))) continue;
    const int name = r.find("number|count|total|tally|sum", i - 9, i);
    if (name >= 0 && r.find("i|we|to|and|by|when|if", name - 1, name) < 0 &&
        r.find("is|was|:|of|comes|reaches|at|equals|stands|to", name, i) >= 0) {
      const Mention* m = r.mention_after(name, Within::kSentence);
      if (m != nullptr && m->begin < i && !m->human)
        expect_count(r, n, *m);
      else if (m != nullptr && m->begin < i)
        expect_speakers(r, n);
      else
        expect_asked(r, n);
    } else if ((r.find("count|counted|makes|make|up|altogether|total", i - 3, i) >= 0 &&
                (i + 1 == r.size() || r.word(i + 1).stem.empty() || is_one(r.word(i + 1), "in|altogether|overall"))) ||
               r.find("total|altogether|all", i + 1, i + 4) >= 0 || (r.answer && r.size() <= 3 && r.mentions.empty())) {
      const Mention* m = r.mention_before(i, Within::kSentence);
      if (r.asked.what == Asked::What::kCount)
        expect_asked(r, n);
      else if (m != nullptr && !m->human && r.mentions.front().events == r.mentions.back().events)
        expect_count(r, n, *m);
    }
  }
}

void check_company(Reading& r) {
  const int speakers = r.facts.speakers(r.audio);
  if (speakers == 0) return;
  for (int i = 0; i < r.size(); ++i) {
    if (is_one(r.word(i), "dialogue|dialog|conversation") && speakers == 1 && r.find("no|not|one|of", i - 3, i) < 0)
      r.wrong("speakers", "only one person speaks");
    if (is_one(r.word(i), "monologue") && speakers > 1 && r.find("no|not", i - 3, i) < 0)
      r.wrong("speakers", std::to_string(speakers) + " people speak");
    if (is_one(r.word(i), "both") && i + 1 < r.size() && is_one(r.word(i + 1), "speakers|voices|people") && speakers != 2)
      r.wrong("speakers", std::to_string(speakers) + " people speak");
  }
}

}  // namespace

void check_counts(Reading& r) {
  for (int i = 0; i < r.size(); ++i) {
    const Word& w = r.word(i);
    const double adverb = is_one(w, "once") ? 1 : is_one(w, "twice") ? 2 : is_one(w, "thrice") ? 3 : 0;
    const bool conjunction =
        adverb == 1 && i + 1 < r.size() &&
        !is_one(r.word(i + 1), ",|and|in|at|only|before|after|during|near|around|for|then|but|with|right|early");
    if (adverb > 0 && !conjunction) count_times(r, adverb, i, i + 1);
    if (is_count(r, i)) check_number(r, i);
  }
  check_sums(r);
  check_company(r);
}

}  // namespace areason::claims
