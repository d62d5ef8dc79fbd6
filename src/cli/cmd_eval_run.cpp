// audio-reasoner eval run: a model over a benchmark, resumable; then the score.
#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "cli/ask_flags.h"
#include "cli/cmd_eval.h"
#include "cli/commands.h"
#include "cli/llm_flags.h"
#include "cli/progress_line.h"
#include "eval/prompts.h"
#include "eval/run.h"
#include "eval/run_llm.h"

namespace areason {
namespace {

struct RunFlags {
  RunOptions run;
  AskFlags ask;
  std::string shard = "1/1", stage = "mapped";
  LlmFlags api, listener;
  BudgetFlags budget;
  std::string baseline;
  std::string listen_prompt =
      "Describe everything that is heard in this audio in detail: speech word by word, speakers, sounds, music.";
  int workers = 0, batch = 0, resamples = 1000;
  bool force_choices = false, json = false, no_score = false;

  void add_to(CLI::App& app) {
    app.add_option("--benchmark", run.source.benchmark, "what is run")->required()->check(CLI::IsMember(benchmark_names()));
    app.add_option("--data", run.source.data, "the released file, or the folder that holds it")->required()->type_name("PATH");
    app.add_option("--audio", run.source.audio, "where the clips lie (default: beside the data's file)")->type_name("DIR");
    app.add_option("--out", run.out, "the run's folder; a run that is there goes on")->required()->type_name("DIR");
    app.add_option("--prompt", run.prompt, "wording of the questions; `eval prompts` prints them")->capture_default_str();
    app.add_option("--prompt-file", run.prompt_file, "a template of one's own, e.g. \"{question}\\n{options A. |\\n}\"")
        ->type_name("FILE");
    app.add_option("--limit", run.limit, "only the first so many items; 0: all")
        ->capture_default_str()
        ->check(CLI::Range(0L, 100000000L));
    app.add_option("--shard", shard, "only every N-th item from the I-th on, as I/N; all shards may share a folder")
        ->capture_default_str();
    app.add_option("--stage", stage, "of the score at the end, as for eval score")
        ->capture_default_str()
        ->check(CLI::IsMember({"raw", "response", "mapped"}));
    app.add_option("--resamples", resamples, "of the bootstrap")->capture_default_str()->check(CLI::Range(0, 1000000));
    app.add_flag("--no-score", no_score, "leave the score to a later call");
    app.add_flag("--json", json, "print one JSON object: the run's counts and the score");
    app.add_option("--batch", batch, "items answered at the same time by one model; 0: 16")
        ->check(CLI::Range(0, 1024))
        ->capture_default_str();
    app.add_option("--workers", workers, "threads with a model each; 0: by the model's size")
        ->check(CLI::Range(0, 1024))
        ->capture_default_str();
    app.add_flag("--force-choices", force_choices,
                 "the RESPONSE is made to be one of the options (named in the manifest: no score without a structured decoder "
                 "compares)");
    ask.add_to(app);
    api.add_to(app, "remote-", "instead of our engine");
    listener.add_to(app, "listener-", "cascade and caption baselines: what hears, while --remote-api only reads");
    app.add_option("--listener-prompt", listen_prompt, "what a listener that is no transcription endpoint is asked")
        ->type_name("TEXT");
    app.add_option("--baseline", baseline, "no model: even guesses, or always the most frequent place of the right answer")
        ->check(CLI::IsMember({"chance", "majority"}));
    budget.add_to(app);
  }
};

Json generation_json(const RunFlags& flags, const AskOptions& options) {
  Json out = {{"structure", flags.ask.structure},
              {"max_new_tokens", options.max_new_tokens},
              {"temperature", options.temperature},
              {"top_k", options.top_k},
              {"top_p", options.top_p},
              {"min_p", options.min_p},
              {"seed", options.seed},
              {"long_audio", flags.ask.long_audio},
              {"force_choices", flags.force_choices},
              {"system_prompt", options.system_prompt.empty() ? "(the model's own)" : options.system_prompt}};
  out["repetition_penalty"] = options.repetition_penalty ? Json(*options.repetition_penalty) : Json("(generation_config.json)");
  if (!flags.ask.budget.empty()) out["budget"] = flags.ask.budget;
  if (flags.ask.kv_type != "auto") out["kv_type"] = flags.ask.kv_type;
  const BackendOptions& backend = flags.ask.backend;
  if (!backend.is_native()) out["backend"] = backend.name + " " + backend.device + " " + backend.dtype;
  return out;
}

Json stats_json(const EvalRun& run, const RunStats& stats) {
  Json out = {{"benchmark", run.benchmark}, {"items", stats.items},   {"already_there", stats.skipped},
              {"answered", stats.answered}, {"failed", stats.failed}, {"seconds", stats.seconds}};
  out["outcomes"] = Json::object();
  for (const auto& [name, n] : stats.outcomes) out["outcomes"][name] = n;
  return out;
}

void report(const RunFlags& flags, const EvalRun& run, const RunStats& stats) {
  Json summary = stats_json(run, stats);
  std::string counts;
  for (const auto& [name, n] : stats.outcomes) counts += fmt::format(", {} {}", n, name);
  log_info(fmt::format("{} items: {} answered now, {} before, {} not{} ({})", stats.items, stats.answered, stats.skipped,
                       stats.failed, counts, run.predictions));
  if (!flags.no_score && run.benchmark != "airbench-chat") {
    RunScoreOptions options;
    options.score = {run.benchmark, parse_stage(flags.stage), "auto", {flags.resamples, 1}};
    const BenchmarkScore score = score_run(run, options);
    summary["score"] = score_to_json(score, WithSamples::kNo);
    if (!flags.json) std::cout << score_to_text(score);
  }
  if (run.benchmark == "airbench-chat")
    log_info("AIR-Bench chat needs a judge: audio-reasoner eval judge " + run.folder + " …");
  if (flags.json) std::cout << dump_json(summary, 2) << "\n";
}

RunStats run_own_engine(RunFlags& flags, EvalRun& run, const AskOptions& ask) {
  EngineOptions engine;
  engine.batch.model_dir = flags.ask.model_dir();
  engine.batch.ask = ask;
  engine.batch.choices = flags.force_choices ? Choices::kForce : Choices::kIgnore;
  engine.batch.workers = flags.workers;
  engine.batch.session = flags.ask.session();
  if (flags.batch > 0) engine.batch.session.running = flags.batch;
  engine.progress = BatchProgressLine();
  return run_engine(run, engine);
}

RunProgress progress_line() {
  auto line = std::make_shared<ProgressLine>();
  return [line](std::size_t done, std::size_t total, double seconds) { (*line)({total, done, done, seconds, ""}); };
}

RunStats run_behind_http(const RunFlags& flags, EvalRun& run) {
  const auto budget = flags.budget.build();
  LlmRun options;
  options.asked = flags.api.build(budget, "");
  options.asked.system_prompt = flags.ask.options.system_prompt;
  options.progress = progress_line();
  Counts heard;
  if (flags.listener.given()) {
    ListenerUse listening{flags.listener.build(budget, ""), flags.listener.api == "transcription" ? "" : flags.listen_prompt};
    options.heard = hear_clips(run, listening, heard, progress_line());
  }
  RunStats stats = run_llm(run, options);
  for (const auto& [name, n] : heard.all()) stats.outcomes[name] += n;
  log_info(spent_line(*budget));
  return stats;
}

void describe_run(RunFlags& flags, const AskOptions& ask) {
  if (!flags.baseline.empty()) {
    flags.run.model = {{"kind", "baseline"}, {"name", flags.baseline}};
    flags.run.generation = {{"seed", ask.seed}};
  } else if (flags.api.given()) {
    flags.run.model = flags.api.describe();
    flags.run.model["kind"] = flags.listener.given() ? "listener and reader" : "api";
    flags.run.generation = {{"system_prompt", ask.system_prompt}};
    if (flags.listener.given()) {
      flags.run.model["listener"] = flags.listener.describe();
      if (flags.listener.api != "transcription") flags.run.generation["listener_prompt"] = flags.listen_prompt;
    }
  } else {
    if (flags.listener.given())
      throw Error(ErrorCode::kUsage, "--listener-api needs --remote-api", "name the model that reads");
    flags.run.model = describe_model(flags.ask.model_dir());
    flags.run.generation = generation_json(flags, ask);
  }
}

void run_benchmark(RunFlags& flags) {
  flags.run.shard = parse_shard(flags.shard);
  const AskOptions ask = flags.ask.finish();
  describe_run(flags, ask);
  flags.run.listens = flags.baseline.empty();
  EvalRun run = open_run(flags.run);
  const RunStats stats = !flags.baseline.empty()
                             ? run_baseline(run, flags.baseline == "chance" ? Baseline::kChance : Baseline::kMajority, ask.seed)
                         : flags.api.given() ? run_behind_http(flags, run)
                                             : run_own_engine(flags, run, ask);
  throw_if_interrupted();
  report(flags, run, stats);
  const auto failures = std::count_if(stats.outcomes.begin(), stats.outcomes.end(),
                                      [](const auto& outcome) { return outcome.first.starts_with("error_"); });
  if (failures > 0 && stats.answered + stats.skipped == 0)
    throw Error(ErrorCode::kRemote, "the model's server answered none of the questions",
                "see the warnings above; they stay open, run the same command again");
}

void print_prompts(const std::string& benchmark) {
  for (const PromptPreset& preset : prompt_presets()) {
    if (!benchmark.empty() && preset.benchmark != benchmark) continue;
    std::cout << fmt::format("{} {} ({})\n", preset.benchmark, preset.name, preset.source);
    std::string line = "    ";
    for (const char c : preset.text) line += c == '\n' ? std::string("\\n") : std::string(1, c);
    std::cout << line << "\n";
  }
}

}  // namespace

void add_eval_run(CLI::App& eval) {
  auto flags = std::make_shared<RunFlags>();
  CLI::App* app = eval.add_subcommand("run", "ask a model all questions of a benchmark, and score its answers");
  flags->add_to(*app);
  app->callback([flags] { run_benchmark(*flags); });

  auto benchmark = std::make_shared<std::string>();
  CLI::App* prompts = eval.add_subcommand("prompts", "print the named wordings of the benchmarks' questions");
  prompts->add_option("--benchmark", *benchmark, "only this one's")->check(CLI::IsMember(benchmark_names()));
  prompts->callback([benchmark] { print_prompts(*benchmark); });
}

}  // namespace areason
