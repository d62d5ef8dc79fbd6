#pragma once
// People of a sentence: a person named is every speaker whom the words may mean ("the second man", "she", "Anna"). Called by
// the checker's rules for who speaks (claim_people.cpp) and for what they are told to have said (claim_reports.cpp). Thread
// rule: values and free functions.
#include <string>
#include <vector>

#include "cota/claim_rules.h"

namespace areason::claims {

struct Person {
  int begin = 0, end = 0;  // words of the sentence
  Set who;                 // speakers
  bool pronoun = false;
};

inline constexpr const char* kSaying =
    "say|says|said|saying|ask|asks|asked|asking|tells|told|replies|replied|reply|answers|answered|answer|responds|responded|"
    "objects|objected|adds|added|remarks|remarked|claims|claimed|wants|wanted|suggests|suggested|thinks|explains|complains|"
    "complained|praises|mentions|mentioned|opens|closes|begins|ends|utters|states|stated|counters|countered|continues|offers|"
    "delivers|contributes|supplies|requests|concludes|starts|finishes|wonders|inquires|enquires|speaks|insists|maintains|"
    "argues|calls|finds|considers|describes|announces|knows|hopes|denies|admits|warns|announces|declares|reports|notes|"
    "observes|comments|retorts|repeats|likes|believes|finds|declares|agrees";
// Words that leave open who said what.
inline constexpr const char* kDoubt =
    "not|never|no|nobody|none|neither|nor|if|would|might|could|whether|option|options|isn't|wasn't|doesn't|didn't|rather|"
    "instead|unlike|than|without|cannot|can't|either|or|aren't|weren't|don't|didn't|won't|couldn't|hardly";

std::vector<Person> persons_in(const Reading& r);
std::vector<int> turns_in_order(const Reading& r);                   // the events of speech, by their time
std::string names(const Set& who);                                   // "speaker 1, 2"
int words_in(const std::string& plain_text);                         // of plain()
void check_turns(Reading& r, const std::vector<Person>& people);     // "line 4 is by B", "ten turns in all"
void check_reported(Reading& r, const std::vector<Person>& people);  // "the third suggests the park"

}  // namespace areason::claims
