#pragma once
// How fast data is made: mixing and writing of clips against real time, and samples of text (question, chain, review) a second.
// Called by `data bench`. What synthesis engines and decoders cost is left out: every clip is made once before the clock runs,
// and their output is kept. Thread rule: starts its own threads, returns when they are done. Errors: those of set_maker.h.
#include <cstdint>
#include <string>

#include "synth/scene_maker.h"

namespace areason {

struct DataBenchOptions {
  SynthOptions synth;
  std::string prompts;   // folder of the prompts
  std::string work_dir;  // receives clips and a store, emptied at the end
  int clips = 120;       // of complex_audio and multi_speaker
  int questions_per_clip = 4;
  int threads = 2;
};

struct DataBench {
  int clips = 0;
  double clip_seconds = 0;    // of sound
  double mixing_seconds = 0;  // of work, for mixing, measuring loudness, FLAC and its hash
  int samples = 0;
  double text_seconds = 0;  // of work, for questions, chains, and all three stages through a SQLite store
  double real_time() const { return clip_seconds / mixing_seconds; }
  double samples_a_second() const { return samples / text_seconds; }
};
DataBench run_data_bench(const DataBenchOptions& options);

}  // namespace areason
