#pragma once
// What a listener can say about one audio: the truth of a scene rounded to half seconds and put into the one regular form that
// every CAPTION has. Questions and chains are derived from this, never from the exact truth alone, so that a chain follows from
// its own caption. Called by the question makers. Times: `from`/`to` in half seconds from the audio's start, `true_*` in
// seconds. Thread rule: values.
#include <optional>
#include <string>
#include <vector>

#include "synth/scene.h"

namespace areason {

struct Heard {
  EventKind kind = EventKind::kSound;
  std::string name;      // "dog bark"; "speech"; "music"
  int from = 0, to = 1;  // half seconds; to > from
  double true_from = 0, true_to = 0;
  int speaker = 0;  // 1, 2 … in order of appearance
  std::string gender, manner, language, text, mood;
  bool cut = false;         // the window's border goes through it
  std::string translation;  // the paper's sets only, like the next
  std::optional<EventDetail> detail;
};

struct Perception {
  std::vector<Heard> heard;  // by start; the background is not among them
  std::string background;    // class name or ""
  std::optional<MusicFacts> music;
  int speakers = 0;
  std::string caption;
};

// The part [from, to) of the scene as one audio.
Perception perceive(const Scene& scene, double from, double to);
inline Perception perceive(const Scene& scene) { return perceive(scene, 0, scene.seconds); }

// What captions and chains call a speaker: "steady one" where the voice's manner is known, else "speaker 1". The manner stands
// right before the place, and nothing else before it, because a small decoder looks up what followed the same word before: with
// "speaker" before every number nano counted turns (nano's card, "Where the ceiling lies").
std::string speaker_name(const Heard& heard);
// "0.5", "12.0"
std::string half_seconds(int halves);
// Words that a small model can be asked to write down: English and short. "" otherwise.
std::string quotable_text(const Event& event);
// The same for the paper's sets, whose captions quote whole lines, of any length and language.
std::string whole_text(const Event& event);

}  // namespace areason
