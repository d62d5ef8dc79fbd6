#include "synth/sentences.h"

#include <array>
#include <cctype>
#include <string_view>

#include "base/error.h"

namespace areason {
namespace {

// {category} is replaced by a word of it, {digits} by 2 to 5 digits; a '?' at the end is kept for the synthesiser only.
constexpr std::array<std::string_view, 12> kSentences = {
    "{name} {action} the {colour} {object}",
    "the {colour} {animal} is in the {place}",
    "{name} {action} a {colour} {object} at the {place}",
    "please bring the {object} to the {place} on {day}",
    "{name} goes to the {place} on {day}",
    "my {animal} likes {food}",
    "{name} wants {food} and {food}",
    "the {animal} sleeps near the {object}",
    "on {day} we meet {name} at the {place}",
    "{name} {action} {digit} {food} and one {object}",
    "there is a {colour} {object} in the {place}",
    "{name} and {name} are at the {place}",
};

constexpr std::array<std::string_view, 6> kDigitSentences = {
    "the code is {digits}",
    "the number is {digits}",
    "please call {digits}",
    "{name} lives in room {digits}",
    "{digits}",
    "the {place} code is {digits}",
};

struct Exchange {
  std::string_view question, answer;
};

constexpr std::array<Exchange, 10> kExchanges = {{
    {"where is the {object}?", "it is in the {place}"},
    {"who has the {colour} {object}?", "{name} has it"},
    {"what is the code?", "the code is {digits}"},
    {"what do you want?", "i want {food} and {food}"},
    {"when do we meet?", "we meet on {day}"},
    {"where is {name}?", "maybe at the {place}"},
    {"what is in the {object}?", "there is a {colour} {animal} in it"},
    {"do you see the {animal}?", "yes it is near the {object}"},
    {"which colour do you like?", "i like {colour}"},
    {"shall we go to the {place}?", "yes we go on {day}"},
}};

constexpr std::array<std::string_view, 5> kRemarks = {"the {animal} is {colour}", "{name} is at the {place}", "i like {food}",
                                                      "see you on {day}", "my {object} is {colour}"};

std::string digits(Random& random) {
  std::string text;
  for (int i = random.between(2, 5); i > 0; --i) text += (text.empty() ? "" : " ") + random.pick(words_of("digit"));
  return text;
}

// No word is used twice in one sentence or exchange but digits.
std::string fresh_word(const std::string& category, const std::string& text, Random& random) {
  for (;;) {
    const std::string& word = random.pick(words_of(category));
    if (category == "digit" || text.find(word) == std::string::npos) return word;
  }
}

std::string fill(std::string_view pattern, const std::string& context, Random& random) {
  std::string text;
  for (std::size_t at = 0; at < pattern.size();) {
    if (pattern[at] != '{') {
      text += pattern[at++];
      continue;
    }
    const std::size_t close = pattern.find('}', at);
    const std::string category(pattern.substr(at + 1, close - at - 1));
    text += category == "digits" ? digits(random) : fresh_word(category, context + " " + text, random);
    at = close + 1;
  }
  return text;
}

// `text` may end in '?'.
Sentence finish(std::string text) {
  const bool question = text.ends_with('?');
  if (question) text.pop_back();
  Sentence sentence;
  sentence.text = text;
  sentence.written = text + (question ? "?" : ".");
  sentence.written[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(sentence.written[0])));
  return sentence;
}

}  // namespace

const std::vector<WordCategory>& word_categories() {
  static const std::vector<WordCategory> categories = {
      {"name", {"anna", "tom", "maria", "peter", "lucy", "david", "emma", "jack"}},
      {"colour", {"red", "blue", "green", "yellow", "black", "white", "brown", "orange"}},
      {"animal", {"dog", "cat", "horse", "bird", "cow", "sheep", "fish", "mouse", "duck", "rabbit"}},
      {"object", {"ball", "book", "car", "box", "hat", "cup", "key", "lamp", "chair", "table", "phone", "boat"}},
      {"place", {"garden", "kitchen", "school", "market", "park", "station", "library", "river", "hotel", "beach"}},
      {"action", {"buys", "finds", "sees", "takes", "wants", "paints", "brings", "loses", "sells", "holds"}},
      {"day", {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}},
      {"food", {"tea", "coffee", "bread", "cheese", "apples", "soup", "milk", "rice"}},
      {"digit", {"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}},
  };
  return categories;
}

const std::vector<std::string>& words_of(const std::string& category) {
  for (const WordCategory& c : word_categories()) {
    if (c.name == category) return c.words;
  }
  throw Error(ErrorCode::kFailure, "unknown word category " + category, "see synth/sentences.cpp");
}

Sentence make_sentence(Random& random) {
  return finish(fill(kSentences[random.below(static_cast<std::uint32_t>(kSentences.size()))], "", random));
}

Sentence make_digit_sentence(Random& random) {
  return finish(fill(kDigitSentences[random.below(static_cast<std::uint32_t>(kDigitSentences.size()))], "", random));
}

std::vector<Sentence> make_dialogue(int count, Random& random) {
  std::vector<Sentence> turns;
  std::string said;  // no exchange repeats words of an earlier one, so that "who said …" has one answer
  std::vector<std::size_t> order(kExchanges.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  random.shuffle(order);
  for (std::size_t i = 0; static_cast<int>(turns.size()) + 1 < count; ++i) {
    const Exchange& exchange = kExchanges[order[i]];
    const std::string question = fill(exchange.question, said, random);
    said += " " + question;
    const std::string answer = fill(exchange.answer, said, random);
    said += " " + answer;
    turns.push_back(finish(question));
    turns.push_back(finish(answer));
  }
  if (static_cast<int>(turns.size()) < count) {
    turns.push_back(finish(fill(kRemarks[random.below(static_cast<std::uint32_t>(kRemarks.size()))], said, random)));
  }
  return turns;
}

}  // namespace areason
