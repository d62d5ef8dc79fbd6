#pragma once
// What claim_counts.cpp hands on: how many of a sound (claim_totals.cpp), how many people and turns (claim_company.cpp).
// Thread rule: free functions on one Reading.
#include <string>

#include "cota/claim_rules.h"

namespace areason::claims {

inline constexpr const char* kTurns =
    "turn|turns|utterance|utterances|line|lines|sentence|sentences|remarks|statements|phrases|contributions|announcements|"
    "things|cries|bits|exclamations|phrase|shouts|replies|exchanges|interventions";
inline constexpr const char* kPeople =
    "people|persons|person|speaker|speakers|voice|voices|individuals|participants|friends|parents|colleagues|neighbours|"
    "neighbors|"
    "strangers|talkers|parties|interlocutors|adults|guests|fans|men|women|males|females|man|woman|parent|friend|patients|pals|"
    "mates|buddies|"
    "travellers|family|fellows|guys|girls|ladies|blokes|gentlemen|folks";

inline constexpr const char* kUnits =
    "s|sec|secs|second|seconds|ms|minute|minutes|percent|hz|khz|db|bpm|%|o'clock|to|until|half|quarter|quarters|tenths|thirds|/"
    "|beats|bars";
// Words of a part: a smaller number may count no more than that.
inline constexpr const char* kPart =
    "before|after|during|between|while|until|more|another|again|rest|remaining|further|additional|extra|other|others|others|"
    "half|"
    "part|within|inside|following|least|most|respectively|former|latter|each|per|every|up|of|whose|beneath|whereas|early|late|"
    "so|almost|nearly|"
    "beginning|start|end|over|left|later|apart|immediately|overlap|overlaps|overlapping|them|these|those|already|first|last|"
    "then|"
    "longer|shorter|louder|quieter|long|short|with|separate|on";

struct Span {
  int begin = 0, end = 0;  // words of the sentence
};

inline std::string times(double n) { return std::to_string(static_cast<int>(n)); }
bool fits_count(const Reading& r, double n, const Mention& m, Span number);
void expect_count(Reading& r, double n, const Mention& m, Span number);
void expect_total(Reading& r, double n);
void expect_asked(Reading& r, double n, int at);  // a number that stands alone
void expect_speakers(Reading& r, double n);
// The number at word i counts people (the noun at word `noun`), or turns.
void count_people(Reading& r, int i, int noun);
void count_turns(Reading& r, int i);
void check_company(Reading& r);  // "a dialogue", "a monologue", "both voices"

}  // namespace areason::claims
