#include "eval/option_map.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "eval/python_text.h"

namespace areason {
namespace {

constexpr std::size_t kMostOptions = 26;
constexpr std::size_t kLongestLook = 200;  // characters of an option that matter for telling it from a letter

bool is_trim(char32_t c) {
  return py::is_space(c) ||
         std::u32string_view(U"\"'`*_.,;:!?\u201c\u201d\u2018\u2019\u3002\uff0e\uff0c").find(c) != std::u32string_view::npos;
}

// Lower case, single spaces, without quotes, emphasis and stops around it.
std::u32string bare(std::string_view text) {
  const std::u32string low = py::decode(py::lower(text));
  std::u32string out;
  for (const char32_t c : low) {
    if (!py::is_space(c)) {
      out += c;
    } else if (!out.empty() && out.back() != U' ') {
      out += U' ';
    }
  }
  while (!out.empty() && is_trim(out.back())) out.pop_back();
  std::size_t begin = 0;
  while (begin < out.size() && is_trim(out[begin])) ++begin;
  return out.substr(begin);
}

int exact_option(const std::u32string& reply, const std::vector<std::u32string>& options) {
  for (std::size_t i = 0; i < options.size(); ++i)
    if (!options[i].empty() && options[i] == reply) return static_cast<int>(i);
  return -1;
}

struct Reader {
  const std::u32string& text;  // as written
  const std::vector<std::u32string>& options;

  int letter_at(std::size_t at) const {
    if (at >= text.size()) return -1;
    const char32_t c = text[at] >= U'a' && text[at] <= U'z' ? text[at] - 32 : text[at];
    const int index = c >= U'A' && c <= U'Z' ? static_cast<int>(c - U'A') : -1;
    return index >= 0 && index < static_cast<int>(options.size()) ? index : -1;
  }
  bool word_at(std::size_t at) const { return at < text.size() && py::is_word(text[at]); }
  std::size_t skip(std::size_t at, std::u32string_view chars) const {
    while (at < text.size() && (py::is_space(text[at]) || chars.find(text[at]) != std::u32string_view::npos)) ++at;
    return at;
  }
  bool low_equals(std::size_t at, std::string_view word) const {
    if (at + word.size() > text.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
      const char32_t c = text[at + i];
      if ((c >= U'A' && c <= U'Z' ? c + 32 : c) != static_cast<char32_t>(word[i])) return false;
    }
    return true;
  }

  // A letter that stands alone at `at`; a lower-case one, or "A" and "I", only before a mark or the end: "the answer is a
  // piano" names no letter.
  int marked_letter(std::size_t at) const {
    const int index = letter_at(at);
    if (index < 0 || word_at(at + 1) || starts_with_option(at)) return -1;  // "B minor" is an option, not the letter B
    const bool bare_word = text[at] >= U'a' || text[at] == U'A' || text[at] == U'I';
    const std::size_t next = at + 1;
    if (bare_word && next < text.size() && py::is_space(text[next])) {
      const std::size_t rest = skip(next, U"*_");
      if (rest < text.size()) {
        // "A because" and "a, because" are read, "a piano" and "A piano" are not.
        return text[at] == U'A' && low_equals(rest, "because") ? index : -1;
      }
    }
    return index;
  }

  // Looks at a bounded part of the rest, as this runs for every letter.
  bool starts_with_option(std::size_t at) const {
    std::size_t longest = 0;
    for (const auto& option : options) longest = std::max(longest, option.size());
    const std::u32string rest =
        bare(py::encode(std::u32string_view(text).substr(at, 2 * std::min(longest, kLongestLook) + 16)));
    for (const auto& option : options)
      if (option.size() > 1 && rest.starts_with(option)) return true;
    return false;
  }

  // The letter behind the last "answer is", "answer:", "option", "choice".
  std::optional<int> stated() const {
    static constexpr std::array<std::string_view, 3> kWords = {"answer", "option", "choice"};
    std::optional<int> last;
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (at > 0 && word_at(at - 1)) continue;
      for (const std::string_view word : kWords) {
        if (!low_equals(at, word) || word_at(at + word.size())) continue;
        std::size_t next = skip(at + word.size(), U":=*_\"'`([-");
        for (const std::string_view link : {"is", "would be", "should be", "must be", "option", "choice", "letter"}) {
          if (low_equals(next, link) && !word_at(next + link.size())) next = skip(next + link.size(), U":=*_\"'`([");
        }
        if (const int index = marked_letter(next); index >= 0) last = index;
      }
    }
    return last;
  }

  // "(b)" or "[b]" anywhere, if all such letters agree.
  std::optional<int> in_brackets() const {
    std::set<int> found;
    for (std::size_t at = 0; at + 2 < text.size(); ++at) {
      const bool round = text[at] == U'(' && text[at + 2] == U')', square = text[at] == U'[' && text[at + 2] == U']';
      if ((round || square) && letter_at(at + 1) >= 0) found.insert(letter_at(at + 1));
    }
    return found.size() == 1 ? std::optional(*found.begin()) : std::nullopt;
  }

  // "B", "b", "B.", "B) text" at the start.
  std::optional<int> leading() const {
    const std::size_t at = skip(0, U"*_\"'`([");
    const int index = letter_at(at);
    if (index < 0 || word_at(at + 1) || starts_with_option(at)) return std::nullopt;
    const std::size_t next = at + 1;
    if (next >= text.size() || skip(next, U"*_\"'`)].:,!?\u3002") >= text.size()) return index;  // nothing else follows
    return std::u32string_view(U").:]").find(text[next]) != std::u32string_view::npos ? std::optional(index) : std::nullopt;
  }
};

// The options whose text occurs between word borders, without those inside a longer one that occurs.
std::set<int> options_inside(const std::u32string& reply, const std::vector<std::u32string>& options) {
  std::vector<bool> covered(reply.size(), false);
  std::vector<std::size_t> by_length(options.size());
  for (std::size_t i = 0; i < by_length.size(); ++i) by_length[i] = i;
  std::stable_sort(by_length.begin(), by_length.end(),
                   [&](std::size_t a, std::size_t b) { return options[a].size() > options[b].size(); });
  std::set<int> found;
  std::set<std::u32string> seen;
  for (const std::size_t i : by_length) {
    const std::u32string& option = options[i];
    if (option.empty() || !seen.insert(option).second) continue;
    for (std::size_t at = reply.find(option); at != std::u32string::npos; at = reply.find(option, at + 1)) {
      const std::size_t end = at + option.size();
      if (at > 0 && py::is_word(reply[at - 1]) && py::is_word(option.front())) continue;
      if (end < reply.size() && py::is_word(reply[end]) && py::is_word(option.back())) continue;
      if (covered[at]) continue;
      for (std::size_t j = at; j < end; ++j) covered[j] = true;
      found.insert(static_cast<int>(i));
    }
  }
  return found;
}

}  // namespace

MappedOption map_option(std::string_view reply, const std::vector<std::string>& choices) {
  using How = MappedOption::How;
  if (choices.empty() || choices.size() > kMostOptions) return {};
  std::vector<std::u32string> options;
  for (const std::string& choice : choices) options.push_back(bare(choice));
  const std::u32string clean = bare(reply);
  if (const int exact = exact_option(clean, options); exact >= 0) return {How::kExactText, exact};
  const std::u32string text = py::decode(reply);
  const Reader reader{text, options};
  std::optional<int> letter = reader.stated();
  if (!letter) letter = reader.leading();
  if (!letter) letter = reader.in_brackets();
  const std::set<int> inside = options_inside(clean, options);
  if (letter) {
    // "(A) Woman" where Woman is option B says two things.
    const auto same_text = [&](int i) {
      return options[static_cast<std::size_t>(i)] == options[static_cast<std::size_t>(*letter)];
    };
    // "The answer is D" among the keys G, A#, D, E may be the fourth option or the third.
    const std::u32string name(1, static_cast<char32_t>(U'a' + static_cast<char32_t>(*letter)));
    const int named = exact_option(name, options);
    if (named >= 0 && named != *letter) return {How::kAmbiguous, -1};
    const bool contradicts = inside.size() == 1 && !same_text(*inside.begin()) && reader.leading() == letter &&
                             options[static_cast<std::size_t>(*inside.begin())].size() > 1;
    if (contradicts) return {How::kAmbiguous, -1};
    return {How::kLetter, *letter};
  }
  if (inside.size() == 1) return {How::kTextInside, *inside.begin()};
  return {inside.empty() ? How::kUnread : How::kAmbiguous, -1};
}

std::string_view mapping_name(MappedOption::How how) {
  switch (how) {
    case MappedOption::How::kExactText:
      return "mapped_exact_text";
    case MappedOption::How::kLetter:
      return "mapped_by_letter";
    case MappedOption::How::kTextInside:
      return "mapped_text_inside";
    case MappedOption::How::kAmbiguous:
      return "unmapped_ambiguous";
    default:
      return "unmapped";
  }
}

}  // namespace areason
