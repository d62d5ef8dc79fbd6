#include "cota/check.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <regex>
#include <set>

#include "cota/kinds.h"
#include "synth/sound_table.h"

namespace areason {
namespace {

constexpr std::array<const char*, 21> kNumberWords = {
    "zero",   "one",    "two",      "three",    "four",    "five",    "six",       "seven",    "eight",    "nine",  "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out(1);
  for (const unsigned char c : lower(text)) {
    if (std::isalnum(c) || c >= 0x80) {
      out.back() += static_cast<char>(c);
    } else if (!out.back().empty()) {
      out.emplace_back();
    }
  }
  if (out.back().empty()) out.pop_back();
  return out;
}

// " word word " so that phrases can be found at word borders.
std::string padded(std::string_view text) {
  std::string out = " ";
  for (const std::string& word : words_of(text)) out += word + " ";
  return out;
}

std::size_t find_phrase(const std::string& padded_text, const std::string& phrase) { return padded_text.find(padded(phrase)); }

int number_of_word(const std::string& word) {
  if (word.size() <= 6 && word.find_first_not_of("0123456789") == std::string::npos) return std::stoi(word);
  const auto it = std::find_if(kNumberWords.begin(), kNumberWords.end(), [&](const char* w) { return word == w; });
  return it == kNumberWords.end() ? -1 : static_cast<int>(it - kNumberWords.begin());
}

// The options whose text the response holds, as long as they are not part of a longer option that it holds too.
std::vector<std::size_t> options_named(const Sample& sample, const std::string& text) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < sample.choices.size(); ++i) {
    if (find_phrase(text, sample.choices[i]) == std::string::npos) continue;
    bool inside = false;
    for (std::size_t k = 0; k < sample.choices.size(); ++k) {
      const std::string longer = padded(sample.choices[k]);
      inside |= k != i && longer.size() > padded(sample.choices[i]).size() &&
                longer.find(padded(sample.choices[i])) != std::string::npos && text.find(longer) != std::string::npos;
    }
    if (!inside) out.push_back(i);
  }
  return out;
}

bool check_choice(const Sample& sample, std::string_view response) {
  const int gold = sample.answer_letter.empty() ? -1 : sample.answer_letter[0] - 'a';
  const int letter = answer_letter(response);
  if (letter >= 0) return letter == gold;
  const auto named = options_named(sample, padded(response));
  return named.size() == 1 && static_cast<int>(named[0]) == gold;
}

bool check_either(const Sample& sample, const std::string& text) {
  std::size_t first = std::string::npos;
  const std::string* named = nullptr;
  for (const std::string& choice : sample.choices) {
    const std::size_t at = find_phrase(text, choice);
    if (at < first) {
      first = at;
      named = &choice;
    }
  }
  return named != nullptr && *named == sample.answer_text;
}

bool check_name(const Sample& sample, std::string text) {
  const std::string gold = padded(sample.answer_text);
  const std::size_t at = text.find(gold);
  if (at == std::string::npos) return false;
  text.replace(at, gold.size(), " ");
  return std::none_of(sound_classes().begin(), sound_classes().end(), [&](const SoundClass& c) {
    return c.name != sample.answer_text && gold.find(padded(c.name)) == std::string::npos &&
           text.find(padded(c.name)) != std::string::npos;
  });
}

std::string_view response_part(std::string_view text) {
  const std::string low = lower(text);
  const std::size_t open = low.rfind("<response>");
  if (open == std::string::npos) return text;
  const std::size_t begin = open + 10, close = low.find("</response>", begin);
  return text.substr(begin, close == std::string::npos ? std::string_view::npos : close - begin);
}

// Every "12.5" of a text.
std::set<std::string> times_in(const std::string& text) {
  static const std::regex time(R"(\d+\.\d)");
  return {std::sregex_token_iterator(text.begin(), text.end(), time), std::sregex_token_iterator()};
}

std::vector<std::string> quotes_in(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t open = text.find('"'); open != std::string::npos; open = text.find('"', open + 1)) {
    const std::size_t close = text.find('"', open + 1);
    if (close == std::string::npos) break;
    out.push_back(text.substr(open + 1, close - open - 1));
    open = close;
  }
  return out;
}

void check_times(const Sample& s, std::vector<std::string>& problems) {
  std::set<std::string> known = times_in(s.caption);
  std::vector<double> values;
  for (const std::string& t : known) values.push_back(std::stod(t));
  for (const std::string& t : times_in(s.sections[Section::kReasoning])) {
    // A time is quoted from the caption, or it is the length between two of them.
    const double value = std::stod(t);
    const bool length = std::any_of(values.begin(), values.end(), [&](double a) {
      return std::any_of(values.begin(), values.end(), [&](double b) { return std::abs(b - a - value) < 1e-6; });
    });
    if (known.count(t) == 0 && !length) problems.push_back("time " + t + " is not in the caption");
  }
}

void check_quotes(const Sample& s, std::vector<std::string>& problems) {
  std::set<std::string> said = {"It"};
  for (const TimelineEntry& e : s.timeline) said.insert(padded(e.text));
  for (int i = 0; i < kSectionCount; ++i) {
    for (const std::string& quote : quotes_in(s.sections.text[static_cast<std::size_t>(i)])) {
      if (said.count(quote) == 0 && said.count(padded(quote)) == 0) problems.push_back("nobody says \"" + quote + "\"");
    }
  }
}

}  // namespace

int answer_letter(std::string_view text) {
  static const std::regex pattern(R"(answer\s+is\W*([a-d])(?![a-z0-9]))", std::regex::icase);
  const std::string copy(text.substr(0, 20000));  // std::regex recurses; no answer is that long
  int letter = -1;
  for (std::sregex_iterator it(copy.begin(), copy.end(), pattern), end; it != end; ++it) {
    const auto at = static_cast<std::size_t>(it->position(1));
    const bool article = copy[at] == 'a' && copy[at - 1] == ' ' && at + 2 < copy.size() && copy[at + 1] == ' ' &&
                         std::islower(static_cast<unsigned char>(copy[at + 2]));  // "the answer is a dog bark"
    if (!article) letter = std::tolower(static_cast<unsigned char>(copy[at])) - 'a';
  }
  return letter;
}

int last_number(std::string_view text) {
  int out = -1;
  for (const std::string& word : words_of(text)) {
    const int n = number_of_word(word);
    if (n >= 0) out = n;
  }
  return out;
}

std::string digits_in(std::string_view text) {
  std::string out;
  for (const std::string& word : words_of(text)) {
    const int n = number_of_word(word);
    if (n < 0) continue;
    out += std::isdigit(static_cast<unsigned char>(word[0])) ? word : n < 10 ? std::to_string(n) : "";
  }
  return out;
}

bool check_answer(const Sample& sample, std::string_view whole) {
  const std::string_view response = response_part(whole);
  switch (find_kind(sample.kind).form) {
    case AnswerForm::kChoice:
      return check_choice(sample, response);
    case AnswerForm::kEither:
      return check_either(sample, padded(response));
    case AnswerForm::kYesNo: {
      const auto words = words_of(response);
      return !words.empty() && words[0] == sample.answer_text;
    }
    case AnswerForm::kNumber:
      return last_number(response) == last_number(sample.answer_text);
    case AnswerForm::kDigits:
      return digits_in(response) == digits_in(sample.answer_text);
    case AnswerForm::kName:
      return check_name(sample, padded(response));
    case AnswerForm::kFree:
      return !words_of(response).empty();
  }
  return false;
}

std::vector<std::string> sample_problems(const Sample& s) {
  std::vector<std::string> problems;
  for (int i = 0; i < kSectionCount; ++i) {
    const std::string& text = s.sections.text[static_cast<std::size_t>(i)];
    if (text.empty()) problems.push_back("a section is empty");
    if (text.find('<') != std::string::npos || text.find('{') != std::string::npos)
      problems.push_back("a tag or an unfilled slot: " + text);
  }
  if (s.question.find('{') != std::string::npos) problems.push_back("an unfilled slot: " + s.question);
  if (!check_answer(s, s.sections[Section::kResponse])) problems.push_back("its own response counts as wrong");
  if (!s.answer_letter.empty()) {
    const auto index = static_cast<std::size_t>(s.answer_letter[0] - 'a');
    if (index >= s.choices.size() || s.choices[index] != s.answer_text)
      problems.push_back("the letter is not that of the answer");
  }
  if (std::set<std::string>(s.choices.begin(), s.choices.end()).size() != s.choices.size())
    problems.push_back("an option stands there twice");
  check_times(s, problems);
  check_quotes(s, problems);
  return problems;
}

}  // namespace areason
