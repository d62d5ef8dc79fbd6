#pragma once
// One clip under construction: events are placed at times and levels, then summed over an optional background. Every clip gets
// its own loudness, bandwidth, tilt and noise floor, applied to all its events alike, so that neither tells the class or the
// package. Called by the scene makers. Thread rule: one per clip. Units: seconds, dBFS RMS.
#include <string>
#include <vector>

#include "base/random.h"
#include "synth/scene.h"
#include "synth/signal.h"

namespace areason {

class Mix {
 public:
  Mix(const std::string& id, SceneType type, const std::string& split, Random& random);
  // Filters `samples` as the whole clip is, scales it to the clip's level plus `level_offset_db` and adds it at `at`. Sets
  // from, to and level_db of the event; returns the event's end.
  double place(Event event, Samples samples, double at, double level_offset_db);
  // Adds the source once.
  void add_source(const SourceRef& source);
  void set_music(const MusicFacts& facts) { scene_.music = facts; }
  // A quiet background of noise under the whole clip, `below_db` below the clip's level, listed as a kBackground event.
  void set_background(NoiseColour colour, double below_db);
  // Draws whether and how loud a background is.
  void maybe_background(double probability);
  double end() const;
  const std::vector<Event>& events() const { return scene_.events; }
  // The clip, `tail_seconds` longer than its last event, peak at most 0.97.
  Scene finish(double tail_seconds);

 private:
  struct Placed {
    Samples samples;
    std::size_t at;
  };
  Random& random_;
  Scene scene_;
  std::vector<Placed> placed_;
  double level_db_, low_pass_hz_, high_pass_hz_, tilt_db_, floor_below_db_;
  double background_below_db_ = 0;
  bool has_background_ = false;
  NoiseColour background_ = NoiseColour::kPink;
};

}  // namespace areason
