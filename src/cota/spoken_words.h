#pragma once
// Words that a chain quotes beside those that are said: in the spelling of people who write down what they hear. Called by the
// judge of statements. Thread rule: free functions; texts are those of plain().
#include <string>
#include <vector>

namespace areason::claims {

std::vector<std::string> spoken_words(const std::string& plain_text);
bool has_latin_letter(const std::string& text);
// Equal but for one letter in four.
bool nearly_equal(const std::string& a, const std::string& b);
// "apples" and "apple", or nearly equal.
bool same_stem(const std::string& a, const std::string& b);
// Are the words in the text one after the other, others between them or not? Numbers are left out.
bool in_order(const std::vector<std::string>& words, const std::vector<std::string>& text);
// Numbers that are spoken or written, digit by digit ("nine zero", "9 0" and "90" alike) or as they stand.
enum class Figures { kDigits, kWhole };
std::vector<double> figures_of(const std::vector<std::string>& words, Figures as);

}  // namespace areason::claims
