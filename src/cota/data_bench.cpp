#include "cota/data_bench.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cota/clip_maker.h"
#include "cota/import_clip.h"
#include "cota/set_job.h"
#include "cota/set_maker.h"
#include "cota/stage_run.h"
#include "store/job_store.h"

namespace areason {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;
double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Keeps what an engine said, so that it is asked once a line.
class KeptVoices : public VoiceBank {
 public:
  explicit KeptVoices(std::shared_ptr<VoiceBank> inner) : inner_(std::move(inner)) {}
  std::vector<Voice> cast(const std::vector<std::string>& genders, const std::string& split, Random& random) const override {
    return inner_->cast(genders, split, random);
  }
  Samples speak(const Voice& voice, const VoiceStyle& style, const std::string& text) const override {
    const std::string key = voice.id + "/" + std::to_string(style.rate) + "/" + std::to_string(style.pitch) + "/" + text;
    {
      const std::lock_guard lock(mutex_);
      if (const auto it = said_.find(key); it != said_.end()) return it->second;
    }
    Samples samples = inner_->speak(voice, style, text);
    const std::lock_guard lock(mutex_);
    return said_[key] = std::move(samples);
  }
  SourceRef source(const Voice& voice) const override { return inner_->source(voice); }
  std::string name() const override { return inner_->name(); }

 private:
  std::shared_ptr<VoiceBank> inner_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, Samples> said_;
};

std::vector<const Clip*> make_all(const SetMaker& maker, const std::vector<SetOrder>& orders, ClipStore& store,
                                  const ClipMakerOptions& options) {
  std::map<std::string, std::string> sets;
  std::vector<ClipOrder> clips;
  for (const SetOrder& order : orders) {
    sets[order.id] = order.set;
    clips.push_back({order.id, SceneType::kSound, order.split});
  }
  make_clips(
      clips, [&](const std::string& id, SceneType, const std::string& split) { return maker.make(id, sets.at(id), split); },
      store, options);
  std::vector<const Clip*> out;
  for (const SetOrder& order : orders) out.push_back(store.find(order.id));
  return out;
}

// The clips of these samples as an import would list them.
void write_source_clips(const std::string& path, const std::vector<Sample>& samples) {
  std::map<std::string, SourceClip> clips;
  for (const Sample& s : samples) {
    SourceClip& clip = clips[s.source.id];
    if (clip.id.empty()) {
      clip.id = clip.group = s.source.id;
      clip.source = s.source;
      clip.audio = s.audio;
      clip.domain = s.domain;
      clip.task = s.task;
      clip.split = s.split;
      clip.timeline = s.timeline;
    }
    clip.oracle.push_back(s);
  }
  std::ofstream out(path, std::ios::binary);
  for (const auto& [id, clip] : clips) out << dump_json(source_clip_to_json(clip)) << '\n';
  if (!out) throw Error(ErrorCode::kFailure, path + ": cannot be written", "is the disk full?");
}

void time_text(const std::vector<const Clip*>& clips, const SetJobOptions& job, const DataBenchOptions& options,
               DataBench& bench) {
  const PromptLibrary prompts(options.prompts);
  const auto store = store::open_store(options.work_dir + "/jobs.db");
  const auto teacher = make_oracle_teacher();
  StageRunOptions run;
  run.workers = options.threads;
  run.batch = 32;  // as data run has it for the oracle
  const auto start = Clock::now();
  const auto samples = ask_about_sets(clips, job);
  write_source_clips(options.work_dir + "/set.jsonl", samples);
  plan_annotations(*store, prompts, options.work_dir + "/set.jsonl", {});
  run_stages(*store, prompts, *teacher, run);
  bench.text_seconds = since(start);
  store->each({stage_name(Stage::kReview), {}, {}}, store::JobState::kDone, [&](store::Job&&) { ++bench.samples; });
  if (bench.samples != static_cast<int>(samples.size()))
    throw Error(ErrorCode::kFailure,
                "only " + std::to_string(bench.samples) + " of " + std::to_string(samples.size()) + " samples were reviewed",
                "this is a bug in src/cota: please report it");
}

}  // namespace

DataBench run_data_bench(const DataBenchOptions& options) {
  fs::remove_all(options.work_dir);
  make_directories(options.work_dir);
  SetJobOptions job;
  job.sets = {"complex_audio", "multi_speaker"};
  job.train = options.clips;
  job.questions_per_clip = options.questions_per_clip;
  SetMakerOptions maker_options;
  maker_options.sets = job.sets;
  maker_options.synth = options.synth;
  maker_options.voices = std::make_shared<KeptVoices>(make_embedded_voices(options.synth.work_dir));
  const SetMaker maker(maker_options);
  const auto orders = plan_set_clips(job);

  DataBench bench;
  bench.clips = options.clips;
  ClipStore first(options.work_dir + "/first.jsonl", "bench");
  make_all(maker, orders, first, {options.work_dir, options.threads, "bench, not timed: voices and decoding"});
  ClipStore second(options.work_dir + "/second.jsonl", "bench");
  const auto start = Clock::now();
  const auto clips = make_all(maker, orders, second, {options.work_dir, options.threads, "bench: mixing and writing"});
  bench.mixing_seconds = since(start);
  for (const Clip* clip : clips) bench.clip_seconds += clip->scene.seconds;
  time_text(clips, job, options, bench);
  fs::remove_all(options.work_dir);
  return bench;
}

}  // namespace areason
