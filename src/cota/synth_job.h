#pragma once
// `data synth`: makes clips with known truth, writes the questions about them and a report. Clips are made by several threads
// and recorded one by one in DIR/clips.jsonl, so a stopped run goes on where it was; questions are written at the end, from the
// records alone. The result depends on the options only. Called by the CLI and tests. Errors: Error as SceneMaker and files
// give them; Error(kInterrupted) after Ctrl-C.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "synth/scene.h"

namespace areason {

struct SynthJobOptions {
  std::string out;
  std::uint64_t seed = 1;
  int train = 1000;         // clips
  int val = 100;            // clips
  int test_per_kind = 100;  // items a kind in each of the two test files
  int threads = 2;
  int drills = 0;  // text-only samples, see drills.h
  int questions_per_clip = 4;
  double pair_share = 0.08;
  std::vector<SceneType> types;  // empty: all
};

// Makes one scene; SceneMaker::make in the product, hand-made scenes in tests. Called by several threads.
using SceneSource = std::function<Scene(const std::string& clip_id, SceneType type, const std::string& split)>;

// Returns the report, which is also written to DIR/report.json.
Json run_synth_job(const SynthJobOptions& options, const SceneSource& source);

// "sound,music" -> types. Throws Error(kUsage).
std::vector<SceneType> parse_scene_types(const std::string& list);

}  // namespace areason
