#pragma once
// Makes many clips at once: scenes from the source, flac files, records in the store, with progress on standard error. Called
// by synth_job. Thread rule: make_clips starts its own threads and returns when they are done.
#include <string>
#include <vector>

#include "cota/clip_store.h"
#include "cota/synth_job.h"

namespace areason {

struct ClipOrder {
  std::string id;
  SceneType type = SceneType::kSound;
  std::string split;
};

struct ClipMakerOptions {
  std::string dir;  // clips go to dir/clips
  int threads = 2;
  std::string title;  // shown with the progress
};

// Orders whose clip is in the store already are skipped. Rethrows the first error of a thread; Error(kInterrupted) on Ctrl-C.
void make_clips(const std::vector<ClipOrder>& orders, const SceneSource& source, ClipStore& store,
                const ClipMakerOptions& options);

// The frequency below which 95 % of the energy lies, in Hz.
double energy_bandwidth(const Waveform& audio);

}  // namespace areason
