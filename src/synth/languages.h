#pragma once
// Scenes of speech in several languages: recordings of people from Debian packages (children's word lists, telephone prompts,
// an acted adventure game), for the known splits also espeak-ng reading the word lists, so that a language is not one voice.
// In each language the unseen side has a recording source (and speaker) of its own. Called by scene_maker.cpp; the names also
// by cota (distractors). Errors: Error(kInput) with the install command. Thread rule: constant after construction.
#include <map>
#include <string>
#include <vector>

#include "synth/packages.h"
#include "synth/speech_scenes.h"

namespace areason {

// English names: "English", "French", …
const std::vector<std::string>& scene_languages();

struct SpokenClip {
  std::string path;
  std::string text_file;  // the word list's entry, "" when the words are unknown
};

// One place with recordings of one language.
struct LanguageSource {
  std::string language, code;  // "French", "fr"
  SoundPackage package;
  std::string filter;  // part of the file name that selects the clips
  std::string gender;  // "" when unknown or mixed
  bool unseen = false;
  std::vector<SpokenClip> clips;
};

class LanguageLibrary {
 public:
  explicit LanguageLibrary(const std::string& package_root);
  const std::vector<LanguageSource>& sources() const { return sources_; }
  // One language, 2.5 to 7 s.
  void compose(Mix& mix, const SceneContext& context, Random& random) const;

 private:
  void compose_recorded(Mix& mix, const LanguageSource& source, Random& random) const;
  void compose_synthetic(Mix& mix, const SceneContext& context, const std::string& language, Random& random) const;
  std::vector<LanguageSource> sources_;
  std::vector<std::string> word_lists_;  // the stamps' text files
};

}  // namespace areason
