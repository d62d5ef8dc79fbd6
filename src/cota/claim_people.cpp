// Who speaks: "the second man answers", "a woman opens", "she has three turns", "… comes from the third speaker". A person
// named is every speaker that the words may mean; a claim is wrong when it is true of none of them.
#include "cota/claim_people.h"

#include <algorithm>

namespace areason::claims {
namespace {

Set speakers_of(const Reading& r, const Set& events) {
  Set out;
  for (const int i : events) out.insert(r.facts.at(i).speaker);
  return out;
}

constexpr const char* kOtherRole =
    "after|before|follows|following|precedes|over|during|while|when|until|overlap|overlaps|interrupts|interrupted|between|"
    "behind|reaction|quoted";

// Those to whom the words before a quotation, or right behind it, give it.
Set claimed_speakers(const Reading& r, const std::vector<Person>& people, int from, const Mention& q) {
  Set out;
  int last = -1;
  for (const Person& p : people) {
    if (p.begin < from || p.end > q.begin) continue;
    out.insert(p.who.begin(), p.who.end());
    last = p.end;
  }
  // "… is speaker 3's view"
  for (const Person& p : people)
    if (p.begin > q.end && p.begin - q.end <= 3 && is_one(r.word(q.end), "is|was") && p.end < r.size() &&
        (r.word(p.end - 1).text.ends_with("'s") || r.word(p.end).text == "s") &&
        r.find("view|opinion|line|words|turn|remark|contribution|claim", p.end, p.end + 3) >= 0)
      return p.who;
  for (const Person& p : people)
    if (p.begin >= q.end && p.begin - q.end <= 5 && r.find("from|by|belongs|belong", q.end, p.begin) >= 0 &&
        r.find(",|and|after", q.end, p.begin) < 0 && std::none_of(r.mentions.begin(), r.mentions.end(), [&](const Mention& m) {
          return m.quote && m.begin >= q.end && m.end <= p.begin;
        }))
      return p.who;
  if (last >= 0) {
    // "the man's later turns: …", "it is the man who judges it …"
    bool nouns = true, verb = false;
    for (int k = last; k < q.begin; ++k) {
      nouns =
          nouns &&
          is_one(r.word(k), "later|earlier|other|turn|turns|line|lines|question|words|:|remark|remarks|own|first|last|only|s");
      verb = verb || ((r.word(k).text.ends_with('s') || r.word(k).text.ends_with("ed")) && r.word(k).text.size() > 4 &&
                      !is_one(r.word(k),
                              "hears|heard|ignores|misses|answers|comes|follows|followed|precedes|reacts|interrupts|listens|"
                              "understands|turns|times|words|lines|always|besides|overlaps|returns|coincides|continues"));
    }
    const bool judged = verb && q.begin - last <= 4 && r.find("and|,|with|by|about|of|as|like|on", last, q.begin) < 0;
    const bool said =
        nouns || judged || r.find(kSaying, from, q.begin) >= 0 || (q.begin - last <= 2 && !is_one(r.word(q.begin - 1), "and"));
    const bool other = r.find(kOtherRole, from, q.begin) >= 0 || r.find("to", q.begin - 4, q.begin) >= 0 || q.begin - last > 9;
    return said && !other ? out : Set{};
  }
  for (const Person& p : people) {
    if (p.begin < q.end || p.begin - q.end > 7) continue;
    if (r.find(",|and", q.end + 1, p.begin) >= 0 || r.find(kOtherRole, q.end, p.begin) >= 0) return {};
    const bool given = r.find("by|from|belongs|belong", q.end, p.begin) >= 0 ||
                       (r.find(kSaying, q.end, p.begin) >= 0 && r.find("to|with", q.end, p.begin) < 0);
    return given ? p.who : Set{};
  }
  return {};
}

void check_attributions(Reading& r, const std::vector<Person>& people) {
  int from = 0;
  for (const Mention& q : r.mentions) {
    if (!q.quote) continue;
    const int begin = from;
    from = q.end;
    if (words_in(r.word(q.begin).text) < 2) continue;
    if (r.find(kDoubt, begin, q.begin) >= 0 || r.find(kDoubt, q.end, q.end + 5) >= 0) continue;
    const Set who = claimed_speakers(r, people, begin, q);
    // An option that is told as said, by somebody.
    if (q.events.empty()) {
      const bool told = r.find(kSaying, begin, q.begin) >= 0 && !who.empty() && words_in(r.word(q.begin).text) > 2;
      if (told && r.facts.knows_words() && !r.facts.foreign() &&
          r.facts.spoken().find(r.word(q.begin).text) == std::string::npos)
        r.wrong("quote", "nobody says " + q.name);
      continue;
    }
    if (!who.empty() && !share(who, speakers_of(r, q.events))) r.wrong("quote", q.name + " is not said by " + names(who));
  }
}

// "A man starts ("…"), a woman replies": whose turn comes next.
void check_replies(Reading& r, const std::vector<Person>& people) {
  const auto turns = turns_in_order(r);
  if (r.has(kDoubt) || r.facts.audios() > 1) return;
  for (const Person& p : people) {
    if (p.who.empty() || p.end >= r.size() || !is_one(r.word(p.end), "replies|replied|answers|answered|responds|responded"))
      continue;
    const Mention* quote = nullptr;
    for (const Mention& m : r.mentions)
      if (m.quote && m.end <= p.begin) quote = &m;
    if (quote == nullptr || quote->events.size() != 1 || p.begin - quote->end > 5) continue;
    const auto at = std::find(turns.begin(), turns.end(), *quote->events.begin());
    if (at == turns.end() || at + 1 == turns.end()) continue;
    if (!p.who.contains(r.facts.at(*(at + 1)).speaker)) r.wrong("speakers", "somebody else speaks next");
  }
}

// "… closes the talk", "… is the opening line"
void check_quote_places(Reading& r) {
  const auto turns = turns_in_order(r);
  if (turns.size() < 2 || r.facts.audios() > 1) return;
  int quotes = 0;
  for (const Mention& q : r.mentions) quotes += q.quote ? 1 : 0;
  for (const Mention& q : r.mentions) {
    if (!q.quote || quotes != 1 || q.events.empty() || words_in(r.word(q.begin).text) < 3 || r.has(kDoubt)) continue;
    const int end = std::min(r.size(), q.end + 6);
    const bool last =
        r.find("closing|closes|concludes", q.end, end) >= 0 ||
        (r.find("last|final", q.end, end) >= 0 && r.find("line|turn|sentence|utterance|word|words|one", q.end, end) >= 0);
    const bool first = r.find("opens|opening", q.end, end) >= 0 ||
                       (r.find("first", q.end, end) >= 0 && r.find("line|turn|sentence|utterance", q.end, end) >= 0);
    if (last == first || r.find("speaker|his|her|their|man's|woman's", q.end, end) >= 0) continue;
    if (!q.events.contains(last ? turns.back() : turns.front()))
      r.wrong("order", q.name + (last ? " is not the last" : " is not the first"));
  }
}

// "a woman opens the talk", "the third speaker has the last word"
void check_first_and_last(Reading& r, const std::vector<Person>& people) {
  const auto turns = turns_in_order(r);
  if (turns.size() < 2 || people.empty() || r.facts.audios() > 1 || r.has(kDoubt)) return;
  for (std::size_t k = 0; k < people.size(); ++k) {
    const Person& p = people[k];
    // "the woman who spoke before him has the final say": he is no subject
    if (p.who.empty() || is_one(r.word(p.begin), "him|her|his|hers")) continue;
    // "She starts and she finishes."
    const bool says_when =
        p.pronoun && p.end + 1 < r.size() &&
        ((is_one(r.word(p.end), "has|gets") && r.find("final|last", p.end, p.end + 3) >= 0) ||
         (r.word(p.begin).text.ends_with('s') && is_one(r.word(p.end), "last|first") && is_one(r.word(p.end + 1), "to")));
    if (p.pronoun && !says_when &&
        !(is_one(r.word(p.begin), "he|she") && p.end < r.size() &&
          is_one(r.word(p.end), "starts|finishes|opens|begins|ends|closes") &&
          (p.end + 1 >= r.size() || is_one(r.word(p.end + 1), "and|,|the"))))
      continue;
    const int to = k + 1 < people.size() ? people[k + 1].begin : r.size();
    const int end = std::min(to, p.end + 5);
    // His or her own first words are something else.
    if (r.find(p.pronoun ? "their|his|her|own|question|both|line|turn|again|sentence|before|after|men|women|two"
                         : "their|his|her|own|question|both|and|line|turn|again|sentence|before|after|men|women|two",
               p.end, end) >= 0 ||
        (p.begin > 0 && is_one(r.word(p.begin - 1), "and|with|of|than|two|three")))
      continue;
    const int verb = r.find("opens|starts|begins|inaugurates|opened|started|began|initiates|initiated|leads", p.end,
                            std::min(to, p.end + 2));
    bool first = verb >= 0 && (verb + 1 >= r.size() || (p.pronoun && is_one(r.word(verb + 1), "and")) ||
                               is_one(r.word(verb + 1), "the|with|off|things|by|,|it|this|)|first"));
    first = first || (r.find("speaks|comes|heard|talks|is", p.end, end) >= 0 && r.find("first", p.end, end) >= 0 &&
                      r.find("time|to|at|who|in", p.end, end) < 0);
    const int close = r.find("closes|ends|concludes|finishes|closed|ended|concluded|finished", p.end, std::min(to, p.end + 2));
    // "before he has finished" ends a turn, not the talk.
    bool last = close >= 0 &&
                !(r.word(close).text.ends_with("ed") && (close + 1 >= r.size() || r.find("has|had|is", p.end, close) >= 0)) &&
                (close + 1 >= r.size() || is_one(r.word(close + 1), "the|with|things|it|this|by|)"));
    last = last ||
           (r.find("last|final", p.end, end) >= 0 && r.find("word|words|turn|say", p.end, end) >= 0 &&
            r.find("has|have|gets", p.end, end) >= 0) ||
           (r.find("speaks|comes|heard|talks", p.end, end) >= 0 && r.find("last", p.end, end) >= 0 &&
            r.find("time|for|at", p.end, end + 1) < 0 && !first);
    // "the meeting was closed by the second man"
    if (p.begin > 1 && r.find("by", p.begin - 2, p.begin) >= 0 && r.find("is|was|are|were", p.begin - 6, p.begin) >= 0) {
      last = last || r.find("closed|ended|concluded|finished", p.begin - 3, p.begin) >= 0;
      first = first || r.find("opened|started|begun|initiated", p.begin - 3, p.begin) >= 0;
    }
    if (first && !p.who.contains(r.facts.at(turns.front()).speaker)) r.wrong("speakers", "somebody else speaks first");
    last = last || (r.find("last", p.end, end) >= 0 && r.find("to", p.end, end) >= 0 && r.find("speak|talk", p.end, end) >= 0 &&
                    r.find("second|not", p.end, end) < 0);
    // "speaks first and last"
    if (r.find("first", p.end, end) >= 0 && r.find("last", p.end, end) >= 0 && r.find("speaks|speak|is", p.end, end) >= 0 &&
        !p.pronoun)
      first = first || r.find("and", p.end, end) >= 0;
    if (last && !first && !p.who.contains(r.facts.at(turns.back()).speaker)) r.wrong("speakers", "somebody else speaks last");
  }
}

double repeats(const Reading& r, int i) {
  const Word& w = r.word(i);
  if (is_one(w, "once")) return 1;
  if (is_one(w, "twice")) return 2;
  if (is_one(w, "thrice")) return 3;
  if (w.number < 1 || w.number > 50 || w.number != static_cast<int>(w.number) || i + 1 >= r.size()) return 0;
  for (int k = i + 1; k < std::min(r.size(), i + 3); ++k) {
    if (is_one(r.word(k), "times|time|turns|turn|contributions|utterances|occasions")) return w.number;
    if (!is_one(r.word(k), "short|separate|speaking|different|brief|distinct")) return 0;
  }
  return 0;
}

// "she speaks three times", "the second speaker has two turns"
void check_turn_counts(Reading& r, const std::vector<Person>& people) {
  if (!r.facts.only_speech() || people.empty() || r.facts.speakers(r.audio) < 2) return;
  for (int i = 1; i < r.size(); ++i) {
    const double n = repeats(r, i);
    if (n == 0 || r.word(i).open || r.find("more|again|further|over", i + 1, i + 2) >= 0 ||
        r.find("of|the|all|in|first|last|other|than|these|those|only|each|every|both", i - 1, i) >= 0)
      continue;
    const Person* p = nullptr;
    int near = 0;
    for (const Person& each : people)
      if (each.end <= i && i - each.begin <= 8) p = &each, ++near;
    if (p == nullptr || near != 1 || p->who.empty() || r.find(",|:|--|(|while|about|that|and", p->end, i) >= 0) continue;
    if (r.find("speaks|speak|talks|has|gets|takes|heard|appears|contributes|floor|comes|turns|spoke|had|is", p->end, i) < 0 ||
        r.find("interrupted|interrupts|overlaps|asks|says|asked|word|mentions|cuts|said|back|returns|again", p->end, i) >= 0 ||
        r.has(kDoubt))
      continue;
    bool fits = false;
    double sum = 0;
    for (const int s : p->who) {
      const auto turns = static_cast<double>(r.facts.of_speaker(s, r.audio).size());
      sum += turns;
      fits = fits || turns == n;
    }
    if (!fits && sum != n) r.wrong("count", names(p->who) + " does not speak so often");
  }
}

// "two women", "three of them are men", "both male": where every voice is known.
void check_sex_counts(Reading& r) {
  const Known& known = r.facts.known();
  if (!known.all_sexes || r.has(kDoubt)) return;
  for (int i = 0; i < r.size(); ++i) {
    const Word& w = r.word(i);
    const bool all = is_one(w, "all|both");
    if ((w.number < 2 || w.number > 20) && !all) continue;
    if (w.open || (i > 0 && is_one(r.word(i - 1), "speaker|person|voice|to|audio|other|of|turn|number|than|line"))) continue;
    for (int k = i + 1; k < std::min(r.size(), i + 7); ++k) {
      if (is_one(r.word(k), "men|women|male|female|males|females")) {
        const std::string value = is_one(r.word(k), "men|male|males") ? "man" : "woman";
        const int whole = r.facts.speakers(kAnyAudio);
        const bool pair = w.text == "both" && is_one(r.word(i + 1), "of|the|men|women|males|females");
        const bool turns = k + 1 < r.size() && is_one(r.word(k + 1), "turns|utterances|lines|phrases|sentences");
        const double n = pair ? 2 : all ? whole : w.number;
        if (!turns && known.with_sex(value) != n) r.wrong("speakers", "another number of " + value);
        break;
      }
      if (!is_one(r.word(k),
                  "of|them|whom|the|these|are|is|being|speakers|voices|people|adult|young|different|were|belong|to|speak"))
        break;
    }
  }
}

// "she answers" where no woman speaks
void check_pronouns(Reading& r, const std::vector<Person>& people) {
  if (!r.facts.known().all_sexes || r.has(kDoubt)) return;
  for (const Person& p : people)
    if (p.pronoun && p.who.empty() && is_one(r.word(p.begin), "he|she") && p.end < r.size() &&
        is_one(r.word(p.end), "says|asks|replies|answers|responds|speaks|talks|adds|tells"))
      r.wrong("trait", std::string("there is no ") + (r.word(p.begin).text == "he" ? "man" : "woman"));
}

}  // namespace

std::vector<int> turns_in_order(const Reading& r) {
  const Set talk = r.facts.speech(r.audio);
  std::vector<int> out(talk.begin(), talk.end());
  std::stable_sort(out.begin(), out.end(), [&](int a, int b) { return r.facts.key(a) < r.facts.key(b); });
  return out;
}

void check_people(Reading& r) {
  if (!r.facts.has_speech() || r.sentence.question) return;
  const std::vector<Person> people = persons_in(r);
  check_quote_places(r);
  if (r.facts.speakers(r.audio) > 1) {
    check_attributions(r, people);
    check_replies(r, people);
    check_first_and_last(r, people);
  }
  check_turn_counts(r, people);
  check_turns(r, people);
  check_sex_counts(r);
  check_reported(r, people);
  check_pronouns(r, people);
}

}  // namespace areason::claims
