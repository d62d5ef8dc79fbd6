#pragma once
// Counting people and their turns, apart from sounds: what claim_counts.cpp hands to claim_company.cpp.
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

inline std::string times(double n) { return std::to_string(static_cast<int>(n)); }
void expect_speakers(Reading& r, double n);
// The number at word i counts people (the noun at word `noun`), or turns.
void count_people(Reading& r, int i, int noun);
void count_turns(Reading& r, int i);
void check_company(Reading& r);  // "a dialogue", "a monologue", "both voices"

}  // namespace areason::claims
