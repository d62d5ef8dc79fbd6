#pragma once
// What is known of a clip besides its timeline: who speaks and how, what kind of music plays. Taken from the caption that data
// synth writes, from a source's own facts, and from the known answer when it is such a trait. Called by the checker's rules.
// Thread rule: values and constant tables.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cota/claim_text.h"
#include "cota/import_clip.h"
#include "cota/sample.h"

namespace areason::claims {

enum class Trait { kSex, kMood, kLanguage, kInstrument, kTempo, kMetre, kMode, kMusicMood };

// The value that a word names ("furious" is "angry"), "" for none. Instruments and metres may take several words; `taken` tells
// how many.
std::string trait_value(Trait trait, const Sentence& s, int i, int* taken = nullptr);
std::string trait_value(Trait trait, const std::string& text);  // of a short text like an answer

struct Known {
  Known(const Sample& sample, const SourceClip* clip, int speakers);
  std::map<Trait, std::set<std::string>> values;  // what may be said of the whole clip; absent: unknown
  std::map<int, std::string> sex;                 // of speaker 1, 2 …
  bool all_sexes = false;                         // of every speaker
  int with_sex(const std::string& value) const;   // how many
};

}  // namespace areason::claims
