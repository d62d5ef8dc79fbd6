#include "cot/named_choice.h"

#include <gtest/gtest.h>

namespace areason {
namespace {

using Choices = std::vector<std::string>;

TEST(NamedChoice, TextsAreFoundBetweenWords) {
  const Choices plain = {"drum", "siren", "bell"};
  EXPECT_EQ(named_choice("The first sound is the bell.", plain), 2);
  EXPECT_EQ(named_choice("Siren!", plain), 1);
  EXPECT_EQ(named_choice("The drummer plays bells.", plain), -1);  // no whole word
  EXPECT_EQ(named_choice("It is no drum but a bell.", plain), -1);
  EXPECT_EQ(named_choice("Drum? No, the bell after the drum.", plain), -1);
  EXPECT_EQ(named_choice("Yes, there is no other sound.", {"no", "yes"}), 1);
  EXPECT_EQ(named_choice("No, I hear no rain.", {"yes", "no"}), 1);
  EXPECT_EQ(named_choice("", plain), -1);
  EXPECT_EQ(named_choice("The dog barks.", {"a dog", "a cat"}), 0);
  EXPECT_EQ(named_choice("I hear a dog bark.", {"dog", "dog bark"}), 1);
  EXPECT_EQ(named_choice("Es ist Bärengebrüll.", {"Bären", "Bärengebrüll"}), 1);
}

TEST(NamedChoice, LettersTellWhereTextsDoNot) {
  const Choices plain = {"drum", "siren", "bell"};
  EXPECT_EQ(named_choice("The answer is C.", plain), 2);
  EXPECT_EQ(named_choice("(b)", plain), 1);
  EXPECT_EQ(named_choice("A", plain), 0);
  EXPECT_EQ(named_choice("The answer is a horn.", plain), -1);
  EXPECT_EQ(named_choice("A horn.", plain), -1);
  EXPECT_EQ(named_choice("The answer is E.", plain), -1);
  EXPECT_EQ(named_choice("It is no drum but a bell. The answer is C.", plain), 2);
  // The question's order was another.
  EXPECT_EQ(named_choice("The first sound is the bell. The answer is C.", {"bell", "drum", "siren"}), 0);
}

TEST(NamedChoice, LabelsAreTheirOwn) {
  EXPECT_EQ(named_choice("The answer is A.", {"B. siren", "A. drum"}), 1);
  EXPECT_EQ(named_choice("I hear the siren. The answer is B.", {"A. drum", "B. siren"}), 1);
  EXPECT_EQ(named_choice("It is the bell. The answer is C.", {"A", "B", "C"}), 2);
  EXPECT_EQ(named_choice("It is the bell. The answer is C.", {"(a) drum", "(b) siren", "(c) bell"}), 2);
  EXPECT_EQ(named_choice("The key is B minor.", {"A major", "B minor"}), 1);
}

}  // namespace
}  // namespace areason
