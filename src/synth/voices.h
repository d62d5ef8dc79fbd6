#pragma once
// Synthetic voices: espeak-ng, flite and festival run as programs. Called by the speech, mixed and language scenes.
// Voices of test-unseen are used by no other split. Thread rule: constant tables; speak() is safe from any thread.
// Errors: those of process.h (a missing engine is named with its install command).
#include <string>
#include <vector>

#include "base/random.h"
#include "synth/scene.h"
#include "synth/signal.h"

namespace areason {

struct Voice {
  std::string id;      // "flite:slt"; equal ids are the same voice
  std::string engine;  // "espeak-ng", "flite", "festival"
  std::string name;    // as the engine calls it: "en-us+f3", "slt", "ked_diphone"
  std::string gender;  // "man" or "woman"
  std::string kin;     // voices of one kin sound alike: a dialogue takes at most one of each
  bool unseen = false;
  std::string manner = {};  // how a listener tells it from voices of another kin of that gender: "steady", "lilting"
};

const std::vector<Voice>& english_voices();

// How a voice speaks in one scene; drawn once per scene and voice.
struct VoiceStyle {
  double rate = 1.0;  // 0.88 to 1.12
  double pitch = 0;   // -1 to 1, small
};
VoiceStyle draw_style(Random& random);

// `count` voices of the split's side that are easy to tell apart.
std::vector<Voice> choose_voices(int count, const std::string& split, Random& random);

// 16 kHz, silence at both ends cut. `work_dir` receives a short-lived file.
Samples speak(const Voice& voice, const VoiceStyle& style, const std::string& text, const std::string& work_dir);
// Any espeak-ng voice ("de+f2") for the language scenes.
Samples speak_espeak(const std::string& name, const VoiceStyle& style, const std::string& text, const std::string& work_dir);
SourceRef source_of_voice(const Voice& voice);

}  // namespace areason
