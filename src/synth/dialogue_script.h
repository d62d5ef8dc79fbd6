#pragma once
// What is said in a scene of the set Multi-Speaker: who, in which order, which words. Scripts come from the grammar below
// (offline, and then it is known what each line is about) or from a teacher (cota/script_teacher.h).
// Called by multi_speaker.cpp and cota. Thread rule: values; the grammar depends on the random numbers only.
#include <string>
#include <vector>

#include "base/random.h"

namespace areason {

struct ScriptSpeaker {
  std::string name;    // as the script calls them; never spoken unless a line says it
  std::string gender;  // "man", "woman", "" for any
};

struct ScriptLine {
  int speaker = 0;   // index into speakers
  std::string text;  // as written, with capitals and stops
  // Grammar only: "the hotel", and what the line says of it: "it is far too expensive".
  std::string topic, statement;
};

struct DialogueScript {
  std::string scenario;  // "planning a trip"
  std::vector<ScriptSpeaker> speakers;
  std::vector<ScriptLine> lines;
  std::string by = "grammar";  // or the teacher's model
};

// 2 to 4 speakers, 5 to 10 lines; nobody says two things of one topic, and no two speakers the same.
DialogueScript make_grammar_script(Random& random);

// Every statement that the grammar knows about `topic`, for wrong options; empty for an unknown topic.
std::vector<std::string> statements_about(const std::string& topic);
// All scenarios of the grammar, sorted.
std::vector<std::string> grammar_scenarios();

// Words of a line as a timeline keeps them: lower case, no punctuation but apostrophes, single blanks.
std::string spoken_words(const std::string& written);

}  // namespace areason
