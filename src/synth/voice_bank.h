#pragma once
// Voices for a dialogue, one a speaker, whoever makes them: the engines that Debian has (embedded default), or a speech server
// (speech_server.h). Called by multi_speaker.cpp. Voices of test-unseen are used by no other split.
// Thread rule: cast(), speak() and source() may be called by several threads at once. Samples: mono at kSynthRate, silence at
// both ends cut. Errors: as the engine's (process.h) or Error(kRemote) of a server that gives up.
#include <memory>
#include <string>
#include <vector>

#include "synth/voices.h"

namespace areason {

class VoiceBank {
 public:
  virtual ~VoiceBank() = default;
  // As many different voices as `genders` has entries ("man", "woman", "" for any), easy to tell apart where that can be had.
  // Throws Error(kInput) when the split has too few.
  virtual std::vector<Voice> cast(const std::vector<std::string>& genders, const std::string& split, Random& random) const = 0;
  virtual Samples speak(const Voice& voice, const VoiceStyle& style, const std::string& text) const = 0;
  virtual SourceRef source(const Voice& voice) const = 0;
  // What the samples depend on, for a set's fingerprint: "embedded", "cosyvoice http://…".
  virtual std::string name() const = 0;
};

// espeak-ng, flite and festival as programs; `work_dir` receives short-lived files.
std::unique_ptr<VoiceBank> make_embedded_voices(const std::string& work_dir);

// Out of `voices` (of one split), one for each entry of `genders`: of the wanted gender where there is one left, voices of
// different kin first. Empty when there are too few.
std::vector<Voice> cast_from(std::vector<Voice> voices, const std::vector<std::string>& genders, Random& random);

}  // namespace areason
