// audio-reasoner data annotate | think | review | run: a teacher at work on a set, and what a run would cost.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "base/error.h"
#include "base/flag_checks.h"
#include "base/log.h"
#include "cli/data_flags.h"
#include "cli/llm_flags.h"
#include "cli/store_limits.h"
#include "cota/stage_run.h"
#include "llm/config.h"

namespace areason {
namespace {

struct TeacherFlags {
  LlmFlags model;  // its `api` is --teacher
  BudgetFlags budget;
  bool text_only = false;

  TeacherFlags() { model.api = "oracle"; }
  void add_to(CLI::App& app) {
    app.add_option("--teacher", model.api,
                   "who answers: gemini, openai (any compatible server), replay (of --recording), or oracle "
                   "(knows the clips of data synth)")
        ->check(CLI::IsMember({"oracle", "gemini", "openai", "replay"}))
        ->capture_default_str();
    app.add_option("--model", model.model, "the model's name at its server")->type_name("NAME");
    app.add_option("--url", model.url, "the server's address (default: the API's own)")->type_name("URL");
    app.add_option("--key-variable", model.key_variable,
                   "environment variable with the key (default: GEMINI_API_KEY, OPENAI_API_KEY)")
        ->type_name("NAME");
    app.add_option("--audio-field", model.audio_field, "how compatible servers are sent a clip")
        ->check(CLI::IsMember({"input_audio", "input_audio_data_url", "audio_url"}))
        ->capture_default_str();
    app.add_flag("--text-only", text_only, "the teacher cannot hear: labels, transcripts and timeline stand in for the clip");
    app.add_option("--recording", model.recording, "every answer is kept in this file too, and not asked for again")
        ->type_name("FILE");
    app.add_option("--extra", model.extra_json, "a JSON object merged into each request's body")->type_name("JSON");
    app.add_option("--prices", budget.prices, "prices of models, a JSON file (docs/teachers.md)")->type_name("FILE");
    app.add_option(
           "--budget", budget.money,
           "most money that may be spent on the store, by all its processes and runs together, in the currency of --prices; 0: "
           "no limit")
        ->check(CLI::Range(0.0, 1e6))
        ->capture_default_str();
    app.add_option("--budget-tokens", budget.tokens, "most tokens, counted in the same way; 0: no limit")
        ->check(kNotNegative)
        ->capture_default_str();
    app.add_option("--requests-per-minute", model.requests_per_minute,
                   "of all processes of the store together, at an even pace; 0: no limit")
        ->check(kNotNegative)
        ->capture_default_str();
    app.add_option("--tokens-per-minute", model.tokens_per_minute, "of all processes of the store together; 0: no limit")
        ->check(kNotNegative)
        ->capture_default_str();
    app.add_option("--timeout", model.timeout, "seconds for one attempt")
        ->check(CLI::Range(0.01, 86400.0))
        ->capture_default_str();
    app.add_option("--attempts", model.attempts, "of a request whose server fails for a while")
        ->check(CLI::Range(1, 100))
        ->capture_default_str();
    app.add_option("--first-wait", model.first_wait, "seconds before the second attempt at most, doubled each time")
        ->check(CLI::Range(0.0, 60.0))
        ->capture_default_str();
  }

  // Without a store nobody can be asked (a dry run), and no key is needed.
  std::unique_ptr<Teacher> build(store::JobStore* store, const std::shared_ptr<llm::Purse>& purse) const {
    if (model.api == "oracle") return make_oracle_teacher();
    if (model.model.empty())
      throw Error(ErrorCode::kUsage, "--teacher " + model.api + " needs a --model", "its name at the server");
    ProviderTeacherOptions options;
    options.model = model.model;
    options.hearing = text_only ? Hearing::kTextOnly : Hearing::kAudio;
    options.prices = budget.price_table();
    options.extra_json = model.extra_json;
    options.timeout_seconds = model.timeout;
    if (store != nullptr) options.provider = llm::build_provider(provider_config(*store, purse));
    return make_provider_teacher(options);
  }

  // Limits and budget are the store's, for all its processes.
  llm::ProviderConfig provider_config(store::JobStore& store, const std::shared_ptr<llm::Purse>& purse) const {
    llm::ProviderConfig config = model.provider_config();
    // Servers cut a minute into shorter stretches, so no second has more than its share of it.
    if (model.requests_per_minute > 0) config.rates.windows.push_back({1, (model.requests_per_minute + 59) / 60, 0});
    if (!config.rates.windows.empty())
      config.gate = std::make_shared<StoreGate>(store, model.api + " " + model.model + " " + model.url, config.rates);
    budget.build()->require_price(model.model);
    config.budget = std::make_shared<llm::Budget>(llm::BudgetLimits{}, budget.price_table());
    config.purse = purse;
    return config;
  }

  bool asks_a_server() const { return model.api != "oracle" && model.api != "replay"; }

  std::shared_ptr<StorePurse> purse(store::JobStore& store, double lease_seconds) const {
    StorePurse::Terms terms;
    terms.currency = budget.price_table().currency;
    terms.limits = budget.limits();
    terms.lease_seconds = lease_seconds;
    return std::make_shared<StorePurse>(store, terms);
  }
};

struct StageFlags {
  SetFlags set;
  TeacherFlags teacher;
  std::string prompts, import_from, export_to;
  StageRunOptions run;
  bool dry_run = false, retry_failed = false;
};

// One line on standard error, rewritten on a terminal.
class ProgressPrinter {
 public:
  explicit ProgressPrinter(store::JobStore& store) : store_(store) {}
  void operator()(const StageProgress& p) {
    if (p.seconds - last_ < (terminal_ ? 1 : 10)) return;
    last_ = p.seconds;
    const std::int64_t open = store_.unfinished_jobs();
    const double rate = p.seconds > 0 ? static_cast<double>(p.done + p.failed) / p.seconds : 0;
    const std::string eta =
        rate > 0 ? fmt::format(", about {:.0f} min for those known of", static_cast<double>(open) / rate / 60) : "";
    const std::string line = fmt::format(
        "{} answers ({:.1f}/s), {} asked again, {} given up, {} open{}; {} tokens in, {} out, {} spent", p.done, rate,
        p.refused, p.failed, open, eta, p.cost.input_tokens, p.cost.output_tokens, llm::Money{p.cost.money_pico}.text());
    if (terminal_)
      fmt::print(stderr, "\r\033[K{}", line);
    else
      log_info(line);
  }
  void end() const {
    if (terminal_ && last_ > 0) fmt::print(stderr, "\n");
  }

 private:
  store::JobStore& store_;
  double last_ = 0;
  bool terminal_ = ::isatty(2) != 0;
};

// What the open jobs can cost at most; those that follow from them are reckoned with the prompts' own question counts.
void print_estimate(store::JobStore& store, const PromptLibrary& prompts, const StageFlags& flags) {
  const auto teacher = flags.teacher.build(nullptr, nullptr);
  const auto table = flags.teacher.budget.price_table();
  const auto price = table.models.find(flags.teacher.model.model);
  llm::Estimate known, following;
  std::int64_t jobs = 0, more = 0;
  for (const Stage stage : flags.run.stages) {
    store.each({stage_name(stage), prompts.versions(stage), flags.run.where}, store::JobState::kOpen, [&](store::Job&& job) {
      if (flags.run.limit > 0 && stage == flags.run.stages.front() && jobs >= flags.run.limit) return;
      const StageItem item = read_payload(job);
      const StagePrompt& prompt =
          prompts.find(stage, item.clip.source.set, item.sample.task.empty() ? item.clip.task : item.sample.task);
      known += teacher->estimate(item, prompt, stage_prompt_text(prompt, stage, item, ""));
      ++jobs;
      if (stage != Stage::kAnnotate || flags.run.stages.size() < 2) return;
      const int questions = item.clip.oracle.empty() ? prompt.questions : static_cast<int>(item.clip.oracle.size());
      for (const Stage next : {Stage::kThink, Stage::kReview}) {
        const StagePrompt& later = prompts.find(next, item.clip.source.set, item.clip.task);
        llm::Estimate one = teacher->estimate(item, later, stage_prompt_text(later, next, item, ""));
        one.text += prompt.max_tokens + (next == Stage::kReview ? later.max_tokens : 0);  // what the stages before wrote
        for (int i = 0; i < questions; ++i, ++more) following += one;
      }
    });
  }
  fmt::print("{} jobs open: at most {} tokens in ({} of audio), {} out\n", jobs, known.text + known.audio, known.audio,
             known.output);
  if (more > 0)
    fmt::print("{} jobs that follow: at most {} tokens in ({} of audio), {} out\n", more, following.text + following.audio,
               following.audio, following.output);
  known += following;
  if (price != table.models.end())
    fmt::print("at most {} {} without asking again\n", price->second.cost(known).text(), table.currency);
  else if (flags.teacher.model.api != "oracle")
    fmt::print("no price for {}: give --prices\n", flags.teacher.model.model);
}

void plan(store::JobStore& store, const PromptLibrary& prompts, const StageFlags& flags) {
  const Stage first = flags.run.stages.front();
  std::size_t added = 0;
  if (first == Stage::kAnnotate)
    added += plan_annotations(store, prompts, flags.set.clips_file(), {flags.run.where, flags.run.limit});
  for (const Stage stage : flags.run.stages) {
    if (stage == Stage::kThink) added += plan_follow_ups(store, prompts, Stage::kAnnotate);
    if (stage == Stage::kReview) added += plan_follow_ups(store, prompts, Stage::kThink);
  }
  log_info(fmt::format("{} new jobs in {}", added, store.name()));
}

void print_counts(store::JobStore& store) {
  fmt::print("{:<10} {:>9} {:>9} {:>9} {:>9} {:>12} {:>12} {:>12}\n", "stage", "done", "open", "leased", "failed", "tokens in",
             "tokens out", "spent");
  for (const Stage stage : kStages) {
    const auto all = store.counts({stage_name(stage), {}, {}});
    const store::StageCounts c = all.empty() ? store::StageCounts() : all.begin()->second;
    fmt::print("{:<10} {:>9} {:>9} {:>9} {:>9} {:>12} {:>12} {:>12}\n", stage_name(stage), c.done, c.open, c.leased, c.failed,
               c.cost.input_tokens, c.cost.output_tokens, llm::Money{c.cost.money_pico}.text());
    for (const auto& [outcome, count] : c.outcomes) {
      if (outcome != "ok") fmt::print("{:<10} {:>9} ended {}\n", "", count, outcome);
    }
  }
}

Error ended_early(const StageRunReport& report) {
  const std::string hint =
      report.stopped_how == llm::Finish::kBudget ? "what is done is kept; the same command with a larger --budget goes on"
      : report.stopped_how == llm::Finish::kUnreachable
          ? "what is done is kept, the rest is open; check --url and the server, then run the same command again"
          : "what is done is kept; run the same command again later";
  return {ErrorCode::kRemote, "the run ended early: " + report.stopped_by, hint};
}

void run(StageFlags& flags) {
  if (!flags.export_to.empty()) check_export(flags.set, flags.export_to);
  if (!flags.import_from.empty()) import_into(flags.set, flags.import_from);
  flags.set.require_set();
  const PromptLibrary prompts(flags.prompts.empty() ? default_prompts_dir() : flags.prompts);
  flags.run.where = flags.set.filter();
  if (flags.teacher.model.api == "oracle") flags.run.batch = std::max(flags.run.batch, 32);
  const auto store = flags.set.open();
  if (flags.retry_failed) {
    for (const Stage stage : flags.run.stages)
      store->reopen_failed({stage_name(stage), prompts.versions(stage), flags.run.where});
  }
  plan(*store, prompts, flags);
  if (flags.dry_run) return print_estimate(*store, prompts, flags);
  const auto purse = flags.teacher.purse(*store, flags.run.lease_seconds);
  const auto teacher = flags.teacher.build(store.get(), purse);
  ProgressPrinter printer(*store);
  flags.run.progress = [&](const StageProgress& p) {
    purse->beat();
    printer(p);
  };
  const StageRunReport report = run_stages(*store, prompts, *teacher, flags.run);
  printer.end();
  log_info(fmt::format("{} answers in {:.1f} s, {} asked again, {} given up, {} came too late", report.totals.done,
                       report.totals.seconds, report.totals.refused, report.totals.failed, report.totals.late));
  print_counts(*store);
  if (!report.stopped_by.empty()) throw ended_early(report);
  if (flags.teacher.asks_a_server()) log_info("in all on this store: " + purse->state());
  if (!flags.export_to.empty()) export_set(flags.set, flags.export_to);
}

void add_stage_command(CLI::App& data, const std::string& name, const std::string& about, std::vector<Stage> stages) {
  auto flags = std::make_shared<StageFlags>();
  flags->run.stages = std::move(stages);
  CLI::App* app = data.add_subcommand(name, about);
  flags->set.add_to(*app);
  flags->teacher.add_to(*app);
  app->add_option("--prompts", flags->prompts, "folder of prompts (default: the program's own)")->type_name("DIR");
  app->add_option("--limit", flags->run.limit, "most jobs of the (first) stage in this run; 0: all")
      ->check(kNotNegative)
      ->capture_default_str();
  app->add_option("--workers", flags->run.workers, "requests at the same time")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app->add_option("--max-tries", flags->run.max_tries, "unusable answers before a job is given up")
      ->check(CLI::Range(1, 20))
      ->capture_default_str();
  app->add_option("--lease", flags->run.lease_seconds, "seconds after which the jobs of a dead worker are free again")
      ->check(CLI::Range(0.5, 86400.0))
      ->capture_default_str();
  app->add_flag("--retry-failed", flags->retry_failed, "jobs that were given up are tried again");
  app->add_flag("--dry-run", flags->dry_run, "plan the jobs and print what they can cost at most; ask nobody");
  if (name == "run") {
    app->add_option("--import", flags->import_from, "KIND:PATH to import first, e.g. synth:runs/demo")->type_name("KIND:PATH");
    app->add_option("--export", flags->export_to, "FORMAT:DIR to export to at the end, e.g. jsonl:runs/cota/out")
        ->type_name("FORMAT:DIR");
  }
  app->callback([flags] { run(*flags); });
}

}  // namespace

void add_data_stages(CLI::App& data) {
  add_stage_command(data, "annotate", "stage 1: captions, questions and answers by a teacher", {Stage::kAnnotate});
  add_stage_command(data, "think", "stage 2: a chain of thought for every question", {Stage::kThink});
  add_stage_command(data, "review", "stage 3: a verdict on every chain", {Stage::kReview});
  add_stage_command(data, "run", "all three stages, each sample as far as it gets; any number of processes share one store",
                    {Stage::kAnnotate, Stage::kThink, Stage::kReview});
}

}  // namespace areason
