#pragma once
// What a short text (RESPONSE, SUMMARY, an answer) gives as its answer: options by their words, digits, numbers, parts of a
// recording. Called by claim_response.cpp and claim_summary.cpp. Thread rule: free functions.
#include <set>
#include <string>
#include <vector>

#include "cota/claim_rules.h"

namespace areason::claims {

bool holds(const std::string& text, const std::string& phrase);
// The options whose text stands in `text` (plain()), not inside a longer one that does too.
std::vector<int> options_in(const std::vector<std::string>& options, const std::string& text);
std::string digits_of(const std::string& text);
std::vector<double> numbers_in(const std::string& text);
// "audio 2", "the second part": which file or part is meant.
std::set<int> parts_in(const std::string& text);
bool number_text(const std::string& text);
void wrong_answer(Reading& r, const std::string& what);

// Each holds a text against the known answer.
void check_option_text(Reading& r, const std::string& text, int gold);
void check_sound_names(Reading& r, const std::string& text);
void check_yes_no(Reading& r, const std::string& text);
void check_digits_said(Reading& r, const std::string& text);
void check_either(Reading& r, const std::string& text);
void check_summary(Reading& r, int gold);  // claim_summary.cpp

}  // namespace areason::claims
