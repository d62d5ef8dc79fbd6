#pragma once
// Scenes of one spoken phrase whose words and translation are known, for speech translation (the paper's CoVoST 2): people of
// nine languages naming pictures (Debian's tuxpaint-stamps-default, with text in up to 60 languages), into English or Chinese;
// and, made by espeak-ng and the English voices, Chinese into English and English into Chinese. Called by cota's set job.
// Split by phrase: the same picture is on one side in every language. Errors: Error(kInput) with the install command when the
// package is missing. Thread rule: constant after construction.
#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "synth/scene.h"
#include "synth/signal.h"

namespace areason {

struct SpokenPhrase {
  std::string id, path;  // path: "" for the phrases that a synthesiser reads
  std::string language;  // "French"
  std::string text;      // as written
  std::string target;    // "English" or "Chinese"
  std::string translation;
  bool unseen = false;
};

class PhraseBook {
 public:
  PhraseBook(const std::string& package_root, std::string work_dir);
  Scene make(const std::string& clip_id, const std::string& split, std::uint64_t seed) const;
  const std::vector<SpokenPhrase>& phrases() const { return phrases_; }

 private:
  Samples spoken(const SpokenPhrase& phrase, Event& event, Random& random) const;
  std::string work_dir_;
  std::vector<SpokenPhrase> phrases_;
  std::vector<std::vector<std::size_t>> directions_[2];  // phrases by (language, target), each side of the split
};

}  // namespace areason
