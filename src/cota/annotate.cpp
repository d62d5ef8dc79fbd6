#include "cota/annotate.h"

#include <algorithm>
#include <array>

#include "base/random.h"
#include "cota/check.h"

namespace areason {
namespace {

constexpr std::size_t kLongestAnswer = 200'000;  // bytes; no annotation is that long
constexpr std::size_t kShortestCaption = 10;     // bytes
constexpr std::size_t kMostChoices = 4;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool is_letter(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

enum class Mark { kCaption, kPair, kQuestion, kAnswer };

// An opening or closing tag, or a heading such as "Question 2:", where it stands.
struct Token {
  Mark mark;
  bool closing = false;
  std::size_t from = 0, to = 0;
};

// "caption", "question", "question2", "q2", "answer", "ans" …; none for other words.
std::optional<Mark> mark_of(const std::string& name) {
  const std::size_t end = name.find_last_not_of("0123456789");
  if (end == std::string::npos) return {};
  const std::string word = name.substr(0, end + 1);
  const bool numbered = end + 1 < name.size();
  if (word == "caption" || word == "captions" || word == "description") return Mark::kCaption;
  if (word == "question" || word == "questions" || word == "q") return numbered ? Mark::kPair : Mark::kQuestion;
  if (word == "answer" || word == "answers" || word == "ans" || word == "a") return Mark::kAnswer;
  return {};
}

std::vector<Token> tags_in(const std::string& low) {
  std::vector<Token> out;
  for (std::size_t open = low.find('<'); open != std::string::npos; open = low.find('<', open + 1)) {
    std::size_t at = open + 1;
    const bool closing = at < low.size() && low[at] == '/';
    at += closing ? 1 : 0;
    std::string name;
    for (; at < low.size() && name.size() < 16; ++at) {
      if (is_letter(low[at]) || is_digit(low[at])) {
        name += low[at];
      } else if (low[at] != '_' && low[at] != ' ') {
        break;
      }
    }
    if (at >= low.size() || low[at] != '>') continue;
    if (const auto mark = mark_of(name)) out.push_back({*mark, closing, open, at + 1});
  }
  return out;
}

// Headings at the start of a line, for answers without tags: "**Question 1:** …", "2. Question: …", "Caption: …".
std::vector<Token> headings_in(const std::string& low) {
  std::vector<Token> out;
  for (std::size_t line = 0; line < low.size();) {
    std::size_t at = line;
    while (at < low.size() && (is_space(low[at]) || low[at] == '*' || low[at] == '#' || low[at] == '-') && low[at] != '\n')
      ++at;
    const std::size_t digits = at;
    while (at < low.size() && is_digit(low[at])) ++at;
    if (at > digits && at < low.size() && (low[at] == '.' || low[at] == ')')) ++at;
    while (at < low.size() && (low[at] == ' ' || low[at] == '*')) ++at;
    std::string name;
    for (; at < low.size() && name.size() < 16 && (is_letter(low[at]) || is_digit(low[at]) || low[at] == ' '); ++at) {
      if (low[at] != ' ') name += low[at];
    }
    while (at < low.size() && low[at] == '*') ++at;
    if (const auto mark = mark_of(name); mark && at < low.size() && low[at] == ':') {
      std::size_t end = at + 1;
      while (end < low.size() && low[end] == '*') ++end;
      out.push_back({*mark == Mark::kPair ? Mark::kQuestion : *mark, false, line, end});
    }
    line = low.find('\n', line);
    line = line == std::string::npos ? low.size() : line + 1;
  }
  return out;
}

// Reads the tokens one after the other: a text lasts until the next token, whatever that is.
Annotation assemble(const std::string& text, const std::vector<Token>& tokens) {
  Annotation out;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Token& t = tokens[i];
    if (t.closing) continue;
    const std::size_t end = i + 1 < tokens.size() ? tokens[i + 1].from : text.size();
    const std::string content = trimmed(std::string_view(text).substr(t.to, end - t.to));
    if (t.mark == Mark::kCaption) {
      if (out.caption.empty()) out.caption = content;
    } else if (t.mark == Mark::kAnswer) {
      if (!out.pairs.empty() && out.pairs.back().answer.empty()) out.pairs.back().answer = content;
    } else if (!content.empty()) {
      // <question1> holds a <question>, or the question's text itself.
      out.pairs.push_back({content, {}, "", ""});
    }
  }
  return out;
}

std::string refusal_of(QuestionAnswer& pair, std::size_t number, const AnnotationRules& rules) {
  const std::string which = "question " + std::to_string(number);
  if (pair.question.find("...") == 0 || pair.answer.find("...") == 0) return which + " repeats the dots of the example";
  if (pair.answer.empty()) return which + " has no answer";
  pair.choices = choices_in(pair.question);
  const int letter = answer_letter(pair.answer);
  if (pair.choices.empty()) {
    if (letter >= 0) return which + " has a letter for an answer but no options (a) to (d)";
    return "";
  }
  if (pair.choices.size() > kMostChoices || pair.choices.size() < rules.fewest_choices)
    return which + " has " + std::to_string(pair.choices.size()) + " options; give exactly four, (a) to (d)";
  if (letter < 0) return which + " has options, but its answer does not end with \"the answer is\" and a letter";
  pair.letter = std::string(1, static_cast<char>('a' + letter));
  for (std::size_t i = 0; i < pair.choices.size(); ++i) {
    if (pair.choices[i].empty()) return which + " has an empty option";
    if (std::count(pair.choices.begin(), pair.choices.end(), pair.choices[i]) > 1) return which + " has an option twice";
  }
  return "";
}

// Where option `index` begins ("(b) two"), searched from `from`; its text begins at `text`.
struct Option {
  std::size_t from = std::string::npos, text = 0;
};
Option find_option(std::string_view low, int index, std::size_t from) {
  const char letter = static_cast<char>('a' + index);
  for (std::size_t at = low.find(letter, from); at != std::string_view::npos; at = low.find(letter, at + 1)) {
    const bool open = at > 0 && low[at - 1] == '(';
    const bool closed = at + 1 < low.size() && low[at + 1] == ')';
    std::size_t line = at;
    while (line > 0 && (low[line - 1] == ' ' || low[line - 1] == '*' || low[line - 1] == '-')) --line;
    const bool starts_line = line == 0 || low[line - 1] == '\n';
    const bool dotted = at + 1 < low.size() && (low[at + 1] == '.' || low[at + 1] == ':') && starts_line;
    const bool bare = closed && !open && (at == 0 || is_space(low[at - 1]));
    if (!(open && closed) && !dotted && !bare) continue;
    std::size_t text = at + 2;
    while (text < low.size() && (low[text] == '.' || low[text] == ':' || low[text] == '*')) ++text;
    return {open ? at - 1 : at, text};
  }
  return {};
}

// Without what separates it from the next option: ",", ";", the full stop of "3.", or the bullet and the bold mark that open
// the next line.
std::string option_text(std::string_view text) {
  std::string out = trimmed(text);
  const auto separates = [&](char c) { return c == ',' || c == ';' || c == '*' || (c == '.' && out.size() < 4); };
  while (!out.empty() && separates(out.back())) out = trimmed(out.substr(0, out.size() - 1));
  return out.ends_with("\n-") ? option_text(out.substr(0, out.size() - 2)) : out;
}

}  // namespace

std::string trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return std::string(text);
}

std::string lower_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

std::string without_code_fences(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = text.find('\n', at);
    end = end == std::string_view::npos ? text.size() : end + 1;
    const std::string_view line = text.substr(at, end - at);
    const std::string start = trimmed(line);
    // "```xml" alone on its line; a fence with a tag behind it loses the fence only.
    if (start.rfind("```", 0) != 0) {
      out += line;
    } else if (const std::size_t tag = line.find('<'); tag != std::string_view::npos) {
      out += line.substr(tag);
    }
    at = end;
  }
  while (out.ends_with("```")) out.resize(out.size() - 3);
  return out;
}

std::vector<std::string> choices_in(std::string_view question) {
  const std::string low = lower_ascii(question);
  std::vector<std::string> out;
  Option current = find_option(low, 0, 0);
  for (int i = 0; current.from != std::string::npos && i < 8; ++i) {
    const Option next = find_option(low, i + 1, current.text);
    const std::size_t end = next.from == std::string::npos ? question.size() : next.from;
    out.push_back(option_text(question.substr(current.text, end - current.text)));
    current = next;
  }
  return out.size() < 2 ? std::vector<std::string>() : out;
}

Parsed<Annotation> parse_annotation(std::string_view whole, const AnnotationRules& rules) {
  const auto questions = static_cast<std::size_t>(std::max(1, rules.questions));
  if (whole.size() > kLongestAnswer) return {{}, "the answer is far too long"};
  const std::string text = without_code_fences(whole);
  const std::string low = lower_ascii(text);
  Annotation a = assemble(text, tags_in(low));
  if (a.caption.empty() && a.pairs.empty()) a = assemble(text, headings_in(low));
  if (a.caption.empty()) return {{}, "there is no <caption>…</caption>"};
  if (a.caption.size() < kShortestCaption || a.caption.find("...") == 0) return {{}, "the caption says nothing"};
  if (a.pairs.empty()) return {{}, "there is no <question>…</question> with an <answer>…</answer>"};
  // A pair that the token limit cut off at the end is worth nothing, but the ones before it are complete.
  if (a.pairs.size() > questions) a.pairs.resize(questions);
  for (std::size_t i = 0; i < a.pairs.size(); ++i) {
    if (std::string refusal = refusal_of(a.pairs[i], i + 1, rules); !refusal.empty()) return {{}, refusal};
    for (std::size_t k = 0; k < i; ++k) {
      if (a.pairs[k].question == a.pairs[i].question) return {{}, "question " + std::to_string(i + 1) + " repeats another"};
    }
  }
  if (a.pairs.size() < questions)
    return {{},
            "there are " + std::to_string(a.pairs.size()) + " questions with answers instead of " + std::to_string(questions)};
  return {std::move(a), ""};
}

void shuffle_choices(QuestionAnswer& pair, std::uint64_t seed) {
  if (pair.choices.size() != kMostChoices || pair.letter.empty()) return;
  const std::string low_answer = lower_ascii(pair.answer);
  const std::size_t last = low_answer.rfind("answer is");
  if (last == std::string::npos) return;
  // An answer that weighs "(a)" against "option c" would no longer fit.
  const std::string before = low_answer.substr(0, last);
  for (int i = 0; i < 4; ++i) {
    const std::string l(1, static_cast<char>('a' + i));
    if (before.find("(" + l + ")") != std::string::npos || before.find("option " + l) != std::string::npos ||
        before.find("answer is " + l) != std::string::npos)
      return;
  }
  const std::size_t first = find_option(lower_ascii(pair.question), 0, 0).from;
  if (first == std::string::npos) return;
  const std::string gold = pair.choices[static_cast<std::size_t>(pair.letter[0] - 'a')];
  Random random(seed);
  random.shuffle(pair.choices);
  const auto at = std::find(pair.choices.begin(), pair.choices.end(), gold) - pair.choices.begin();
  pair.letter = std::string(1, static_cast<char>('a' + at));
  pair.question = trimmed(pair.question.substr(0, first));
  for (std::size_t i = 0; i < pair.choices.size(); ++i)
    pair.question += std::string(" (") + static_cast<char>('a' + i) + ") " + pair.choices[i];
  pair.answer = trimmed(pair.answer.substr(0, last)) + (trimmed(pair.answer.substr(0, last)).empty() ? "The" : "") +
                " answer is " + static_cast<char>('A' + at) + ".";
}

}  // namespace areason
