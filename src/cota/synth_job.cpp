#include "cota/synth_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <set>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "cota/assign.h"
#include "cota/clip_maker.h"
#include "cota/drills.h"
#include "cota/kinds.h"
#include "cota/stats.h"

namespace areason {
namespace {

constexpr int kMostRounds = 30;     // of making more test clips
constexpr int kMostIdleRounds = 4;  // that bring no kind nearer to its number
constexpr std::array<SceneType, 8> kTypes = {SceneType::kSound,    SceneType::kSpeech, SceneType::kDialogue, SceneType::kActed,
                                             SceneType::kLanguage, SceneType::kMusic,  SceneType::kMixed,    SceneType::kLong};
// Share of clips. Sounds carry most kinds of questions; long clips cost eight times as much to learn from.
constexpr std::array<double, 8> kShares = {0.42, 0.13, 0.08, 0.06, 0.08, 0.12, 0.09, 0.02};

bool wanted(const SynthJobOptions& options, SceneType type) {
  return options.types.empty() || std::find(options.types.begin(), options.types.end(), type) != options.types.end();
}

SceneType draw_type(const SynthJobOptions& options, const std::string& id) {
  Random random = Random::for_item(options.seed, "type/" + id);
  double total = 0;
  for (std::size_t i = 0; i < kTypes.size(); ++i) total += wanted(options, kTypes[i]) ? kShares[i] : 0;
  double left = random.uniform() * total;
  SceneType last = SceneType::kSound;
  for (std::size_t i = 0; i < kTypes.size(); ++i) {
    if (!wanted(options, kTypes[i])) continue;
    last = kTypes[i];
    left -= kShares[i];
    if (left < 0) break;
  }
  return last;
}

std::string numbered(const std::string& prefix, int i) { return fmt::format("{}-{:06}", prefix, i); }

std::vector<const Clip*> found(const ClipStore& store, const std::vector<std::string>& ids) {
  std::vector<const Clip*> out;
  for (const std::string& id : ids) out.push_back(store.find(id));
  return out;
}

std::string lines_of(const std::vector<Sample>& samples) {
  std::string out;
  for (const Sample& s : samples) out += dump_json(sample_to_json(s)) + '\n';
  return out;
}

class Job {
 public:
  Job(const SynthJobOptions& options, const SceneSource& source)
      : options_(options),
        source_(source),
        store_((make_directories(options.out), options.out + "/clips.jsonl"),
               fmt::format("nano-synth scenes 2, seed {}", options.seed)) {
    assign_.seed = options.seed;
    assign_.questions_per_clip = options.questions_per_clip;
    assign_.pair_share = options.pair_share;
    assign_.test_per_kind = options.test_per_kind;
  }

  Json run() {
    // Tests first: they are small and show early when something is wrong.
    if (options_.test_per_kind > 0) {
      write_split("test-known", make_test("test-known"));
      write_split("test-unseen", make_test("test-unseen"));
    }
    if (options_.val > 0) write_split("val", assign_training(make_drawn("val", options_.val), assign_));
    if (options_.train > 0) {
      const auto clips = make_drawn("train", options_.train);
      write_split("train", assign_training(clips, assign_));
      if (options_.drills > 0)
        write_split("drills", make_drills(collect_material(scenes_of(clips)), options_.drills, options_.seed));
    }
    store_.finish();
    Json report = Json{{"set", "nano-synth"}, {"seed", options_.seed}, {"prompt_version", kQuestionVersion}};
    report["splits"] = splits_;
    write_file_atomic(options_.out + "/report.json", dump_json(report, 2) + "\n");
    return report;
  }

 private:
  void make(const std::vector<ClipOrder>& orders, const std::string& title) {
    make_clips(orders, source_, store_, {options_.out, options_.threads, title});
  }

  std::vector<const Clip*> make_drawn(const std::string& split, int count) {
    std::vector<ClipOrder> orders;
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) {
      ids.push_back(numbered(split, i));
      orders.push_back({ids.back(), draw_type(options_, ids.back()), split});
    }
    make(orders, split);
    return found(store_, ids);
  }

  // Adds clips of the types whose kinds lack items until none does.
  std::vector<Sample> make_test(const std::string& split) {
    std::map<SceneType, int> made;
    std::vector<std::string> ids;
    TestAssignment result;
    for (const Kind& kind : kinds()) {
      if (kind.tested == Tested::kYes) result.missing[std::string(kind.name)] = options_.test_per_kind;
    }
    int idle = 0;
    for (int round = 0; round < kMostRounds && idle < kMostIdleRounds && !result.missing.empty(); ++round) {
      std::vector<ClipOrder> orders;
      for (const auto& [type, count] : clips_to_add(result.missing, made)) {
        const std::string prefix = split + "-" + std::string(scene_type_name(type));
        for (int i = 0; i < count; ++i) orders.push_back({numbered(prefix, made[type]++), type, split});
      }
      if (orders.empty()) break;
      for (const ClipOrder& order : orders) ids.push_back(order.id);
      make(orders, split + ", round " + std::to_string(round + 1));
      const auto before = result.missing;
      result = assign_test(found(store_, ids), assign_);
      idle = result.missing == before ? idle + 1 : 0;
    }
    for (const auto& [kind, count] : result.missing) {
      if (wanted(options_, scene_type_of_kind(kind)))
        log_warning(split + ": " + std::to_string(count) + " items of kind " + kind + " could not be made");
    }
    return result.samples;
  }

  // As many clips as the kind that lags most needs at the rate seen so far, at most as many again as there are.
  std::map<SceneType, int> clips_to_add(const std::map<std::string, int>& missing, const std::map<SceneType, int>& made) const {
    std::map<SceneType, int> sum, out;
    std::map<SceneType, double> by_rate;
    for (const auto& [kind, count] : missing) {
      const SceneType type = scene_type_of_kind(kind);
      sum[type] += count;
      const double got = options_.test_per_kind - count;
      if (made.contains(type))
        by_rate[type] = std::max(by_rate[type], made.at(type) * std::min(1.0, count / std::max(got, 0.5)));
    }
    for (const auto& [type, count] : sum) {
      if (wanted(options_, type)) out[type] = std::max({2, count / assign_.test_per_clip, static_cast<int>(by_rate[type])});
    }
    return out;
  }

  void write_split(const std::string& split, const std::vector<Sample>& samples) {
    const std::string text = lines_of(samples);
    write_file_atomic(options_.out + "/" + split + ".jsonl", text);
    std::set<std::string> clips;
    for (const Sample& s : samples) clips.insert(s.audio.begin(), s.audio.end());
    Json entry = Json{
        {"file", split + ".jsonl"}, {"sha256", sha256_hex(text)}, {"samples", samples.size()}, {"audio_files", clips.size()}};
    entry["statistics"] = sample_statistics(samples);
    splits_[split] = std::move(entry);
  }

  SynthJobOptions options_;
  SceneSource source_;
  ClipStore store_;
  AssignOptions assign_;
  Json splits_ = Json::object();
};

}  // namespace

Json run_synth_job(const SynthJobOptions& options, const SceneSource& source) { return Job(options, source).run(); }

std::vector<SceneType> parse_scene_types(const std::string& list) {
  std::vector<SceneType> out;
  std::istringstream in(list);
  for (std::string name; std::getline(in, name, ',');) {
    const auto it = std::find_if(kTypes.begin(), kTypes.end(), [&](SceneType t) { return scene_type_name(t) == name; });
    if (it == kTypes.end()) {
      throw Error(ErrorCode::kUsage, "unknown scene type \"" + name + "\"",
                  "use some of sound,speech,dialogue,acted,language,music,mixed,long");
    }
    out.push_back(*it);
  }
  return out;
}

}  // namespace areason
