// What people are told to have said, without quotation marks: "the third suggests the park", "… is the opinion of the man".
#include <algorithm>

#include "cota/claim_people.h"

namespace areason::claims {
namespace {

bool content_word(const Word& w) {
  return !w.quote && w.text.size() >= 4 && w.number < 0 && !w.stem.empty() &&
         !is_one(w,
                 "that|this|what|with|they|them|there|have|from|then|about|which|asks|says|when|where|like|does|else|some|"
                 "know|think|only|also|will|would|could|should|over|under|into|than|just|very|even|after|before|their|your|"
                 "first|second|third|here|back|both|said|voice|want|wants|other|others|speaker|woman|turn|line|question|"
                 "goes|come|comes|much|more|most|last|once|twice|time|times|answer|answers|reply|says|tells|talk|talks|"
                 "questions|gives|asking|everyone|somebody|anybody|something|people|person|words|word|short|long");
}

// The speakers in whose turns a word is said, "bag" in "bags" as well.
Set who_says(const Reading& r, const Word& w) {
  Set out;
  std::string stem = w.stem;
  if (stem.back() == '?') stem.pop_back();
  for (const int i : r.facts.speech(r.audio)) {
    const std::string& words = r.facts.at(i).words;
    if (words.find(" " + w.text + " ") != std::string::npos || words.find(" " + stem + " ") != std::string::npos ||
        words.find(" " + w.text + "s ") != std::string::npos)
      out.insert(r.facts.at(i).speaker);
  }
  return out;
}

// "the third suggests the park": said by nobody of those meant, but by others.
void check_reports(Reading& r, const std::vector<Person>& people) {
  if (!r.facts.only_speech() || r.facts.foreign() || r.facts.speakers(r.audio) < 2) return;
  for (std::size_t k = 0; k < people.size(); ++k) {
    const Person& p = people[k];
    if (p.who.empty() || r.has(kDoubt)) continue;
    const int to = k + 1 < people.size() ? people[k + 1].begin : r.size();
    const int verb = r.find(kSaying, p.end, std::min(to, p.end + 3));
    if (verb < 0) continue;
    Set others;
    bool theirs = false;
    for (int i = verb + 1;
         i < to && !is_one(r.word(i), "while|after|before|when|;|over|interrupts|cuts|then") && !r.word(i).quote; ++i) {
      if (!content_word(r.word(i))) continue;
      const Set who = who_says(r, r.word(i));
      theirs = theirs || share(who, p.who);
      others.insert(who.begin(), who.end());
    }
    if (!theirs && !others.empty()) r.wrong("speakers", names(p.who) + " does not speak of it");
  }
}

// "… is the opinion of the third speaker", "… is speaker 2's view"
void check_opinions(Reading& r, const std::vector<Person>& people) {
  if (!r.facts.only_speech() || r.facts.foreign() || r.facts.speakers(r.audio) < 2 || r.has(kDoubt)) return;
  int from = 0;
  for (const Person& p : people) {
    const int begin = std::max(from, r.segment_begin(p.begin));
    from = p.end;
    const bool of = r.find("opinion|view|claim|remark|idea|said|spoken|uttered|comes|words|asked|suggestion|complaint",
                           p.begin - 5, p.begin) >= 0 &&
                    r.find("of|by|from", p.begin - 3, p.begin) >= 0;
    const bool own = r.word(p.end - 1).text.ends_with('s') && r.find("view|opinion|remark|idea|claim", p.end, p.end + 1) >= 0;
    if ((!of && !own) || p.who.empty()) continue;
    Set others;
    bool theirs = false;
    for (int i = begin; i < p.begin; ++i) {
      if (!content_word(r.word(i)) ||
          is_one(r.word(i), "opinion|view|claim|remark|idea|spoken|uttered|words|asked|suggestion|complaint"))
        continue;
      const Set who = who_says(r, r.word(i));
      theirs = theirs || share(who, p.who);
      others.insert(who.begin(), who.end());
    }
    if (!theirs && !others.empty()) r.wrong("speakers", names(p.who) + " does not speak of it");
  }
}

// "[S3] see you on thursday": a line of a transcript without quotation marks.
void check_transcript_line(Reading& r, const std::vector<Person>& people) {
  if (people.empty() || people[0].begin > 2 || people[0].pronoun || people[0].who.empty() || r.has("not|no|never|or")) return;
  for (const Mention& m : r.mentions)
    if (m.quote) return;
  const std::string whole = plain(r.sentence.source);
  Set said;
  for (const int i : r.facts.speech(r.audio))
    if (words_in(r.facts.at(i).words) >= 3 && whole.find(r.facts.at(i).words) != std::string::npos)
      said.insert(r.facts.at(i).speaker);
  if (!said.empty() && people.size() == 1 && !share(said, people[0].who))
    r.wrong("quote", names(people[0].who) + " does not say this");
}

// Words of small closed sets: when one is told as said, it is one that is said.
constexpr const char* kTold =
    "monday|tuesday|wednesday|thursday|friday|saturday|sunday|red|green|blue|yellow|black|white|brown|orange|purple|pink|grey|"
    "school|hotel|market|beach|kitchen|library|museum|hat|lamp|boat|rabbit|chair|"
    "brother|sister|mother|father|uncle|aunt|bread|soup|rice|milk|fish|apples|cheese|coffee|tea|cake";

void check_told(Reading& r, const std::vector<Person>& people) {
  if (!r.facts.only_speech() || r.facts.foreign() || !r.facts.knows_words() || r.has(kDoubt)) return;
  const bool told = !people.empty() || r.has("tells|says|asks|mentioned|word|colour|color|speaks|talk|hears|at|in|near|is");
  for (int i = 0; i < r.size() && told; ++i) {
    const Word& w = r.word(i);
    if (!is_one(w, kTold) || r.facts.talked_of(w) || plain(r.sample->question).find(" " + w.text + " ") != std::string::npos)
      continue;
    // "Jack's at the school": somebody who is spoken of
    bool named = false;
    for (int k = 0; k < i; ++k)
      named = named || (r.word(k).capital && k > 0 && r.facts.talked_of(r.word(k))) ||
              (k == 0 && r.word(0).capital && r.word(0).text.ends_with("'s") &&
               r.facts.spoken().find(" " + r.word(0).text.substr(0, r.word(0).text.size() - 2) + " ") != std::string::npos);
    const bool placed = r.find("placed|put|suggested|located|wanted|mentions|asked", 0, i) >= 0 && !people.empty();
    if (named || placed || r.find(kSaying, 0, i) >= 0 || is_one(r.word(0), "he|she"))
      r.wrong("words", "nobody speaks of " + w.text);
  }
}

}  // namespace

void check_reported(Reading& r, const std::vector<Person>& people) {
  check_reports(r, people);
  check_told(r, people);
  if (r.facts.speakers(r.audio) < 2) return;
  check_opinions(r, people);
  check_transcript_line(r, people);
}

}  // namespace areason::claims
