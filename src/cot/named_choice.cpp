#include "cot/named_choice.h"

#include <algorithm>
#include <cctype>
#include <set>

namespace areason {
namespace {

struct SpokenWord {
  std::string text;      // lower case
  std::size_t from, to;  // bytes of the whole
};

bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) >= 0x80; }
bool blank(std::string_view text) { return text.find_first_not_of(" \t\n") == std::string_view::npos; }

std::vector<SpokenWord> spoken_words(std::string_view text) {
  std::vector<SpokenWord> out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!in_word(text[i])) continue;
    if (i == 0 || !in_word(text[i - 1])) out.push_back({"", i, i});
    out.back().text += static_cast<char>(std::tolower(static_cast<unsigned char>(text[i])));
    out.back().to = i + 1;
  }
  return out;
}

bool is_one_letter(const SpokenWord& word) { return word.text.size() == 1 && word.text[0] >= 'a' && word.text[0] <= 'z'; }

// "B." and "b)", or nothing but signs behind it.
bool is_marked(std::string_view text, const SpokenWord& word) {
  const std::string_view rest = text.substr(word.to);
  return std::none_of(rest.begin(), rest.end(), in_word) || std::string_view(".):]*").find(rest[0]) != std::string_view::npos;
}

struct LabelledChoice {
  char label = 0;  // 'b' of "B. a dog", "(b) a dog" and "B"
  std::vector<std::string> words;
};

LabelledChoice labelled_choice(const std::string& text, bool with_label) {
  LabelledChoice out;
  auto words = spoken_words(text);
  if (with_label && !words.empty() && is_one_letter(words[0]) && is_marked(text, words[0])) {
    out.label = words[0].text[0];
    words.erase(words.begin());
  }
  if (words.size() > 1 && std::set<std::string>{"a", "an", "the"}.contains(words[0].text)) words.erase(words.begin());
  for (SpokenWord& word : words) out.words.push_back(std::move(word.text));
  return out;
}

std::vector<LabelledChoice> labelled_choices(const std::vector<std::string>& choices) {
  for (const bool with_label : {true, false}) {
    std::vector<LabelledChoice> out;
    for (const std::string& choice : choices) out.push_back(labelled_choice(choice, with_label));
    if (std::all_of(out.begin(), out.end(), [](const LabelledChoice& c) { return c.label != 0; }) || !with_label) return out;
  }
  return {};
}

// The choices whose words occur, without those that lie inside a longer one.
std::set<int> choices_inside(const std::vector<SpokenWord>& said, const std::vector<LabelledChoice>& choices) {
  std::vector<int> longest_first;
  for (std::size_t i = 0; i < choices.size(); ++i) longest_first.push_back(static_cast<int>(i));
  const auto words = [&](int i) -> const std::vector<std::string>& { return choices[static_cast<std::size_t>(i)].words; };
  std::stable_sort(longest_first.begin(), longest_first.end(), [&](int a, int b) { return words(a).size() > words(b).size(); });
  std::vector<bool> taken(said.size(), false);
  std::set<int> out;
  for (const int i : longest_first) {
    const auto& wanted = words(i);
    for (std::size_t at = 0; !wanted.empty() && at + wanted.size() <= said.size(); ++at) {
      const auto same = [&](std::size_t k) { return !taken[at + k] && said[at + k].text == wanted[k]; };
      std::size_t k = 0;
      while (k < wanted.size() && same(k)) ++k;
      if (k < wanted.size()) continue;
      std::fill_n(taken.begin() + static_cast<std::ptrdiff_t>(at), wanted.size(), true);
      out.insert(i);
    }
  }
  return out;
}

// The letter behind the last "answer is", "option", "choice"; else one at the beginning, "B." or "(b)"; 0 without any. "The
// answer is a bell" names none.
char named_letter(std::string_view response, const std::vector<SpokenWord>& said) {
  static const std::set<std::string> kBefore = {"answer", "option", "choice"},
                                     kBetween = {"is", "be", "would", "must", "letter"};
  char out = 0;
  for (std::size_t i = 0; i < said.size(); ++i) {
    if (!kBefore.contains(said[i].text)) continue;
    std::size_t k = i + 1;
    while (k < said.size() && (kBetween.contains(said[k].text) || kBefore.contains(said[k].text))) ++k;
    if (k < said.size() && is_one_letter(said[k]) && is_marked(response, said[k])) out = said[k].text[0];
  }
  const bool leads = out == 0 && !said.empty() && is_one_letter(said[0]) && is_marked(response, said[0]);
  return leads ? said[0].text[0] : out;
}

int letter_index(char letter, const std::vector<LabelledChoice>& choices) {
  if (letter == 0) return -1;
  if (choices[0].label == 0) return letter - 'a' < static_cast<int>(choices.size()) ? letter - 'a' : -1;
  for (std::size_t i = 0; i < choices.size(); ++i)
    if (choices[i].label == letter) return static_cast<int>(i);
  return -1;
}

}  // namespace

int named_choice(std::string_view response, const std::vector<std::string>& choices) {
  if (choices.empty() || blank(response)) return -1;
  const auto labelled = labelled_choices(choices);
  const auto said = spoken_words(response);
  const std::set<int> inside = choices_inside(said, labelled);
  if (inside.size() == 1) return *inside.begin();
  const int by_letter = letter_index(named_letter(response, said), labelled);
  if (inside.empty() || inside.contains(by_letter)) return by_letter;
  // "Yes, there is no other sound."
  for (const int i : inside) {
    const auto& words = labelled[static_cast<std::size_t>(i)].words;
    const bool leads = words.size() == 1 && said[0].text == words[0];
    if (leads && said[0].to < response.size() && response[said[0].to] == ',') return i;
  }
  return -1;
}

}  // namespace areason
