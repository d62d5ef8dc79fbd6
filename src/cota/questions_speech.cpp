// Questions about spoken audio: speakers, words, digits, language, mood and gender of the voice.
#include <algorithm>
#include <array>
#include <set>
#include <sstream>

#include "cota/question.h"

namespace areason {
namespace {

using Maybe = std::optional<Draft>;
constexpr std::array<const char*, 10> kDigitWords = {"zero", "one", "two",   "three", "four",
                                                     "five", "six", "seven", "eight", "nine"};

bool is_speech_clip(const Listening& l) {
  return l.form == ListeningForm::kOne && (l.type == SceneType::kSpeech || l.type == SceneType::kDialogue ||
                                           l.type == SceneType::kActed || l.type == SceneType::kLanguage);
}

std::vector<Heard> voices_of(const Perception& p) {
  std::vector<Heard> out;
  for (const Heard& h : p.heard) {
    if (h.kind == EventKind::kSpeech) out.push_back(h);
  }
  return out;
}

std::vector<std::string> split_words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

std::string digits_of_word(const std::string& word) {
  const auto it = std::find_if(kDigitWords.begin(), kDigitWords.end(), [&](const char* w) { return word == w; });
  if (it != kDigitWords.end()) return std::to_string(it - kDigitWords.begin());
  return word.find_first_not_of("0123456789") == std::string::npos ? word : "";
}

// "4 7 1" when all digits of the text stand in one run of at least two, else "".
std::string digits_of(const std::string& text) {
  std::string out;
  int count = 0, runs = 0;
  bool in_run = false;
  for (const std::string& word : split_words(text)) {
    const std::string digits = digits_of_word(word);
    if (!digits.empty() && !in_run) ++runs;
    in_run = !digits.empty();
    for (const char c : digits) {
      out += (out.empty() ? "" : " ") + std::string(1, c);
      ++count;
    }
  }
  return count >= 2 && runs == 1 ? out : std::string();
}

// The digit words of a text, as they are said.
std::string digit_words(const std::string& text) {
  std::string out;
  for (const std::string& word : split_words(text)) {
    if (!digits_of_word(word).empty()) out += (out.empty() ? "" : " ") + word;
  }
  return out;
}

// "first man, next woman, last man"
std::string voices_in_turn(const std::vector<Heard>& voices) {
  std::string out;
  for (std::size_t i = 0; i < voices.size(); ++i) {
    out += (i == 0 ? "first " : i + 1 == voices.size() ? ", last " : ", next ") + voices[i].gender;
  }
  return out;
}

void finish_open(Draft& d, const std::string& answer, const std::string& fact, const std::string& sentence) {
  d.answer = answer;
  d.reasoning = fact;
  d.summary = d.response = sentence;
}

Maybe speakers(const Listening& l, const Material&, Random& random) {
  if (!is_speech_clip(l) || l.audios[0].speakers == 0) return {};
  if (l.audios[0].speakers == 1 && !random.chance(0.4)) return {};  // single voices are the most frequent clips
  Draft d;
  d.question =
      phrase(random, {"How many people speak?", "How many speakers are there?", "How many different voices do you hear?",
                      "Count the speakers.", "How many persons are talking?", "What is the number of speakers?"});
  d.planning = phrase(random, {"I tell the voices apart and count them.", "I list who speaks and count the different voices."});
  std::string turns;
  std::set<int> known;
  for (const Heard& h : voices_of(l.audios[0])) {
    turns += (turns.empty() ? "" : ", ") + speaker_name(h) + (known.insert(h.speaker).second ? " new" : " again");
  }
  const std::string n = std::to_string(l.audios[0].speakers);
  finish_open(d, n, "The turns: " + turns + ". That makes " + n + ".",
              n == "1" ? "There is 1 speaker." : "There are " + n + " speakers.");
  return d;
}

Maybe word(const Listening& l, const Material& m, Random& random) {
  if (!is_speech_clip(l)) return {};
  std::set<std::string> said;
  for (const Heard& h : voices_of(l.audios[0])) {
    if (h.text.empty()) return {};  // words we do not know may be any
    for (const std::string& w : split_words(h.text)) said.insert(w);
  }
  std::vector<std::pair<std::string, std::size_t>> possible;  // word, its group
  std::vector<std::string> all;
  for (std::size_t g = 0; g < m.words.size(); ++g) {
    for (const std::string& w : m.words[g]) {
      all.push_back(w);
      if (said.count(w) > 0) possible.emplace_back(w, g);
    }
  }
  if (possible.empty()) return {};
  const auto [gold, group] = random.pick(possible);
  auto others = pick_others(m.words[group], {said.begin(), said.end()}, random.between(1, 2), random);
  std::vector<std::string> used(said.begin(), said.end());
  used.insert(used.end(), others.begin(), others.end());
  for (const std::string& w : pick_others(all, used, 3 - static_cast<int>(others.size()), random)) others.push_back(w);
  if (others.size() < 3) return {};
  Draft d;
  d.question = phrase(random, {"Which of these words is said?", "Which word do you hear?", "Which word is spoken in the clip?",
                               "Which of the following words occurs in the speech?", "What word does the speaker say?",
                               "Which of these words is spoken?"});
  d.planning = phrase(
      random, {"I write down the words and compare them with the options.", "I look for each option in the spoken words."});
  set_options(d, gold, others, random);
  std::string quotes;
  for (const Heard& h : voices_of(l.audios[0])) {
    const auto words = split_words(h.text);
    if (quotes.empty() && std::find(words.begin(), words.end(), gold) != words.end()) quotes = h.text;
  }
  d.reasoning = listed_options(d) + " The words are " + letters_of(split_words(quotes), d) + ". " + option_step(d);
  d.summary = "The word is " + gold + ".";
  d.response = d.summary + " " + letter_sentence(d);
  return d;
}

Maybe digits(const Listening& l, const Material&, Random& random) {
  if (!is_speech_clip(l)) return {};
  const auto voices = voices_of(l.audios[0]);
  if (voices.size() != 1) return {};
  const std::string said = digits_of(voices[0].text);
  if (said.empty()) return {};
  Draft d;
  d.question = phrase(
      random, {"Which digits are spoken?", "What digits do you hear?", "Write down the digits that are said.",
               "Which numbers does the speaker say?", "What is the sequence of digits?", "Which digits does the voice say?"});
  d.planning = phrase(random, {"I write down the words and take the digits.", "I listen for each digit in order."});
  // Said again in words: nano copies a run of words reliably, but not each word into a figure.
  finish_open(d, said, "The words are \"" + voices[0].text + "\".", "The digits are " + digit_words(voices[0].text) + ".");
  return d;
}

Maybe who(const Listening& l, const Material&, Random& random) {
  if (!is_speech_clip(l) || l.audios[0].speakers < 2) return {};
  const auto voices = voices_of(l.audios[0]);
  std::set<std::string> genders;
  for (const Heard& h : voices) genders.insert(h.gender);
  if (genders != std::set<std::string>{"man", "woman"}) return {};
  const bool first = random.chance(0.5);
  const Heard& h = first ? voices.front() : voices.back();
  const bool man_first = random.chance(0.5);
  Draft d;
  d.question = phrase(random,
                      {"Who speaks {x}, {y}?", "Is the {x} speaker {y}?", "Is it {y} who speaks {x}?", "Who is heard {x}, {y}?",
                       "Which voice comes {x}, {y}?", "Tell whether the {x} voice is {y}."},
                      {first ? "first" : "last", man_first ? "a man or a woman" : "a woman or a man"});
  d.planning =
      phrase(random, {"I list who speaks in order and take the {x}.", "I look at the {x} turn."}, {first ? "first" : "last"});
  d.choices = {man_first ? "man" : "woman", man_first ? "woman" : "man"};
  d.lettered = false;
  d.gold = d.choices[0] == h.gender ? 0 : 1;
  finish_open(d, h.gender, "The voices: " + voices_in_turn(voices) + ". So " + (first ? "first " : "last ") + h.gender + ".",
              "A " + h.gender + " speaks " + (first ? "first." : "last."));
  return d;
}

Maybe gender(const Listening& l, const Material&, Random& random) {
  if (!is_speech_clip(l) || l.audios[0].speakers != 1) return {};
  const Heard h = voices_of(l.audios[0])[0];
  if (h.gender != "man" && h.gender != "woman") return {};
  const bool man_first = random.chance(0.5);
  Draft d;
  d.question = phrase(random,
                      {"Is the speaker {x}?", "Who speaks, {x}?", "Is the voice that of {x}?", "Do you hear {x}?",
                       "Tell whether {x} speaks.", "Is it {x} who speaks?"},
                      {man_first ? "a man or a woman" : "a woman or a man"});
  d.planning = phrase(random, {"I listen to the voice.", "I judge the pitch and the sound of the voice."});
  d.choices = {man_first ? "man" : "woman", man_first ? "woman" : "man"};
  d.lettered = false;
  d.gold = d.choices[0] == h.gender ? 0 : 1;
  finish_open(d, h.gender, "Speaker 1 is a " + h.gender + ".", "The speaker is a " + h.gender + ".");
  return d;
}

Maybe language(const Listening& l, const Material& m, Random& random, Ask ask) {
  if (!is_speech_clip(l) || l.type == SceneType::kActed || l.audios[0].speakers == 0) return {};
  const std::string gold = voices_of(l.audios[0])[0].language;
  for (const Heard& h : voices_of(l.audios[0])) {
    if (h.language != gold) return {};
  }
  // English is the language of all other speech clips: ask there now and then only.
  if (gold.empty() || (l.type != SceneType::kLanguage && !random.chance(0.05))) return {};
  Draft d;
  d.question =
      phrase(random, {"Which language is spoken?", "What language do you hear?", "In which language is the speech?",
                      "Which language does the speaker use?", "What is the language of the speech?", "Identify the language."});
  d.planning = phrase(random, {"I listen to the sounds of the language.", "I tell the language from its sounds."});
  const std::string fact = "The speech is in " + gold + ".", sentence = "The language is " + gold + ".";
  if (ask == Ask::kOpen) {
    finish_open(d, gold, fact, sentence);
    return d;
  }
  const auto others = pick_others(m.languages, {gold}, 3, random);
  if (others.size() < 3) return {};
  set_options(d, gold, others, random);
  finish_choice(d, fact, sentence);
  return d;
}

Maybe mood(const Listening& l, const Material& m, Random& random, Ask ask) {
  if (!is_speech_clip(l) || l.audios[0].speakers != 1) return {};
  const std::string gold = voices_of(l.audios[0])[0].mood;
  if (gold.empty()) return {};
  Draft d;
  d.question =
      phrase(random, {"What is the mood of the speaker?", "How does the speaker feel?", "Which emotion does the voice show?",
                      "What emotion do you hear in the voice?", "Which mood fits the voice?", "How does the voice sound?"});
  d.planning = phrase(random, {"I listen to the tone of the voice.", "I judge the mood by pitch, pace and loudness."});
  const std::string fact = "The voice of speaker 1 is " + gold + ".", sentence = "The speaker is " + gold + ".";
  if (ask == Ask::kOpen) {
    finish_open(d, gold, fact, sentence);
    return d;
  }
  const auto others = pick_others(m.moods, {gold}, 3, random);
  if (others.size() < 3) return {};
  set_options(d, gold, others, random);
  finish_choice(d, fact, sentence);
  return d;
}

QuestionMaker with(Maybe (*maker)(const Listening&, const Material&, Random&, Ask), Ask ask) {
  return [maker, ask](const Listening& l, const Material& m, Random& random) { return maker(l, m, random, ask); };
}

}  // namespace

std::vector<NamedMaker> speech_makers() {
  return {{"speech-speakers", speakers},
          {"speech-word", word},
          {"speech-digits", digits},
          {"speech-who", who},
          {"speech-gender", gender},
          {"speech-language", with(language, Ask::kOptions)},
          {"speech-language-open", with(language, Ask::kOpen)},
          {"speech-mood", with(mood, Ask::kOptions)},
          {"speech-mood-open", with(mood, Ask::kOpen)}};
}

}  // namespace areason
