// audio-reasoner data: makes and inspects the training and test sets.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/files.h"
#include "base/flag_checks.h"
#include "base/json.h"
#include "base/thread_pool.h"
#include "cli/commands.h"
#include "cli/data_flags.h"
#include "cli/paths.h"
#include "cli/synth_set_flags.h"
#include "cota/audit.h"
#include "cota/check.h"
#include "cota/data_bench.h"
#include "cota/data_stats.h"
#include "cota/kinds.h"
#include "cota/stats.h"
#include "cota/synth_job.h"
#include "synth/scene_maker.h"
#include "text/tokenizer.h"

namespace areason {
namespace {

struct SynthFlags {
  SynthJobOptions job;
  SynthSetFlags sets;
  SynthOptions synth;
  std::string types;
  bool skip_missing = false;
  bool json = false;
};

Json make_scenes(const SynthFlags& flags) {
  const SceneMaker maker(flags.synth);
  return run_synth_job(
      flags.job, [&](const std::string& id, SceneType type, const std::string& split) { return maker.make(id, type, split); });
}

Json make_sets(const SynthFlags& flags) {
  SetJobOptions job;
  job.out = flags.job.out;
  job.seed = flags.job.seed;
  job.train = flags.job.train;
  job.val = flags.job.val;
  job.threads = flags.job.threads;
  job.questions_per_clip = flags.job.questions_per_clip;
  return flags.sets.run(job, flags.synth);
}

void run_synth(SynthFlags& flags) {
  if (flags.sets.given() && (!flags.types.empty() || flags.job.drills > 0))
    throw Error(ErrorCode::kUsage, std::string(flags.types.empty() ? "--drills" : "--types") + " does not go with --set",
                "leave one of them out");
  flags.job.types = parse_scene_types(flags.types);
  flags.synth.seed = flags.job.seed;
  flags.synth.missing = flags.skip_missing ? MissingPackages::kSkip : MissingPackages::kError;
  if (flags.job.threads <= 0) flags.job.threads = available_cores();
  const Json report = flags.sets.given() ? make_sets(flags) : make_scenes(flags);
  if (flags.json) {
    fmt::print("{}\n", dump_json(report, 2));
    return;
  }
  for (const auto& [split, entry] : report["splits"].items()) {
    fmt::print("{:<12} {:>7} samples {:>7} audio files  sha256 {}\n", split, entry["samples"].get<int>(),
               entry["audio_files"].get<int>(), entry["sha256"].get<std::string>());
  }
}

void add_synth(CLI::App& data) {
  auto flags = std::make_shared<SynthFlags>();
  CLI::App* app =
      data.add_subcommand("synth", "make clips with a known timeline, and questions with chains written from that truth");
  app->add_option("--out", flags->job.out, "folder of the set; a stopped run goes on where it was")->required();
  app->add_option("--seed", flags->job.seed, "the set depends on this and on the installed packages only")
      ->check(kNotNegative)
      ->capture_default_str();
  app->add_option("--train", flags->job.train, "training clips")->capture_default_str()->check(CLI::Range(0, 10000000));
  app->add_option("--val", flags->job.val, "validation clips")->capture_default_str()->check(CLI::Range(0, 1000000));
  app->add_option("--test-per-kind", flags->job.test_per_kind, "items a kind in test-known.jsonl and in test-unseen.jsonl")
      ->capture_default_str()
      ->check(CLI::Range(0, 100000));
  app->add_option("--drills", flags->job.drills, "also drills.jsonl: so many samples without audio that practise look-ups")
      ->capture_default_str()
      ->check(CLI::Range(0, 10000000));
  app->add_option("--questions-per-clip", flags->job.questions_per_clip, "training and validation")
      ->capture_default_str()
      ->check(CLI::Range(1, 20));
  app->add_option("--threads", flags->job.threads, "0: all cores")->capture_default_str()->check(CLI::Range(0, 1024));
  app->add_option("--types", flags->types, "only these scenes, e.g. sound,music (default: all)");
  app->add_option("--package-root", flags->synth.package_root, "where usr/share/… of the Debian packages lies")
      ->capture_default_str();
  app->add_option("--work-dir", flags->synth.work_dir, "extracted archives and short-lived files")->capture_default_str();
  app->add_flag("--skip-missing", flags->skip_missing, "use the packages that are there instead of naming the missing ones");
  app->add_flag("--json", flags->json, "print the report as JSON");
  flags->sets.add_to(*app);
  app->callback([flags] { run_synth(*flags); });
}

// 1 when something is wrong: a sample contradicts itself or a source of test-unseen is used in training.
void run_audit(const std::string& dir) {
  const StoredClips stored = read_clips(dir + "/clips.jsonl");
  std::vector<const Clip*> clips;
  for (const auto& [id, clip] : stored.clips) clips.push_back(&clip);
  fmt::print("{}", audit_table(audit_clips(clips)));
  int bad = 0, checked = 0;
  for (const char* split : {"train", "drills", "val", "test-known", "test-unseen"}) {
    const std::string path = dir + "/" + split + ".jsonl";
    if (!std::filesystem::exists(path)) continue;
    read_samples(path, [&](Sample&& s) {
      ++checked;
      for (const std::string& problem : sample_problems(s)) {
        if (++bad <= 10) fmt::print(stderr, "{}: {}\n", s.id, problem);
      }
    });
  }
  const auto leaks = leaked_sources(clips);
  for (const std::string& leak : leaks) fmt::print(stderr, "test-unseen shares {}\n", leak);
  fmt::print("{} samples checked against themselves, {} problems; {} sources of test-unseen in other splits\n", checked, bad,
             leaks.size());
  if (bad > 0 || !leaks.empty()) throw Error(ErrorCode::kFailure, dir + ": the audit found problems", "see the lines above");
}

void add_audit(CLI::App& data) {
  auto dir = std::make_shared<std::string>();
  CLI::App* app = data.add_subcommand(
      "audit", "can a class be told by loudness or bandwidth; do samples agree with themselves; are the splits clean");
  app->add_option("dir", *dir, "folder written by data synth")->required();
  app->callback([dir] { run_audit(*dir); });
}

void add_data_score(CLI::App& data) {
  struct Flags {
    std::string samples, answers;
    bool json = false;
  };
  auto flags = std::make_shared<Flags>();
  CLI::App* app = data.add_subcommand("score", "accuracy of answers by kind of question");
  app->add_option("--samples", flags->samples, "a test file of data synth")->required();
  app->add_option("--answers", flags->answers, "JSON lines {\"id\", \"text\"} or {\"id\", \"sections\": {\"response\"}}")
      ->required();
  app->add_flag("--json", flags->json, "print JSON instead of a table");
  app->callback([flags] {
    const Score score = score_answers(read_samples(flags->samples), read_answers(flags->answers));
    fmt::print("{}", flags->json ? dump_json(score_to_json(score), 2) + "\n" : score_table(score));
  });
}

struct StatsFlags {
  std::vector<std::string> samples;
  std::string html, tokens;
  bool json = false;
};

void run_stats(const StatsFlags& flags) {
  require_other_file(flags.html, "--html", flags.samples);
  TokenCounter counter;
  if (!flags.tokens.empty()) {
    auto tokenizer = std::make_shared<const Tokenizer>(Tokenizer::load(flags.tokens));
    counter = [tokenizer](const std::string& text) { return tokenizer->encode(text, SpecialTokens::kAsText).size(); };
  }
  DataStatistics statistics(counter);
  for (const std::string& file : flags.samples) statistics.add_file(file);
  if (!flags.html.empty()) write_file_atomic(flags.html, statistics_html(statistics));
  fmt::print("{}", flags.json ? dump_json(statistics_json(statistics), 2) + "\n" : statistics_text(statistics));
}

void add_stats(CLI::App& data) {
  auto flags = std::make_shared<StatsFlags>();
  CLI::App* app = data.add_subcommand("stats", "what a set is made of, as the paper's table 2 and figures 4 and 6 show theirs");
  app->add_option("samples", flags->samples, "sample files (JSON lines); clips are looked for beside each")->required();
  app->add_flag("--json", flags->json, "print JSON instead of tables");
  app->add_option("--html", flags->html, "also write a page with tables and plots")->type_name("FILE");
  app->add_option("--tokens", flags->tokens, "also count tokens, with the tokenizer of this model")->type_name("DIR");
  app->callback([flags] { run_stats(*flags); });
}

void add_bench(CLI::App& data) {
  struct Flags {
    DataBenchOptions bench;
    bool json = false;
  };
  auto flags = std::make_shared<Flags>();
  flags->bench.threads = 0;
  CLI::App* app = data.add_subcommand("bench", "speed of making data: mixing of clips, and text without audio");
  app->add_option("--clips", flags->bench.clips, "clips of complex_audio and multi_speaker")
      ->capture_default_str()
      ->check(CLI::Range(2, 100000));
  app->add_option("--threads", flags->bench.threads, "0: all cores")->capture_default_str()->check(CLI::Range(0, 1024));
  app->add_option("--package-root", flags->bench.synth.package_root, "where usr/share/… of the Debian packages lies")
      ->capture_default_str();
  app->add_option("--work-dir", flags->bench.synth.work_dir, "extracted archives and short-lived files")->capture_default_str();
  app->add_flag("--json", flags->json, "print JSON");
  app->callback([flags] {
    DataBenchOptions& options = flags->bench;
    options.work_dir = options.synth.work_dir + "/bench";
    options.prompts = default_prompts_dir();
    if (options.threads <= 0) options.threads = available_cores();
    const DataBench b = run_data_bench(options);
    if (flags->json) {
      fmt::print("{}\n",
                 dump_json(Json{
                     {"threads", options.threads}, {"real_time", b.real_time()}, {"samples_a_second", b.samples_a_second()}}));
      return;
    }
    fmt::print("{} clips, {:.0f} s of sound, mixed and written in {:.2f} s: {:.0f} x real time ({} threads)\n", b.clips,
               b.clip_seconds, b.mixing_seconds, b.real_time(), options.threads);
    fmt::print("{} samples of question, chain and review in {:.2f} s: {:.0f} a second\n", b.samples, b.text_seconds,
               b.samples_a_second());
  });
}

}  // namespace

void register_data(CLI::App& app) {
  CLI::App* data = app.add_subcommand("data", "make and inspect training and test sets");
  data->require_subcommand(1);
  add_synth(*data);
  add_audit(*data);
  add_data_score(*data);
  add_stats(*data);
  add_bench(*data);
  add_data_files(*data);
  add_data_check(*data);
  add_data_stages(*data);
  data->add_subcommand("kinds", "print the table of question kinds (docs/nano_kinds.md)")->callback([] {
    fmt::print("{}", kinds_markdown());
  });
}

}  // namespace areason
