#pragma once
// `data synth --set`: clips of the paper's sets, the questions about them with chains written from the truth, and a report, as
// synth_job.h does for nano. Clips are recorded one by one in DIR/clips.jsonl (the ground-truth timeline: what or who, from,
// to, level, words), so a stopped run goes on where it was. Splits are by recording, voice, phrase and soundfont: nothing that
// is in a test-unseen clip is in another split. The result depends on the options and the scene source only.
// Called by the CLI, the bench and tests. Errors: as synth_job.h.
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "cota/clip_store.h"
#include "cota/question.h"
#include "cota/sample.h"

namespace areason {

inline constexpr const char* kSetQuestionVersion = "paper-sets-1";  // prompt_version; change it with the wording

struct SetJobOptions {
  std::string out;
  std::uint64_t seed = 1;
  std::vector<std::string> sets;        // names of paper_sets(); empty: all of them
  int train = 1000, val = 0, test = 0;  // clips, divided among the sets by their shares
  int threads = 2;
  int questions_per_clip = 4;
  std::string material;            // what the clips depend on besides seed and packages: voices, imported sounds, scripts
  std::vector<NamedSound> sounds;  // names for wrong options about complex_audio; empty: the sound table
};

struct SetOrder {
  std::string id, set, split;
};
// The clips that the options ask for: train, val, test-unseen.
std::vector<SetOrder> plan_set_clips(const SetJobOptions& options);

using SetSceneSource = std::function<Scene(const std::string& clip_id, const std::string& set, const std::string& split)>;
// `orders` are plan_set_clips() or a part of it. Returns the report, which is also written to DIR/report.json.
Json run_set_job(const SetJobOptions& options, const std::vector<SetOrder>& orders, const SetSceneSource& source);

// The samples about clips of one split, in the order of the clips' ids.
std::vector<Sample> ask_about_sets(const std::vector<const Clip*>& clips, const SetJobOptions& options);

}  // namespace areason
