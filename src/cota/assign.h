#pragma once
// Which questions are asked about which clips. Pure: the same clips and seed give the same samples, so questions can be written
// again without making audio. Called by synth_job. Thread rule: free functions.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cota/clip_store.h"
#include "cota/kinds.h"
#include "cota/question.h"
#include "cota/sample.h"

namespace areason {

inline constexpr const char* kQuestionVersion = "nano-synth-4";  // prompt_version of the samples; change it with the wording

// A draft as a sample, but for its audio, sources, timeline and split. Also drills.cpp's.
Sample written_sample(const Kind& kind, const Draft& draft, const std::string& caption, Random& random);

struct AssignOptions {
  std::uint64_t seed = 1;
  int questions_per_clip = 4;  // training and validation
  double pair_share = 0.08;    // two-clip listenings per sound clip, training and validation
  int test_per_kind = 100;
  int test_per_clip = 3;                            // at most so many questions on one test clip
  const std::vector<NamedMaker>* makers = nullptr;  // what is asked in training; nullptr: question_makers()
  std::vector<NamedSound> sounds;                   // for wrong options, instead of the sound table
  // A sample that contradicts itself: with own texts it is a bug, with texts from outside it is left out.
  enum class BadSample { kThrow, kDrop };
  BadSample bad_sample = BadSample::kThrow;
};

// Training or validation: about `questions_per_clip` questions of different kinds a clip, drawn by the kinds' weights.
std::vector<const Scene*> scenes_of(const std::vector<const Clip*>& clips);
std::vector<Sample> assign_training(const std::vector<const Clip*>& clips, const AssignOptions& options);

struct TestAssignment {
  std::vector<Sample> samples;
  std::map<std::string, int> missing;  // kind -> items still missing
};
// Exactly `test_per_kind` items a tested kind where the clips allow it, with yes/no and either/or answers balanced.
TestAssignment assign_test(const std::vector<const Clip*>& clips, const AssignOptions& options);

// The type of clip that most of a kind's questions are about.
SceneType scene_type_of_kind(const std::string& kind);

}  // namespace areason
