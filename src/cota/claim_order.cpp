// Which comes when: "the bell rings after the siren", "a dog, then a cat", "the first sound is a horn", "it ends with a bell".
#include <algorithm>

#include "cota/claim_rules.h"

namespace areason::claims {
namespace {

enum class Relation { kNone, kBefore, kAfter };

bool usable(const Mention& m) { return !m.events.empty() && !m.denied && !m.neutral; }

// What the words [from, to) between two mentions say of their order.
Relation between(const Reading& r, int from, int to) {
  if (r.find("not|never|doesn't|isn't|didn't|nor|neither|without", from, to) >= 0) return Relation::kNone;
  // What stands nearest to the second one: "after the words and before the siren".
  for (int i = to - 1; i >= from; --i) {
    const Word& w = r.word(i);
    const bool by = i + 1 < to && r.word(i + 1).text == "by";
    if (i + 1 < to && is_one(r.word(i + 1), "that|this|it|which") && is_one(w, "before|preceding")) return Relation::kAfter;
    if (i + 1 < to && is_one(r.word(i + 1), "that|this|it|which") && is_one(w, "after|following")) return Relation::kBefore;
    // "after a while", "before long"
    if (is_one(w, "after|before|following") && i + 1 < to &&
        is_one(r.word(i + 1), "a|an|that|it|this|which|some|about|long|them|him|her|roughly|around|nearly|only|just") &&
        r.find("moment|while|second|seconds|pause|silence|that|it|this|which|long|them|him|her|bit|gap|beat", i + 1, to) >= 0)
      continue;
    if (is_one(w, "after|before") && i + 1 < to && r.word(i + 1).number >= 0) continue;
    if (is_one(w, "followed|succeeded")) return by ? Relation::kBefore : Relation::kAfter;
    if (is_one(w, "preceded")) return by ? Relation::kAfter : Relation::kBefore;
    if (is_one(w,
               "precedes|precede|preceding|before|then|next|afterwards|afterward|later|subsequently|until|finally|lastly|"
               "eventually"))
      return i + 1 < to && is_one(w, "later") && is_one(r.word(i + 1), "than") ? Relation::kAfter : Relation::kBefore;
    if (is_one(w, "prior|ahead|earlier|sooner") && i + 1 < to && is_one(r.word(i + 1), "to|of|than")) return Relation::kBefore;
    if (is_one(w, "gives|leads|giving|leading|yields")) return Relation::kBefore;
    if (is_one(w, "after|follows|follow|following|succeeds")) return Relation::kAfter;
    if (is_one(w, "previous")) return Relation::kAfter;
  }
  return Relation::kNone;
}

// "After the siren, …", "Before the siren …", "Once the siren has ended, …": before the first mention of a sentence or clause.
Relation opening(const Reading& r, const Mention& m, bool& direct) {
  const int clause = r.word(m.begin).clause;
  for (int i = m.begin - 1; i >= std::max(0, m.begin - 4) && r.word(i).clause == clause; --i) {
    const Word& w = r.word(i);
    if (is_one(w, "after|following|to")) {
      direct = r.find("right|immediately|directly|straight|next|to|what|which", std::max(0, i - 4), i + 1) >= 0;
      // Only the generator's own "To the bell the next is …" begins like this.
      if (is_one(w, "to") && r.find("next|previous", m.end, r.size()) < 0) return Relation::kNone;
      if (is_one(w, "to") && r.find("previous", m.end, r.size()) >= 0) return Relation::kAfter;
      return Relation::kBefore;
    }
    if (is_one(w, "before")) {
      direct = r.find("right|immediately|directly|just|what|which", std::max(0, i - 4), i) >= 0;
      return Relation::kAfter;
    }
    if (is_one(w, "preceding")) return Relation::kAfter;
    if (is_one(w, "once|when") &&
        r.find("ends|end|ended|stops|stopped|finishes|finished|fades|faded|over|done|dies|subsides|ceases", m.end,
               std::min(r.size(), m.end + 5)) >= 0)
      return Relation::kBefore;
    // "After four seconds a piano joins": not after the piano.
    if (w.stem.empty() || w.number >= 0 ||
        is_one(w, "seconds|second|moment|while|that|this|it|which|is|are|has|have|had|and|comes"))
      return Relation::kNone;
  }
  return Relation::kNone;
}

// Does the second always lie well within the first? Then it is not "after" it.
bool inside(const Reading& r, const Mention& first, const Mention& second) {
  return std::all_of(second.events.begin(), second.events.end(), [&](int k) {
    return std::any_of(first.events.begin(), first.events.end(), [&](int i) {
      const Happening &outer = r.facts.at(i), &inner = r.facts.at(k);
      return i != k && inner.audio == outer.audio && inner.from > outer.from && inner.to < outer.to - 1;
    });
  });
}

void expect(Reading& r, const Mention& first, const Mention& second, bool direct) {
  if (first.events == second.events && first.events.size() != 1) return;
  if (!r.facts.before(first.events, second.events))
    r.wrong("order", first.name + " does not come before " + second.name);
  else if (direct && first.events != second.events && !r.facts.next(first.events, second.events))
    r.wrong("order", second.name + " does not come right after " + first.name);
}

bool share(const Set& a, const Set& b) {
  return std::any_of(a.begin(), a.end(), [&](int i) { return b.contains(i); });
}

void check_pairs(Reading& r) {
  for (std::size_t k = 0; k + 1 < r.mentions.size(); ++k) {
    const Mention &a = r.mentions[k], &b = r.mentions[k + 1];
    if (!usable(a) || !usable(b) || share(a.events, b.events)) continue;
    if (r.find("first|second|third|last", a.begin - 2, a.begin) >= 0 && r.find("between|of", a.begin - 3, a.begin) >= 0)
      continue;
    bool direct = r.find("immediately|directly|right|straight", a.end, b.begin) >= 0;
    bool opening_direct = false;
    const Relation begin = opening(r, a, opening_direct);
    Relation relation = Relation::kNone;
    const bool fresh = k == 0 || r.word(r.mentions[k - 1].end - 1).clause != r.word(a.begin).clause;
    if (begin != Relation::kNone && (fresh || k == 0)) {
      relation = begin;
      // "After the bell comes the dog": the next one is meant.
      direct = direct || opening_direct || (r.answer && r.find("comes", a.end, b.begin) >= 0 && r.mentions.size() == 2);
      if (r.find("to", a.begin - 2, a.begin) >= 0) direct = true;
    } else {
      relation = between(r, a.end, b.begin);
      if (r.find("while|during|whereas", a.end, b.begin) >= 0) relation = Relation::kNone;
    }
    if (relation == Relation::kBefore) expect(r, a, b, direct);
    if (relation == Relation::kAfter) expect(r, b, a, direct);
    if (relation == Relation::kAfter && r.has("after") && inside(r, b, a)) r.wrong("order", a.name + " lies within " + b.name);
  }
}

// A sentence that goes on from the one before: "Then a dog barks." "It is followed by a bell."
void check_continuation(Reading& r) {
  if (r.mentions.empty() || r.before.empty() || r.size() == 0) return;
  const Mention &now = r.mentions[0], &then = r.before.back();
  if (!usable(now) || !usable(then) || share(now.events, then.events)) return;
  const int opening_end = std::min(now.begin, 6);
  if (r.find("not|never", 0, now.begin) >= 0) return;
  const Word& first = r.word(0);
  const bool that = r.size() > 1 && is_one(r.word(1), "that|this|it|which|,");
  Relation relation = Relation::kNone;
  if (is_one(first, "then|next|afterwards|afterward|subsequently|later") || (is_one(first, "after|following") && that))
    relation = Relation::kBefore;
  if (is_one(first, "before|preceding") && that && r.mentions.size() == 1) relation = Relation::kAfter;
  if (is_one(first, "it|this|that|these|which|followed|preceded|and")) {
    const int f = r.find("followed|preceded|precedes|follows", 0, opening_end);
    if (f >= 0 && f + 1 < r.size()) {
      const bool by = r.word(f + 1).text == "by";
      if (is_one(r.word(f), "followed|precedes"))
        relation = is_one(r.word(f), "precedes") || by ? Relation::kBefore : Relation::kNone;
      if (is_one(r.word(f), "preceded|follows"))
        relation = is_one(r.word(f), "follows") || by ? Relation::kAfter : Relation::kNone;
    }
  }
  if (relation == Relation::kBefore) expect(r, then, now, false);
  if (relation == Relation::kAfter) expect(r, now, then, false);
}

// "The order is A, B, C", "first A, second B, third C".
void check_lists(Reading& r) {
  if (r.has("reverse|reversed|backwards|wrong|not")) return;
  int from = r.find("order|sequence|chronologically|chronological|succession|turn", 0, r.size());
  if (from < 0 && r.size() > 0 && r.word(0).ordinal == 1 && r.find("second|then|next", 1, r.size()) > 0) from = 0;
  if (from < 0) return;
  std::vector<Set> sets;
  for (const Mention& m : r.mentions) {
    if (m.begin < from) continue;
    if (!usable(m)) return;
    if (r.find("after|before|follows|following|while|during|between|followed|preceded", m.end, m.end + 3) >= 0) return;
    if (sets.empty() || sets.back() != m.events || m.events.size() > 1) sets.push_back(m.events);
  }
  if (sets.size() >= 2 && !r.facts.in_sequence(sets)) r.wrong("order", "the sounds do not come in this order");
}

bool generic_noun(const Word& w) {
  return is_one(
      w,
      "sound|event|noise|thing|one|item|element|source|audible|distinct|detectable|clear|major|to|heard|sounds|animal|"
      "is|was|comes|,|:|among|in|of|identifiable");
}

void expect_place(Reading& r, const Mention& m, int n) {
  if (!usable(m) || m.quote || m.speaker > 0) return;
  if (r.find("speak|speaks|spoke|talk|talks|speaker|says|said|voice", 0, r.size()) >= 0 && m.human) return;
  if (r.find("two|both|these", 0, r.size()) >= 0 && r.find("of|between|these|both", 0, r.size()) >= 0) return;
  if (r.find("after|before|following", 0, r.size()) >= 0) return;
  if (!r.facts.nth(m.events, n, r.audio))
    r.wrong("order", m.name + " is not the " + (n < 0 ? "last" : n == 1 ? "first" : "number " + std::to_string(n)) + " sound");
}

// "the first sound is X", "last comes X", "X is heard first"
void check_ordinals(Reading& r) {
  for (int i = 0; i < r.size(); ++i) {
    const Word& w = r.word(i);
    if (w.ordinal == 0 || (w.text == "second" && i > 0 && r.word(i - 1).number >= 0)) continue;
    if (r.find("audio|clip|recording|part|time|half|place|speaker|voice|person|and", i + 1, i + 2) >= 0) continue;
    if (r.find("not|isn't|wasn't|never", 0, r.size()) >= 0) continue;
    bool mention_next = false;
    for (const Mention& m : r.mentions)
      mention_next =
          mention_next || m.begin == i + 1 || (m.begin == i + 2 && !r.word(i + 1).stem.empty() && !generic_noun(r.word(i + 1)));
    const bool before_it = i + 1 >= r.size() || generic_noun(r.word(i + 1)) || r.word(i + 1).stem.empty();
    const Mention* m = r.mention_before(i, Within::kClause);
    if (m != nullptr && before_it && i - m->end <= 6 && !mention_next && r.find("then|,|and|when|while", m->end, i) < 0) {
      expect_place(r, *m, w.ordinal);
      continue;
    }
    const Mention* next = r.mention_after(i + 1, Within::kSentence);
    if (next == nullptr || mention_next || !before_it || next->begin - i > 9) continue;
    if (r.find("is|was|comes|:|be|belongs", i + 1, next->begin) < 0) continue;
    if (r.find("that|which|when|as|i|longer|than|with", i + 1, next->begin) >= 0) continue;
    expect_place(r, *next, w.ordinal);
  }
}

// "begins with X", "ends with X", "at the end X", "Finally, X".
void check_borders(Reading& r) {
  const Mention* none = nullptr;
  for (int i = 0; i + 1 < r.size(); ++i) {
    const Word &w = r.word(i), &next = r.word(i + 1);
    const bool with = is_one(next, "with|on|by");
    // "A violin begins, a piano joins in."
    if (is_one(w, "begins|starts|opens|started|began") && is_one(next, ",|and") && r.has("joins|joined|answers|follows|then") &&
        i > 0) {
      const Mention* opener = r.mention_before(i, Within::kClause);
      if (opener != none && opener->end == i && opener == &r.mentions[0]) expect_place(r, *opener, 1);
    }
    int n = 0;
    if (is_one(w, "begins|begin|begun|starts|start|opens|open|opening|beginning|starting|began|started|opened|commences") &&
        with)
      n = 1;
    if (is_one(w, "ends|end|ended|closes|close|closed|concludes|concluded|finishes|finished|ending|closing|concluding") && with)
      n = -1;
    if (n == 0) continue;
    const Mention* subject = r.mention_before(i, Within::kClause);
    const Mention* m = r.mention_after(i + 1, Within::kClause);
    if (subject != none || m == none || m->begin - i > 6) continue;
    if (r.find("not|never|doesn't", i - 3, i) >= 0) continue;
    expect_place(r, *m, n);
  }
  if (r.mentions.size() == 1 && r.size() > 1 && is_one(r.word(0), "finally|lastly") && !r.has("answer|so|conclude|compare"))
    expect_place(r, r.mentions[0], -1);
}

}  // namespace

void check_order(Reading& r) {
  check_pairs(r);
  check_continuation(r);
  check_lists(r);
}

void check_places(Reading& r) {
  check_ordinals(r);
  check_borders(r);
}

}  // namespace areason::claims
