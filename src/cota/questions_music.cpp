// Questions about music whose facts are known by construction.
#include <algorithm>

#include "cota/question.h"

namespace areason {
namespace {

using Maybe = std::optional<Draft>;

const MusicFacts* music_of(const Listening& l) {
  if (l.form != ListeningForm::kOne || l.type != SceneType::kMusic || !l.audios[0].music) return nullptr;
  return &*l.audios[0].music;
}

std::string with_article(const std::string& noun) {
  return (std::string("aeiou").find(noun.empty() ? 'x' : noun[0]) == std::string::npos ? "a " : "an ") + noun;
}

// "a waltz feel in 3/4"
std::string metre_words(const std::pair<std::string, std::string>& metre) {
  return metre.second.empty() ? metre.first : with_article(metre.second) + " in " + metre.first;
}

struct Finding {
  std::string gold;
  std::vector<std::string> others;
  std::string fact, sentence;
};

Draft choice(Draft d, const Finding& f, Random& random) {
  set_options(d, f.gold, f.others, random);
  finish_choice(d, f.fact, f.sentence);
  return d;
}

Draft instrument_question(Random& random) {
  Draft d;
  d.question =
      phrase(random, {"Which instrument plays the melody?", "What instrument do you hear?", "Which is the main instrument?",
                      "Which instrument plays?", "What is the lead instrument?", "Which instrument carries the tune?"});
  d.planning = phrase(random, {"I listen to the timbre of the melody.", "I tell the instrument by its timbre."});
  return d;
}

Maybe instrument(const Listening& l, const Material& m, Random& random) {
  const MusicFacts* music = music_of(l);
  if (music == nullptr || music->instruments.empty()) return {};
  const auto others = pick_others(m.instruments, music->instruments, 3, random);
  if (others.size() < 3) return {};
  const std::string gold = music->instruments[0];
  return choice(instrument_question(random),
                {gold, others, "The melody is played by the " + gold + ".", "The instrument is the " + gold + "."}, random);
}

Maybe instrument_open(const Listening& l, const Material&, Random& random) {
  const MusicFacts* music = music_of(l);
  if (music == nullptr || music->instruments.empty()) return {};
  Draft d = instrument_question(random);
  d.answer = music->instruments[0];
  d.reasoning = "The melody is played by the " + d.answer + ".";
  d.summary = d.response = "The instrument is the " + d.answer + ".";
  return d;
}

Maybe tempo(const Listening& l, const Material&, Random& random) {
  const MusicFacts* music = music_of(l);
  if (music == nullptr || music->tempo.empty()) return {};
  Draft d;
  d.question =
      phrase(random, {"What is the tempo of the music?", "How fast is the music?", "Which tempo does the piece have?",
                      "Which word describes the tempo?", "What is the speed of the piece?", "At what pace does the music go?"});
  d.planning = phrase(random, {"I listen to the pace of the beats.", "I judge how fast the beats follow."});
  return choice(d,
                {music->tempo, pick_others({"slow", "medium", "fast"}, {music->tempo}, 2, random),
                 "The beats come at a " + music->tempo + " tempo.", "The tempo is " + music->tempo + "."},
                random);
}

Maybe metre(const Listening& l, const Material& m, Random& random) {
  const MusicFacts* music = music_of(l);
  if (music == nullptr || music->meter.empty()) return {};
  const std::pair gold{music->meter, music->feel};
  auto pool = m.metres;
  random.shuffle(pool);
  std::vector<std::string> others, used = {gold.first};
  for (const auto& candidate : pool) {
    if (others.size() == 3 || std::find(used.begin(), used.end(), candidate.first) != used.end()) continue;
    used.push_back(candidate.first);
    others.push_back(metre_words(candidate));
  }
  // Too few metres in the set: another feel of a metre that is already among the options is still a different answer.
  for (const auto& candidate : pool) {
    const std::string words = metre_words(candidate);
    if (others.size() < 3 && candidate != gold && std::find(others.begin(), others.end(), words) == others.end())
      others.push_back(words);
  }
  if (others.size() < 3) return {};
  Draft d;
  d.question = phrase(random, {"Which of the following best describes the rhythmic feel and time signature of the song?",
                               "What is the metre of the music?", "Which time signature does the piece have?",
                               "What is the rhythmic feel of the music?", "Which metre do you hear?",
                               "What is the time signature?", "Which of these describes the rhythm of the piece?"});
  d.planning = phrase(random, {"I count the beats from accent to accent.", "I listen for the accents and group the beats."});
  return choice(d,
                {metre_words(gold), others, "The music is in " + music->meter + ", " + music->feel + ".",
                 "The rhythm is " + metre_words(gold) + "."},
                random);
}

Maybe mode(const Listening& l, const Material&, Random& random) {
  const MusicFacts* music = music_of(l);
  if (music == nullptr || (music->mode != "major" && music->mode != "minor")) return {};
  const bool major_first = random.chance(0.5);
  Draft d;
  d.question = phrase(random,
                      {"Is the music in {x} or {y}?", "Is the key {x} or {y}?", "Is the piece in a {x} or a {y} key?",
                       "Which mode does the music have, {x} or {y}?", "Do you hear a {x} or a {y} key?", "{x} or {y}?"},
                      major_first ? std::vector<std::string>{"major", "minor"} : std::vector<std::string>{"minor", "major"});
  d.planning = phrase(random, {"I listen to the chords.", "I listen to the third of the scale."});
  d.choices = {major_first ? "major" : "minor", major_first ? "minor" : "major"};
  d.lettered = false;
  d.answer = music->mode;
  d.gold = d.choices[0] == music->mode ? 0 : 1;
  d.reasoning = "The chords are those of a " + music->mode + " key.";
  d.summary = d.response = "The music is in " + music->mode + ".";
  return d;
}

Maybe mood(const Listening& l, const Material& m, Random& random) {
  const MusicFacts* music = music_of(l);
  if (music == nullptr || music->mood.empty()) return {};
  const auto others = pick_others(m.music_moods, {music->mood}, 3, random);
  if (others.size() < 3) return {};
  Draft d;
  d.question = phrase(random, {"What is the mood of the music?", "Which mood does the piece have?", "How does the music feel?",
                               "Which word describes the mood of the music?", "What feeling does the music express?",
                               "Which of these moods fits the piece?"});
  d.planning = phrase(random, {"I consider tempo and mode.", "I judge the mood by tempo, mode and loudness."});
  return choice(
      d,
      {music->mood, others, "The music is " + music->tempo + " and in " + music->mode + ", which is " + music->mood + ".",
       "The mood is " + music->mood + "."},
      random);
}

}  // namespace

std::vector<NamedMaker> music_makers() {
  return {{"music-instrument", instrument},
          {"music-instrument-open", instrument_open},
          {"music-tempo", tempo},
          {"music-metre", metre},
          {"music-mode", mode},
          {"music-mood", mood}};
}

}  // namespace areason
