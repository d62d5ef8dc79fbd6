#pragma once
// A synthetic clip with everything that is true about it. src/synth makes scenes (audio + truth), src/cota turns the truth into
// captions, questions and chains. The contract between both. Times in seconds from the clip's start. Thread rule: values.
#include <optional>
#include <string>
#include <vector>

#include "audio/waveform.h"

namespace areason {

enum class EventKind { kSound, kSpeech, kMusic, kBackground };

// What the paper's sets (complex_audio.h, multi_speaker.h, phrases.h) know about an event beyond the rest. Levels in LUFS.
struct EventDetail {
  double lufs = 0;               // integrated loudness of this event alone, as it is in the clip
  std::optional<double> snr_db;  // over what sounds beneath it
  double fade_in = 0, fade_out = 0;
  std::string topic, statement;      // what a line of dialogue is about, and what it says of that
  std::string intent;                // what an acted line wants: "a greeting"
  std::string translation_language;  // of Event::translation: "English", "Chinese"
};

// One audible thing. For kSound `label` is a class name of the sound table ("dog bark"); for kSpeech it is "speech".
struct Event {
  EventKind kind = EventKind::kSound;
  std::string label;
  double from = 0, to = 0;
  double level_db = 0;    // RMS of this event in the mix, dBFS
  std::string recording;  // source id: package:path, or engine:voice, or soundfont:program
  // Speech only.
  std::string speaker;      // voice id; equal ids are the same voice
  std::string gender;       // "man", "woman" or "" when unknown
  std::string language;     // English name: "English", "French"
  std::string translation;  // English meaning of a foreign text, "" when unknown
  std::string text;         // spoken words, "" when unknown
  std::string mood;         // acted voices only: "happy", "angry" … or ""
  std::string manner;       // what the voice sounds like, from a voice engine: "steady", "lilting"; "" when unknown
  std::optional<EventDetail> detail;
};

// Music made by FluidSynth: known by construction.
struct MusicFacts {
  std::vector<std::string> instruments;  // melody instrument first: "piano", "violin"
  int bpm = 0;
  std::string tempo;  // "slow" (< 80), "medium" (80 to 125), "fast" (> 125)
  std::string meter;  // "4/4", "3/4", "6/8", …
  std::string feel;   // "steady four-beat feel", "waltz feel", "swung" …
  std::string key;    // "C major"
  std::string mode;   // "major" or "minor"
  std::string mood;   // "calm", "energetic", "happy", "sad"
};

// Scenes of the paper's sets only (cota/set_job.h).
struct Staging {
  std::string set;           // "complex_audio", "multi_speaker", …
  std::string form;          // "temporal", "composite", a dialogue's scenario
  double lufs = 0;           // integrated loudness of the clip
  double decay_seconds = 0;  // of its room
};

struct SourceRef {
  std::string id, package, path, licence, sha256;
};

enum class SceneType {
  kSound,     // one or several sound events, perhaps over a background
  kSpeech,    // one voice, known words
  kDialogue,  // several voices in turn
  kActed,     // an acted voice with a mood
  kLanguage,  // real speech in one of several languages
  kMusic,     // FluidSynth piece
  kMixed,     // speech or music together with sounds
  kLong,      // over 30 s
};

struct Scene {
  std::string id;
  SceneType type = SceneType::kSound;
  std::string split;       // "train", "val", "test-known" (known recordings, unseen mixture), "test-unseen"
  Waveform audio;          // 16 kHz mono
  double seconds = 0;      // stays when `audio` is released
  std::string audio_path;  // where the clip was written
  std::string sha256;
  std::vector<Event> events;  // sorted by `from`; kBackground ones span the clip
  std::optional<MusicFacts> music;
  std::vector<SourceRef> sources;
  std::optional<Staging> staging;
};

// Sources are listed once each.
inline void add_source_once(Scene& scene, const SourceRef& source) {
  for (const SourceRef& known : scene.sources) {
    if (known.id == source.id) return;
  }
  scene.sources.push_back(source);
}

}  // namespace areason
