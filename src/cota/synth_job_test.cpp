// The job that writes nano's data: stopped, torn and resumed; the store of its clips; the bandwidth of a clip.
#include "cota/synth_job.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/testing.h"
#include "cota/clip_maker.h"
#include "cota/clip_store.h"
#include "cota/scene_testing.h"

namespace areason {
namespace {

TEST(SynthJob, ResumesAndIsDeterministic) {
  const ScratchDir dir;
  SynthJobOptions options;
  options.train = 12;
  options.val = 3;
  options.test_per_kind = 1;
  options.out = dir.path() + "/a";
  int calls = 0;
  const SceneSource failing = [&](const std::string& id, SceneType type, const std::string& split) {
    if (++calls > 30) throw Error(ErrorCode::kFailure, "power cut", "none");
    return random_scene(id, type, split);
  };
  options.threads = 1;
  EXPECT_THROW(run_synth_job(options, failing), Error);
  EXPECT_EQ(calls, 31);
  // A torn last record, as a kill leaves it.
  const std::string store = options.out + "/clips.jsonl";
  const std::string text = read_file(store);
  write_file_atomic(store, text.substr(0, text.size() - 20));
  std::set<std::string> made;
  const SceneSource counting = [&](const std::string& id, SceneType type, const std::string& split) {
    EXPECT_TRUE(made.insert(id).second);
    return random_scene(id, type, split);
  };
  run_synth_job(options, counting);
  const auto resumed = made.size();
  options.out = dir.path() + "/b";
  options.threads = 3;
  run_synth_job(options,
                [](const std::string& id, SceneType type, const std::string& split) { return random_scene(id, type, split); });
  for (const char* file :
       {"/train.jsonl", "/val.jsonl", "/test-known.jsonl", "/test-unseen.jsonl", "/clips.jsonl", "/report.json"}) {
    EXPECT_EQ(read_file(dir.path() + "/a" + file), read_file(dir.path() + "/b" + file)) << file;
  }
  // All clips were made once: 30 before the failure, but for the torn record.
  const auto all = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) - 2 + resumed;
  const std::string records = read_file(dir.path() + "/b/clips.jsonl");
  EXPECT_EQ(all, static_cast<std::size_t>(std::count(records.begin(), records.end(), '\n')) - 1);
  options.seed = 2;
  EXPECT_THROW(run_synth_job(options, counting), Error);  // another seed in the same folder
}

TEST(ClipStore, OneJobAtATimeAndReadersDoNotDisturb) {
  const ScratchDir dir;
  const std::string path = dir.path() + "/clips.jsonl";
  ClipStore store(path, "seed 1");
  store.append(clip_of(random_scene("a", SceneType::kMusic, "train")));
  EXPECT_THROW(ClipStore(path, "seed 1"), Error);
  const StoredClips stored = read_clips(path);
  ASSERT_EQ(stored.clips.size(), 1u);
  EXPECT_EQ(clip_to_json(stored.clips.at("a")), clip_to_json(*store.find("a")));
  store.append(clip_of(random_scene("b", SceneType::kDialogue, "val")));
  EXPECT_EQ(read_clips(path).clips.size(), 2u);
  write_file_atomic(dir.path() + "/other", "{}\n");
  EXPECT_THROW(read_clips(dir.path() + "/other"), Error);
  EXPECT_THROW(read_clips(dir.path() + "/nothing"), Error);
}

TEST(ClipMaker, BandwidthOfTones) {
  for (const double hz : {500.0, 3000.0}) {
    Waveform tone;
    for (int i = 0; i < 16000; ++i)
      tone.samples.push_back(static_cast<float>(0.3 * std::sin(2 * 3.14159265358979 * hz * i / 16000)));
    EXPECT_NEAR(energy_bandwidth(tone), hz, 63);  // two bins of 31 Hz
  }
  EXPECT_EQ(energy_bandwidth({}), 0);
}

}  // namespace
}  // namespace areason
