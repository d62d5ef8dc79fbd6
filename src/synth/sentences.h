#pragma once
// The closed little language of the synthetic speech: word categories, sentences and short dialogue turns made of them. Called
// by the speech scenes; the categories also by cota (distractors of "which word" questions). Thread rule: constant data.
#include <string>
#include <vector>

#include "base/random.h"

namespace areason {

struct WordCategory {
  std::string name;                // "colour"
  std::vector<std::string> words;  // lower case
};

// name, colour, animal, object, place, action, day, food, digit.
const std::vector<WordCategory>& word_categories();
// The words of one category; throws Error(kFailure) for an unknown name.
const std::vector<std::string>& words_of(const std::string& category);

struct Sentence {
  std::string text;     // as in Event::text: lower case, no punctuation: "anna finds the red ball"
  std::string written;  // with capitals and a full stop or question mark, for the synthesiser
};

Sentence make_sentence(Random& random);
// "the code is three seven one": 2 to 5 digits.
Sentence make_digit_sentence(Random& random);
// `count` turns of a conversation; every second one answers the one before where it asked.
std::vector<Sentence> make_dialogue(int count, Random& random);

}  // namespace areason
