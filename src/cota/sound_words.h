#pragma once
// Which sounds a piece of English speaks of: words and phrases ("barking", "car horn", "a man talks") as sets of sound
// concepts, and the labels of a timeline as the same. One word may stand for several concepts ("horn": a car's or a signal),
// and a label that no table knows is a concept of its own. For the checker (claims.h); shares nothing with what writes chains.
// Thread rule: constant data and values.
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace areason {

// "bark", "barks" -> "bark", "barking", "barked" -> "bark?" (with or without an e): no dictionary.
std::string word_stem(std::string_view word);

using SoundConcepts = std::set<int>;

struct SoundWord {
  SoundConcepts concepts;
  SoundConcepts sure;  // without those that the words often do not mean ("ring", "break", "person")
  int words = 0;       // how many words were read
};

class SoundWords {
 public:
  // Labels of a timeline: what they hold beside the table's words is learned.
  explicit SoundWords(const std::vector<std::string>& labels);
  // The longest phrase that begins at `at`; words == 0 when there is none.
  SoundWord read(const std::vector<std::string>& stems, std::size_t at) const;
  SoundConcepts of_label(const std::string& label) const;

  // Are these sounds that people make with their voices (a "voice" or a "person" may mean them)?
  static bool human(const SoundConcepts& concepts);
  static bool voice(const SoundConcepts& concepts);  // without footsteps, applause …
  static bool speech(const SoundConcepts& concepts);
  static bool music(const SoundConcepts& concepts);
  static bool instrument(const SoundConcepts& concepts);  // all of them are played

 private:
  struct Form {
    std::vector<std::string> stems;
    int concept_id = 0;
    bool certain = true;
  };
  static const std::vector<Form>& table();
  std::vector<Form> learned_;
  std::vector<std::string> labels_;
};

}  // namespace areason
