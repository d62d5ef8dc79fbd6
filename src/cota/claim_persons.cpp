// Which speakers a sentence's words may mean: "the second man", "she", "Anna", "the third" with a verb behind it.
#include <algorithm>
#include <iterator>

#include "cota/claim_people.h"

namespace areason::claims {
namespace {

constexpr const char* kSexed =
    "man|woman|men|women|male|female|lady|gentleman|guy|girl|boy|man's|woman's|bloke|fellow|he|she|him|her|his|hers|he's|she's|"
    "hes|shes";
constexpr const char* kPronouns = "he|she|him|her|his|hers|he's|she's|hes|shes";
constexpr const char* kAnyone =
    "speaker|voice|person|participant|talker|neighbour|neighbor|friend|fan|traveller|party|interlocutor|speaker's|voice's|"
    "person's|individual|guest|patient|parent|colleague";
constexpr const char* kBeforePerson =
    "male|female|young|younger|older|old|deep|high|low|same|very|new|different|further|adult|third|second|first|fourth|last|"
    "final|other|another";
Set all_speakers(const Reading& r) {
  Set out;
  for (const int i : r.facts.speech(r.audio)) out.insert(r.facts.at(i).speaker);
  return out;
}

std::string sex_of(const Word& w) {
  if (is_one(w, "man|men|male|gentleman|guy|boy|man's|bloke|fellow|he|him|his|he's|hes")) return "man";
  return "woman";
}

Set of_sex(const Reading& r, const std::string& sex) {
  Set out;
  for (const int s : all_speakers(r)) {
    const auto it = r.facts.known().sex.find(s);
    if (it == r.facts.known().sex.end() || it->second == sex) out.insert(s);
  }
  return out;
}

// What stands before a noun: its ordinal, 0 without one.
int ordinal_before(const Reading& r, int i) {
  for (int k = i - 1; k >= std::max(0, i - 4); --k) {
    if (r.word(k).ordinal != 0) return r.word(k).ordinal;
    if (!is_one(r.word(k), kBeforePerson)) return 0;
  }
  return 0;
}

// The nth of the set, in order of appearance, and the nth of all when it belongs to the set.
Set nth_of(const Reading& r, const Set& set, int n) {
  Set out;
  if (n < 0) {
    const auto turns = turns_in_order(r);
    if (!turns.empty()) out.insert(r.facts.at(turns.back()).speaker);
    if (!set.empty()) out.insert(*set.rbegin());
    return out;
  }
  if (set.contains(n)) out.insert(n);
  if (n <= static_cast<int>(set.size())) out.insert(*std::next(set.begin(), n - 1));
  return out;
}

// "the first", "the third" with a verb behind it and no noun.
bool elliptic(const Reading& r, int i) {
  if (r.word(i).ordinal <= 0 || i == 0 || !r.facts.only_speech()) return false;
  if (i + 1 >= r.size()) return i > 1 && is_one(r.word(i - 1), "the") && is_one(r.word(i - 2), "from|by");
  if (!is_one(r.word(i - 1), "the|a")) return false;
  if (i > 1 && is_one(r.word(i - 2), "from|by") && is_one(r.word(i + 1), ",|and|)|:|but")) return true;
  return is_one(r.word(i + 1), kSaying) ||
         (is_one(r.word(i + 1), "then|later|one") && i + 2 < r.size() && is_one(r.word(i + 2), kSaying));
}

// "The first person is a woman, she says …": the one person of the sentence that she may be, where there is only one.
void resolve_pronouns(const Reading& r, std::vector<Person>& people) {
  for (std::size_t k = 1; k < people.size(); ++k) {
    if (!people[k].pronoun) continue;
    Set one;
    bool clear = true;
    for (std::size_t before = 0; before < k; ++before) {
      if (people[before].pronoun) continue;
      Set both;
      std::set_intersection(people[before].who.begin(), people[before].who.end(), people[k].who.begin(), people[k].who.end(),
                            std::inserter(both, both.begin()));
      if (both.empty()) continue;
      // "the first speaker is a woman": one person, named twice
      if (!one.empty() && is_one(r.word(std::max(0, people[before].begin - 2)), "is|was") && share(one, both)) {
        Set same;
        std::set_intersection(one.begin(), one.end(), both.begin(), both.end(), std::inserter(same, same.begin()));
        one = same;
        continue;
      }
      clear = clear && one.empty();
      one = both;
    }
    if (clear && !one.empty()) people[k].who = one;
  }
}

}  // namespace

std::vector<Person> persons_in(const Reading& r) {
  std::vector<Person> out;
  const Set all = all_speakers(r);
  for (int i = 0; i < r.size(); ++i) {
    const Word& w = r.word(i);
    if (w.quote) continue;
    Person p{i, i + 1, {}, is_one(w, kPronouns)};
    if (is_one(w, kSexed)) {
      p.who = of_sex(r, sex_of(w));
      if (i + 1 < r.size() && is_one(r.word(i + 1), kAnyone)) ++p.end;
    } else if (is_one(w, kAnyone)) {
      p.who = all;
      if (p.end < r.size() && r.word(i + 1).number >= 1 && is_one(w, "speaker|person|voice")) {
        p.who = {static_cast<int>(r.word(i + 1).number)};
        ++p.end;
      }
    } else if (elliptic(r, i)) {
      // "another man asks, and a third answers": the third of whom?
      p.who = r.word(i - 1).text == "a" ? all : Set{w.ordinal};
    } else {
      continue;
    }
    if (const int n = p.pronoun || elliptic(r, i) ? 0 : ordinal_before(r, i); n != 0) p.who = nth_of(r, p.who, n);
    out.push_back(p);
    i = p.end - 1;
  }
  // By name: "Anna".
  for (const Mention& m : r.mentions) {
    if (m.speaker <= 0 ||
        std::any_of(out.begin(), out.end(), [&](const Person& p) { return p.begin < m.end && m.begin < p.end; }))
      continue;
    out.push_back({m.begin, m.end, {m.speaker}, false});
  }
  std::sort(out.begin(), out.end(), [](const Person& a, const Person& b) { return a.begin < b.begin; });
  resolve_pronouns(r, out);
  return out;
}

std::string names(const Set& who) {
  std::string out;
  for (const int s : who) out += (out.empty() ? "speaker " : ", ") + std::to_string(s);
  return out;
}

int words_in(const std::string& plain_text) {
  return static_cast<int>(std::count(plain_text.begin(), plain_text.end(), ' ')) - 1;
}

}  // namespace areason::claims
