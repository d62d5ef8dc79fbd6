#pragma once
// What is asked about the scenes of the paper's sets (Staging::set): the makers of question.h that fit, and further ones for
// what only these scenes have: loudness, a track beneath, whole lines of dialogue, intents, translations. Their kinds are
// set_kinds() (kinds.h). Called by set_job.cpp and tests. Thread rule: constant data.
#include <string>
#include <vector>

#include "cota/question.h"

namespace areason {

std::vector<NamedMaker> complex_makers();
std::vector<NamedMaker> dialogue_makers();
std::vector<NamedMaker> line_makers();  // one acted or translated line

struct PaperSet {
  std::string name;    // Staging::set, SampleSource::set
  std::string domain;  // of its samples
  std::string task;    // of its samples, as prompts/ names it
  double share;        // of the clips of a run over all sets
  std::string skill;   // as the paper's table 2 has it
  std::vector<NamedMaker> makers;
};
// complex_audio, multi_speaker, packaged_sounds, acted_moods, acted_intent, spoken_phrases, composed_music.
const std::vector<PaperSet>& paper_sets();
// Throws Error(kUsage) for an unknown name.
const PaperSet& find_paper_set(const std::string& name);

}  // namespace areason
