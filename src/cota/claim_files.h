#pragma once
// Which file of several a sentence speaks of: "Audio 2: …" until another is named, "in audio 2" of this sentence only. A
// sentence about two files falls into its two halves. Called by claims.cpp for every sentence. Thread rule: values.
#include <vector>

#include "cota/claim_facts.h"

namespace areason::claims {

constexpr int kMixedAudio = kAnyAudio - 1;  // several at once: not understood

// "In audio 1 a dog barks, in audio 2 a cat meows" as two sentences; one where it has no such halves.
std::vector<Sentence> by_file(Sentence s, int audios);

class FileScope {
 public:
  // The file that the sentence is about, kAnyAudio where none is named.
  int of(const Sentence& s, int audios);

 private:
  int lasting_ = kAnyAudio;
};

}  // namespace areason::claims
