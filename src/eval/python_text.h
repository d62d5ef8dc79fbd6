#pragma once
// What Python's str and re do to text, on UTF-8: the benchmarks' own scorers are Python scripts, and a port that lower-cases,
// strips or splits otherwise gives other numbers. Characters come from ICU 72 (Unicode 15); a test compares with Python for
// every character that both know. Called by all scorers. Text that is not valid UTF-8 counts as U+FFFD per bad part.
// Thread rule: free functions without state.
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace areason::py {

// str.isspace() of one character, which is also \s of re.
bool is_space(char32_t c);
// \w of re: letters (L*), numbers (N*) and "_"; marks are no word characters.
bool is_word(char32_t c);

// The code point that starts at `at`, which moves behind it.
char32_t next_char(std::string_view text, std::size_t& at);
std::u32string decode(std::string_view text);
std::string encode(std::u32string_view text);

// str.strip(), lstrip(), rstrip(): white space of is_space().
std::string_view strip(std::string_view text);
std::string_view lstrip(std::string_view text);
std::string_view rstrip(std::string_view text);
// str.strip("c") for one ASCII character.
std::string_view strip_char(std::string_view text, char c);
// str.split() without arguments.
std::vector<std::string_view> split(std::string_view text);
// str.splitlines().
std::vector<std::string_view> split_lines(std::string_view text);
// str.replace().
std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

// str.lower() and str.upper(): full mappings, final sigma, no locale, no normalisation.
std::string lower(std::string_view text);
std::string upper(std::string_view text);
// set(re.findall(r"\b\w+\b", text.lower()))
std::set<std::string> word_tokens(std::string_view text);

// int(text): surrounding white space, sign, digits of any script, single underscores between digits. Empty where Python
// raises. Beyond 2^53 the value is rounded.
std::optional<double> to_int(std::string_view text);

// repr() of a float and of a str.
std::string repr(double value);
std::string repr(std::string_view text);

}  // namespace areason::py
