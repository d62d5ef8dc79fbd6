#include "cota/set_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "cota/assign.h"
#include "cota/clip_maker.h"
#include "cota/set_questions.h"

namespace areason {
namespace {

std::vector<const PaperSet*> sets_of(const SetJobOptions& options) {
  std::vector<const PaperSet*> out;
  if (options.sets.empty()) {
    for (const PaperSet& set : paper_sets()) out.push_back(&set);
  }
  for (const std::string& name : options.sets) out.push_back(&find_paper_set(name));
  return out;
}

// Clips a set out of `count`; the largest remainders get what rounding leaves.
std::vector<int> divided(const std::vector<const PaperSet*>& sets, int count) {
  double total = 0;
  for (const PaperSet* set : sets) total += set->share;
  std::vector<int> out;
  std::vector<std::pair<double, std::size_t>> rests;
  int given = 0;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const double exact = count * sets[i]->share / total;
    out.push_back(static_cast<int>(exact));
    given += out.back();
    rests.emplace_back(-(exact - std::floor(exact)), i);
  }
  std::sort(rests.begin(), rests.end());
  for (std::size_t i = 0; given < count; ++i, ++given) ++out[rests[i % rests.size()].second];
  return out;
}

// Of a clip, as the paper's tables group samples.
const std::string& set_of(const Clip& clip) {
  static const std::string kNone;
  return clip.scene.staging ? clip.scene.staging->set : kNone;
}

std::string lines_of(const std::vector<Sample>& samples) {
  std::string out;
  for (const Sample& s : samples) out += dump_json(sample_to_json(s)) + '\n';
  return out;
}

Json split_report(const std::string& split, const std::vector<Sample>& samples, const std::string& text) {
  std::map<std::string, int> by_task;
  std::map<std::string, int> clips;
  for (const Sample& s : samples) {
    ++by_task[s.task];
    for (const std::string& a : s.audio) ++clips[a];
  }
  return Json{{"file", split + ".jsonl"},
              {"sha256", sha256_hex(text)},
              {"samples", samples.size()},
              {"audio_files", clips.size()},
              {"tasks", by_task}};
}

}  // namespace

std::vector<SetOrder> plan_set_clips(const SetJobOptions& options) {
  const auto sets = sets_of(options);
  std::vector<SetOrder> out;
  for (const auto& [split, count] : {std::pair{"train", options.train}, {"val", options.val}, {"test-unseen", options.test}}) {
    const auto counts = divided(sets, count);
    for (std::size_t s = 0; s < sets.size(); ++s) {
      for (int i = 0; i < counts[s]; ++i)
        out.push_back({fmt::format("{}-{}-{:06}", split, sets[s]->name, i), sets[s]->name, split});
    }
  }
  return out;
}

std::vector<Sample> ask_about_sets(const std::vector<const Clip*>& clips, const SetJobOptions& options) {
  std::vector<Sample> out;
  for (const PaperSet& set : paper_sets()) {
    std::vector<const Clip*> own;
    for (const Clip* clip : clips) {
      if (set_of(*clip) == set.name) own.push_back(clip);
    }
    if (own.empty()) continue;
    AssignOptions assign;
    assign.seed = options.seed;
    assign.questions_per_clip = options.questions_per_clip;
    assign.pair_share = 0;
    assign.makers = &set.makers;
    assign.bad_sample = AssignOptions::BadSample::kDrop;
    if (set.name == "complex_audio") assign.sounds = options.sounds;
    for (Sample& s : assign_training(own, assign)) {
      s.domain = set.domain;
      s.task = set.task;
      s.source.set = set.name;
      s.prompt_version = kSetQuestionVersion;
      out.push_back(std::move(s));
    }
  }
  return out;
}

namespace {

// The sample files are written anew: clips of a set that is not asked for would be left without their questions.
void refuse_other_sets(const std::string& file, const std::map<std::string, std::string>& set_of_id) {
  if (!std::filesystem::exists(file)) return;
  std::set<std::string> asked;
  for (const auto& [id, set] : set_of_id) asked.insert(set);
  for (const auto& [id, clip] : read_clips(file).clips) {
    if (clip.scene.staging && !asked.contains(clip.scene.staging->set))
      throw Error(ErrorCode::kUsage, file + " holds clips of " + clip.scene.staging->set + " too, which --set does not name",
                  "name all sets of the folder, or choose another --out");
  }
}

}  // namespace

Json run_set_job(const SetJobOptions& options, const std::vector<SetOrder>& orders, const SetSceneSource& source) {
  make_directories(options.out);
  ClipStore store(options.out + "/clips.jsonl",
                  fmt::format("{} scenes 1, seed {}, {}", kSetQuestionVersion, options.seed, options.material));
  std::map<std::string, std::string> set_of_id;
  std::map<std::string, std::vector<ClipOrder>> by_split;
  for (const SetOrder& order : orders) {
    set_of_id[order.id] = order.set;
    by_split[order.split].push_back({order.id, SceneType::kSound, order.split});
  }
  refuse_other_sets(options.out + "/clips.jsonl", set_of_id);
  Json splits = Json::object();
  for (auto& [split, clips] : by_split) {
    // The type is the scene's own: make_clips would put the order's there.
    make_clips(clips, [&](const std::string& id, SceneType, const std::string& s) { return source(id, set_of_id.at(id), s); },
               store, {options.out, options.threads, split});
    std::vector<const Clip*> made;
    for (const ClipOrder& order : clips) made.push_back(store.find(order.id));
    const auto samples = ask_about_sets(made, options);
    const std::string text = lines_of(samples);
    write_file_atomic(options.out + "/" + split + ".jsonl", text);
    splits[split] = split_report(split, samples, text);
  }
  store.finish();
  Json report = Json{{"set", "paper-sets"}, {"seed", options.seed}, {"prompt_version", kSetQuestionVersion}};
  report["material"] = options.material;
  report["splits"] = std::move(splits);
  write_file_atomic(options.out + "/report.json", dump_json(report, 2) + "\n");
  return report;
}

}  // namespace areason
