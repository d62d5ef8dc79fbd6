#include "cota/set_questions.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "cota/kinds.h"

namespace areason {
namespace {

std::vector<NamedMaker> named(std::vector<NamedMaker> all, const std::vector<std::string>& kinds) {
  std::erase_if(all, [&](const NamedMaker& m) { return std::find(kinds.begin(), kinds.end(), m.kind) == kinds.end(); });
  return all;
}

std::vector<NamedMaker> operator+(std::vector<NamedMaker> a, std::vector<NamedMaker> b) {
  std::move(b.begin(), b.end(), std::back_inserter(a));
  return a;
}

// Which sound is the first, and how many there are, cannot be asked where a track goes on under all of them.
std::vector<NamedMaker> without_a_track(std::vector<NamedMaker> makers) {
  for (NamedMaker& maker : makers) {
    maker.make = [make = maker.make](const Listening& l, const Material& m, Random& random) {
      return l.audios[0].background.empty() ? make(l, m, random) : std::optional<Draft>();
    };
  }
  return makers;
}

std::vector<NamedMaker> without_second_turns() {
  return named(sound_makers(), {"sound-name", "sound-name-open", "sound-count", "sound-order", "sound-first", "sound-last",
                                "sound-after", "sound-before", "sound-presence", "sound-overlap", "sound-longer",
                                "sound-first-open", "sound-last-open", "sound-after-open"});
}

}  // namespace

const std::vector<PaperSet>& paper_sets() {
  static const std::vector<PaperSet> sets = {
      {"complex_audio", "sound", "complex_audio", 0.2, "Complex Audio QA",
       without_a_track(
           named(sound_makers(), {"sound-count", "sound-order", "sound-first", "sound-last", "sound-after", "sound-before"})) +
           named(sound_makers(), {"sound-overlap", "sound-longer"}) + complex_makers()},
      {"multi_speaker", "speech", "multi_speaker_qa", 0.15, "Multi-speaker Speech QA",
       named(speech_makers(), {"speech-speakers", "speech-who"}) + dialogue_makers()},
      {"packaged_sounds", "sound", "sound_qa", 0.25, "Sound QA", without_second_turns()},
      {"acted_moods", "speech", "emotion", 0.1, "Speech Emotion QA",
       named(speech_makers(), {"speech-mood", "speech-mood-open"}) + named(line_makers(), {"emotion-scenario"})},
      {"acted_intent", "speech", "acted_intent", 0.08, "Sarcasm Detection (acted intent in its place)",
       named(line_makers(), {"intent", "intent-is"})},
      {"spoken_phrases", "speech", "translation", 0.12, "Speech-to-Text Translation",
       named(line_makers(), {"translation", "translation-choice", "translation-language"})},
      {"composed_music", "music", "music_qa", 0.1, "Music QA", music_makers()},
  };
  return sets;
}

const PaperSet& find_paper_set(const std::string& name) {
  std::string known;
  for (const PaperSet& set : paper_sets()) {
    if (set.name == name) return set;
    known += (known.empty() ? "" : ", ") + set.name;
  }
  throw Error(ErrorCode::kUsage, "unknown set \"" + name + "\"", "use some of " + known + ", or all");
}

}  // namespace areason
