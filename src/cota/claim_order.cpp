// Which comes when: "the bell rings after the siren", "a dog, followed by a cat", "in this order: …". A relation is read where
// its word has its object right behind it and a subject in its own clause.
#include <algorithm>
#include <cmath>

#include "cota/claim_lists.h"

namespace areason::claims {
namespace {

constexpr const char* kLight =
    "the|a|an|both|that|this|its|his|her|their|first|second|third|last|final|two|three|single|one|sound|noise|sounds|of|all|"
    "every|loud|short|"
    "brief|soft|long|sudden|some|another|by|final|initial|quick|sharp|distant|actual|opening|closing|other|same|any|single|"
    "large|small|"
    "big|whole|entire|low|high|deep|shortly|directly|immediately|closely|right|soon|after|later|quickly|then|finally|"
    "eventually|from";
constexpr const char* kNotEnded =
    "alone|again|remains|continues|carries|keeps|stays|left|still|remain|continue|goes|resumes|persists|lasts|lasted|returns|"
    "back";
constexpr const char* kEnds =
    "over|ends|ended|end|stops|stopped|fades|faded|gone|finished|finishes|quiet|silent|died|dies|done|cease|ceases|ceased|"
    "until|lasts|continues|goes|on|fades";

// "The longest is the train, then the cat": another order.
constexpr const char* kRanks =
    "longest|shortest|loudest|quietest|faintest|softest|briefest|strongest|weakest|ranking|ranked|rank|length|loudness";

bool lies_under_all(const Reading& r, const Mention& m) {
  return std::all_of(m.events.begin(), m.events.end(), [&](int i) { return r.facts.at(i).background; });
}

// The mention that stands right behind word c, past articles and adjectives.
const Mention* object_of(const Reading& r, int c, int reach) {
  for (const Mention& m : r.mentions) {
    if (m.begin <= c) continue;
    if (m.begin - c > reach) return nullptr;
    for (int k = c + 1; k < m.begin; ++k)
      if (!is_one(r.word(k), kLight)) return nullptr;
    return &m;
  }
  return nullptr;
}

// Whom the word at c says something of: the last one before it in its segment, then in its clause.
const Mention* subject_of(const Reading& r, int c, int back_to) {
  const Mention* out = nullptr;
  for (const Mention& m : r.mentions)
    if (m.end <= c && m.begin >= back_to) out = &m;
  return out;
}

bool no_between(const Reading& r, int from, int to) {
  return r.find("not|never|no|nor|neither|without|doesn't|isn't|didn't|nothing|none|nobody|don't|than|as|cannot|can't", from,
                to) >= 0;
}

// Does one of them begin about where one of the others ends?
bool touch(const Reading& r, const Set& first, const Set& second) {
  for (const int i : first)
    for (const int k : second)
      if (r.facts.at(i).audio == r.facts.at(k).audio && std::abs(r.facts.at(k).from - r.facts.at(i).to) < 1.2) return true;
  return false;
}

enum class Directly { kNo, kYes };

void expect(Reading& r, const Mention& first, const Mention& second, Directly directly) {
  if (!is_asserted(first) || !is_asserted(second) || share(first.events, second.events)) return;
  if (first.human && first.speaker == 0 && r.facts.speakers(kAnyAudio) > 1) return;
  if (second.human && second.speaker == 0 && r.facts.speakers(kAnyAudio) > 1) return;
  if (!r.facts.before(first.events, second.events))
    r.wrong("order", first.name + " does not come before " + second.name);
  else if (directly == Directly::kYes && !r.facts.next(first.events, second.events) && !touch(r, first.events, second.events))
    r.wrong("order", second.name + " does not come right after " + first.name);
}

// "the cat is still meowing once the train is gone", "has some time to go when …"
bool goes_on(const Reading& r, const Mention& m, int c) {
  if (r.find("still|already|yet", m.begin - 3, m.begin) >= 0) return true;
  return m.end <= c && r.find("left|go|more|remaining|still", m.end, c) >= 0 &&
         r.find("to|left|still|remaining", m.end, c) >= 0;
}

Directly direct(const Reading& r, int c) {
  return r.find("immediately|directly|straight|right", c - 2, c) >= 0 ? Directly::kYes : Directly::kNo;
}

// "after that a dog barks", "shortly before it a horn is blown"
void read_pronoun(Reading& r, int c, bool after) {
  if (c + 1 >= r.size() || !is_one(r.word(c + 1), "it|that|this|them")) return;
  // "before it has stopped"
  if (is_one(r.word(c + 1), "it|they") && c + 2 < r.size() && !r.word(c + 2).stem.empty() &&
      !is_one(r.word(c + 2), "a|an|the|and"))
    return;
  if (c + 2 < r.size() && is_one(r.word(c + 2), "has|is|had|was|stops|ends|have|could|can|fades|starts|begins")) return;
  const Mention* subject = nullptr;
  for (const Mention& m : r.mentions)
    if (m.begin > c + 1 && subject == nullptr) subject = &m;
  if (subject == nullptr || !is_asserted(*subject) || subject->begin - c > 7 ||
      no_between(r, c, std::min(r.size(), subject->end + 4)) || lies_under_all(r, *subject))
    return;
  if (r.find(kNotEnded, c, std::min(r.size(), subject->end + 4)) >= 0) return;
  const Mention* object = subject_of(r, c, 0);
  if (object != nullptr && r.segment_begin(c) > object->begin)
    return after ? expect(r, *object, *subject, Directly::kNo) : expect(r, *subject, *object, Directly::kNo);
  if (object != nullptr || c > 3 || r.before.empty()) return;
  for (const Mention& m : r.before)
    if (!is_asserted(m) || share(m.events, subject->events) ||
        (after ? r.facts.before(m.events, subject->events) : r.facts.before(subject->events, m.events)))
      return;
  r.wrong("order", subject->name + (after ? " is not after it" : " is not before it"));
}

// "after the bell", "before the bell" at word c.
void read_preposition(Reading& r, int c) {
  const bool after = is_one(r.word(c), "after|following");
  if (c > 0 && is_one(r.word(c - 1), "than|as|one|the|day|long|moment|soon") && !is_one(r.word(c - 1), "long|moment|soon"))
    return;
  const Mention* object = object_of(r, c, 4);
  if (object == nullptr) return read_pronoun(r, c, after);
  // "before the saw has stopped" says that both sound.
  if (!after && r.find("has|have|had|is|are|was|stops|ends|finishes|fades|leaves|dies", object->end, object->end + 1) >= 0 &&
      r.find("stopped|ended|finished|over|through|done|gone|silent|faded|stops|ends|finishes|fades|leaves|dies|died|left|quiet",
             object->end, object->end + 4) >= 0)
    return;
  // "… stops just before the buzz does"
  if (object->end < r.size() && is_one(r.word(object->end), "does|do|did")) return;
  const int from = r.segment_begin(c);
  const Mention* subject = subject_of(r, c, from);
  // What is over before another begins has begun before it; what is over before another is over need not have.
  if (subject != nullptr && no_between(r, from, c)) return;
  if (subject != nullptr && r.find(kEnds, subject->end, c) >= 0 &&
      (after || r.find("begins|starts|begin|start|sets|comes|enters", object->end, std::min(r.size(), object->end + 4)) < 0))
    return;
  // "It comes before the train.", of the one sound that the sentence before names
  if (subject == nullptr && from == 0 && r.word(0).text == "it" && c <= 3 && r.before.size() == 1 &&
      r.find("is|comes|was|came|sounds", 1, c) == 1)
    subject = &r.before[0];
  if (subject == nullptr) {
    // "After the bell, a dog barks."
    const bool opens = c - from <= 3 || r.find("second|seconds|while|moment", from, c) >= 0;
    if (!opens || no_between(r, from, c)) return;
    for (const Mention& m : r.mentions)
      if (m.begin >= object->end && subject == nullptr &&
          (r.word(m.begin).segment != r.word(object->begin).segment || m.begin - object->end <= 3))
        subject = &m;
    if (subject == nullptr || r.find("while|during|because|since|and", object->end, subject->begin) >= 0) return;
    if (no_between(r, object->end, std::min(r.size(), subject->end + 4)) || lies_under_all(r, *subject)) return;
  }
  if (goes_on(r, *subject, c) || r.find(kNotEnded, subject->end, std::min(r.size(), subject->end + 4)) >= 0) return;
  after ? expect(r, *object, *subject, direct(r, c)) : expect(r, *subject, *object, direct(r, c));
}

// "is followed by", "preceded by"; c is the participle.
void read_passive(Reading& r, int c) {
  int by = c + 1;
  while (by < std::min(r.size(), c + 4) && r.word(by).text != "by") ++by;
  if (by >= r.size() || r.word(by).text != "by") return;
  const Mention* object = object_of(r, by, 5);
  if (object == nullptr || no_between(r, r.segment_begin(c), by)) return;
  const Mention* subject = subject_of(r, c, 0);
  const Directly how = r.find("immediately|directly", c - 2, by) >= 0 ? Directly::kYes : Directly::kNo;
  const bool followed = is_one(r.word(c), "followed|succeeded");
  if (subject != nullptr) return followed ? expect(r, *subject, *object, how) : expect(r, *object, *subject, how);
  if (r.before.empty() || c > 4) return;
  // "It is followed by …": any of the sentence before may be meant.
  for (const Mention& m : r.before)
    if (!is_asserted(m) || share(m.events, object->events) ||
        (followed ? r.facts.before(m.events, object->events) : r.facts.before(object->events, m.events)))
      return;
  expect(r, followed ? r.before.back() : *object, followed ? *object : r.before.back(), Directly::kNo);
}

// "the dog follows the bell", "the bell precedes the dog"
void read_verb(Reading& r, int c) {
  const Mention* object = object_of(r, c, 4);
  const Mention* subject = subject_of(r, c, r.segment_begin(c));
  if (object == nullptr || subject == nullptr || no_between(r, r.segment_begin(c), c)) return;
  const Directly how = r.find("immediately|directly", c - 2, c + 3) >= 0 ? Directly::kYes : Directly::kNo;
  is_one(r.word(c), "follows|follow|followed|succeeds") ? expect(r, *object, *subject, how) : expect(r, *subject, *object, how);
}

// "…, then a dog", "… and later a crow"
void read_then(Reading& r, int c) {
  if (r.has(kRanks)) return;
  if (c > 0 &&
      is_one(r.word(c - 1), "by|since|until|till|than|even|seconds|second|s|while|moment|little|bit|or|sooner|much|only")) {
    if (!is_one(r.word(c - 1), "while|moment|little|bit|seconds|second|s|much|only")) return;
  }
  if (c + 1 < r.size() && is_one(r.word(c + 1), "than|on|again|to|one|in|of|after")) return;
  const Mention* object = nullptr;
  for (const Mention& m : r.mentions)
    if (m.begin > c && object == nullptr) object = &m;
  if (object == nullptr || object->begin - c > 6 ||
      r.find(",|-|:|after|before|while|because|since|following", c + 2, object->begin) >= 0)
    return;
  if (r.find("after|before|during|over|beneath|under|by|following", c + 1, object->begin) >= 0) return;
  if (lies_under_all(r, *object) || no_between(r, r.segment_begin(c), std::min(r.size(), object->end + 3))) return;
  if (r.find(kNotEnded, object->end, std::min(r.size(), object->end + 4)) >= 0) return;
  const Mention* subject = subject_of(r, c, 0);
  if (subject != nullptr) {
    // "before the siren, then": what stands behind a preposition is no subject.
    if (r.find("before|during|while|beneath|over", std::max(0, subject->begin - 3), subject->begin) >= 0) return;
    return expect(r, *subject, *object, Directly::kNo);
  }
  if (c > 2 || r.before.empty()) return;
  for (const Mention& m : r.before)
    if (!is_asserted(m) || share(m.events, object->events) || r.facts.before(m.events, object->events)) return;
  expect(r, r.before.back(), *object, Directly::kNo);
}

// "Once the siren has ended, a bell rings."
void read_once(Reading& r, int c) {
  const Mention* object = object_of(r, c, 4);
  if (object == nullptr) return;
  const int end = r.segment_end(c);
  if (r.find("nearly|almost|about|still|half|going|begun|been", object->end, end) >= 0) return;
  if (r.find(
          "ends|ended|stops|stopped|finishes|finished|fades|faded|over|done|dies|died|subsides|gone|away|ceases|ceased|quiet",
          object->end, end) < 0)
    return;
  const Mention* subject = nullptr;
  for (const Mention& m : r.mentions)
    if (m.begin >= end && subject == nullptr) subject = &m;
  const bool opens = c - r.segment_begin(c) <= 1 && subject != nullptr && subject_of(r, c, 0) == nullptr;
  if (!opens) subject = subject_of(r, c, 0);
  if (subject == nullptr || goes_on(r, *subject, c) || no_between(r, 0, r.size()) ||
      (r.word(c).text != "once" && lies_under_all(r, *subject)))
    return;
  if (r.find(kNotEnded, subject->end, std::min(r.size(), subject->end + 4)) >= 0) return;
  expect(r, *object, *subject, Directly::kNo);
  if (!is_asserted(*object) || !is_asserted(*subject) || share(object->events, subject->events)) return;
  const bool possible = std::any_of(subject->events.begin(), subject->events.end(), [&](int k) {
    return std::any_of(object->events.begin(), object->events.end(), [&](int i) {
      return r.facts.at(k).audio != r.facts.at(i).audio || r.facts.at(k).from > r.facts.at(i).to - 0.6;
    });
  });
  if (!possible) r.wrong("order", subject->name + " begins before " + object->name + " has ended");
}

// "The drum comes between the toy and the arrow."
void read_between(Reading& r, int c) {
  if (c < 2 || r.find("comes|lies|is|falls|sits|stands|occurs|was|came", c - 2, c) < 0 || r.facts.audios() > 1) return;
  const Mention* subject = subject_of(r, c, r.segment_begin(c));
  const Mention* first = object_of(r, c, 4);
  if (subject == nullptr || first == nullptr || c - subject->end > 3 || no_between(r, r.segment_begin(c), c)) return;
  const Mention* second = nullptr;
  for (const Mention& m : r.mentions)
    if (m.begin >= first->end && m.begin <= first->end + 3 && second == nullptr) second = &m;
  if (second == nullptr || r.find("and", first->end, second->begin) < 0) return;
  for (const Mention* m : {subject, first, second})
    if (!is_asserted(*m) || m->human) return;
  if (share(first->events, second->events) || share(subject->events, first->events) || share(subject->events, second->events))
    return;
  const Facts& f = r.facts;
  if (!(f.before(first->events, subject->events) && f.before(subject->events, second->events)) &&
      !(f.before(second->events, subject->events) && f.before(subject->events, first->events)))
    r.wrong("order", subject->name + " is not between them");
}

// "an arrow is shot beforehand", "the coins come earlier": against what this sentence or the one before names.
void read_beforehand(Reading& r, int c) {
  const bool before = is_one(r.word(c), "beforehand|earlier|previously");
  if (r.word(c).text == "earlier" &&
      (r.find("than|on|seconds|second|s", c - 2, c + 2) >= 0 || r.find("come|comes|came|is|heard", c - 2, c) < 0))
    return;
  if (c + 1 < r.size() && !r.word(c + 1).stem.empty() && !is_one(r.word(c + 1), "and|but|so")) return;
  const Mention* subject = subject_of(r, c, r.segment_begin(c));
  if (subject == nullptr || !is_asserted(*subject) || no_between(r, r.segment_begin(c), c) || lies_under_all(r, *subject))
    return;
  std::vector<const Mention*> others;
  for (const Mention& m : r.mentions)
    if (m.end <= subject->begin && r.word(m.begin).segment != r.word(subject->begin).segment) others.push_back(&m);
  const bool alone =
      std::all_of(r.mentions.begin(), r.mentions.end(), [&](const Mention& m) { return share(m.wide, subject->wide); });
  if (others.empty() && alone)
    for (const Mention& m : r.before) others.push_back(&m);
  if (others.empty()) return;
  for (const Mention* m : others)
    if (!is_asserted(*m) || share(m->events, subject->events) ||
        (before ? r.facts.before(subject->events, m->events) : r.facts.before(m->events, subject->events)))
      return;
  r.wrong("order", subject->name + (before ? " is not before it" : " is not after it"));
}

}  // namespace

void check_order(Reading& r) {
  if (r.sentence.question) return;
  for (int i = 0; i < r.size(); ++i) {
    const Word& w = r.word(i);
    if (w.open) continue;
    if (is_one(w, "after|before") || (is_one(w, "following") && i > 0)) read_preposition(r, i);
    if (is_one(w, "followed|preceded|succeeded")) r.find("by", i + 1, i + 4) >= 0 ? read_passive(r, i) : read_verb(r, i);
    if (w.text == "between") read_between(r, i);
    if (is_one(w, "follows|precedes|follow|precede|succeeds")) read_verb(r, i);
    if (is_one(w, "then|next|afterwards|afterward|later|subsequently|finally|lastly|eventually")) read_then(r, i);
    if (is_one(w, "beforehand|earlier|previously|afterwards|afterward|thereafter")) read_beforehand(r, i);
    if (is_one(w, "once|when|until") && w.text != "until") read_once(r, i);
  }
  check_lists(r);
}

}  // namespace areason::claims
