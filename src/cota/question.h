#pragma once
// Turns what is heard into questions with their chains. A maker is a pure function of what is heard, of the material that wrong
// options are drawn from, and of a random generator; it returns nothing when its question cannot be asked of these clips.
// Called by synth_job; tests build the input by hand. Thread rule: free functions.
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "cota/perception.h"
#include "cota/sample.h"

namespace areason {

// One clip, two clips to compare, or the windows of a long one.
enum class ListeningForm { kOne, kPair, kLong };
struct Listening {
  ListeningForm form = ListeningForm::kOne;
  SceneType type = SceneType::kSound;
  std::vector<Perception> audios;
  std::string set, scenario;  // of Scene::staging (set, form); "" for nano's scenes
  std::string caption() const;
};
Listening listen(const Scene& scene);
Listening listen_pair(const Scene& first, const Scene& second);

// What wrong options are drawn from.
struct NamedSound {
  std::string name, family;
};
struct Material {
  std::vector<NamedSound> sounds;
  std::vector<std::vector<std::string>> words;  // groups of words of one meaning: colours, animals …
  std::vector<std::string> languages, moods, instruments, music_moods;
  std::vector<std::pair<std::string, std::string>> metres;       // "3/4", "waltz feel"
  std::map<std::string, std::vector<std::string>> translations;  // into each language, sorted
};
// The sound table and what the given scenes contain.
Material collect_material(const std::vector<const Scene*>& scenes);

struct Draft {
  std::string question;  // without the options
  std::vector<std::string> choices;
  int gold = -1;         // index into choices
  bool lettered = true;  // false: the alternatives stand in the question itself
  std::string answer;    // canonical text: the choice, a number, "yes", a name
  std::string planning, reasoning, summary, response;
  std::vector<Turn> turns;
};
using QuestionMaker = std::function<std::optional<Draft>(const Listening&, const Material&, Random&)>;

struct NamedMaker {
  std::string kind;
  QuestionMaker make;
};
std::vector<NamedMaker> sound_makers();
std::vector<NamedMaker> speech_makers();
std::vector<NamedMaker> music_makers();
std::vector<NamedMaker> multi_makers();  // pairs, long clips, mixed scenes
std::vector<NamedMaker> turn_makers();
// All of them, in the order of kinds().
const std::vector<NamedMaker>& question_makers();

// The question as a user types it, options included.
std::string typed_question(const Draft& draft, Random& random);
Chain chain_of(const Draft& draft, const std::string& caption);

// ---- pieces that makers share ----
// Replaces {x}, {y}, … by the values, in order x, y, z.
std::string fill(std::string text, const std::vector<std::string>& values);
// A random phrasing of `texts`, filled.
std::string phrase(Random& random, const std::vector<const char*>& texts, const std::vector<std::string>& values = {});
// Shuffles the gold text among the others.
void set_options(Draft& draft, const std::string& gold, std::vector<std::string> others, Random& random);
// "bell B"
std::string with_letter(const std::string& choice, int index);
// What a chain calls an option: itself, or its distinguishing word.
std::string short_name(const std::string& choice);
// "dog bark, bell B": the names, with their letters where they are among the options
std::string letters_of(const std::vector<std::string>& names, const Draft& draft);
// "(a) rain A (b) bell B."
std::string listed_options(const Draft& draft);
// "It is bell B."
std::string option_step(const Draft& draft);
// Both.
std::string option_steps(const Draft& draft);
// "The answer is B."
std::string letter_sentence(const Draft& draft);
// The texts of a draft with options: the fact and the options, then the sentence that answers, with its letter.
void finish_choice(Draft& draft, const std::string& fact, const std::string& sentence);
// Whether a question gives options.
enum class Ask { kOptions, kOpen };
// Three class names that are neither heard nor related by meaning to what is heard; one or two from the family of `gold`.
std::vector<std::string> other_sounds(const Listening& listening, const Material& material, const std::string& gold,
                                      Random& random);
// A class that is not heard: of a heard one's family in half of the cases.
std::string absent_sound(const Listening& listening, const Material& material, Random& random);
// `count` random items of `pool` other than those in `not_these`; fewer when the pool is too small.
std::vector<std::string> pick_others(const std::vector<std::string>& pool, const std::vector<std::string>& not_these, int count,
                                     Random& random);
// The sounds (no speech, no music) of one audio, in order.
std::vector<Heard> sounds_of(const Perception& perception);
std::vector<std::string> names_of(const std::vector<Heard>& heard);
// "one", "two" … for 0, 1 …
std::string place_word(std::size_t index);
// "In order: first bell one, second rain two.": place and name can be looked up from each other.
std::string in_places(const std::vector<std::string>& names);
// The list of in_places(), then the sound `step` places from that at `index`.
std::string neighbour_steps(const std::vector<Heard>& heard, std::size_t index, int step);
// "The bell: 0.5 to 2.0 s. "
std::string span_of(const std::string& name, const Heard& heard);
struct NamedSpan {
  std::string name;
  const Heard& heard;
};
// Both times, the earlier first, and whether the second starts before the first ends.
std::string overlap_steps(const NamedSpan& a, const NamedSpan& b);
// The caption's lines once more, each with its length: "0.5 to 3.0 s: train 2.5 s. ".
std::string lengths_by_line(const std::vector<Heard>& heard);
// "Wanted: bell yes. I hear rain no, bell yes."
std::string verdicts_on(const std::vector<std::string>& names, const std::string& wanted);
// Answer, reasoning, summary and response of a question on how often `name` is heard.
void finish_count_of(Draft& draft, const std::vector<Heard>& heard, const std::string& name);
// "a, b and c"
std::string list_words(const std::vector<std::string>& words);

}  // namespace areason
