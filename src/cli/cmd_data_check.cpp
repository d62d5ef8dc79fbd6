// audio-reasoner data check: rules without a teacher, claims held against the timeline, and what both are worth on planted
// errors.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/data_flags.h"
#include "cli/llm_flags.h"
#include "cli/paths.h"
#include "cli/progress_line.h"
#include "cota/claims.h"
#include "cota/quality.h"
#include "cota/review.h"
#include "cota/stage_run.h"
#include "cota/stage_teacher.h"
#include "cota/statement_reader.h"

namespace areason {
namespace {

constexpr std::int64_t kShown = 20;  // samples with defects that are named on standard error

struct CheckFlags {
  SetFlags set;
  std::string samples, readings, prompts, defects;
  LlmFlags reader;
  BudgetFlags budget;
  bool measure = false, json = false;

  bool reads() const { return reader.given() || !readings.empty(); }
  std::string readings_file() const {
    return !readings.empty() ? readings : samples.empty() ? set.set + "/readings.jsonl" : samples + ".readings.jsonl";
  }
};

void check_arguments(const CheckFlags& flags) {
  if (flags.samples.empty() == flags.set.set.empty())
    throw Error(ErrorCode::kUsage, "data check needs either --set or --samples",
                "--set DIR for a set, --samples FILE for a sample file");
  if (flags.measure && (!flags.defects.empty() || flags.json))
    throw Error(ErrorCode::kUsage, std::string(flags.json ? "--json" : "--defects") + " does not go with --measure",
                "leave one of them out");
  if (!flags.samples.empty()) flags.set.refuse_with_samples();
  flags.reader.refuse_without_api();
  if (!flags.reader.given() && (!flags.prompts.empty() || flags.budget.tokens > 0 || flags.budget.money > 0))
    throw Error(ErrorCode::kUsage, std::string(flags.prompts.empty() ? "limits of cost are" : "--prompts is") + " for a reader",
                "name a model that reads the chains with --reader-api");
  require_other_file(flags.defects, "--defects", {flags.samples, flags.readings, flags.reader.recording, flags.budget.prices});
  require_other_file(flags.readings_file(), "--readings", {flags.samples, flags.reader.recording, flags.budget.prices});
  if (const std::string folder = parent_directory(flags.defects);
      !flags.defects.empty() && !std::filesystem::is_directory(folder))
    throw Error(ErrorCode::kInput, flags.defects + ": there is no folder " + folder, "make it, or name another file");
  if (flags.measure && flags.samples.empty())
    throw Error(ErrorCode::kUsage, "--measure needs --samples", "a file that tools/plant_errors.py has written");
  if (!flags.readings.empty() && !flags.reader.given() && !std::ifstream(flags.readings))
    throw Error(ErrorCode::kInput, flags.readings + ": cannot be opened",
                "check --readings, or name a model that reads the chains with --reader-api");
}

using EachSample = std::function<void(const Sample&, const SourceClip*)>;

void each_sample(const CheckFlags& flags, const EachSample& each) {
  if (!flags.samples.empty()) {
    read_samples(flags.samples, [&](Sample&& s) { each(s, nullptr); });
    return;
  }
  const auto store = flags.set.open_existing();
  store->each({stage_name(Stage::kReview), {}, flags.set.filter()}, store::JobState::kDone, [&](store::Job&& job) {
    StageItem item = read_payload(job);
    item.sample.id = job.key.item;  // as data export names it: two annotations of a clip may each have a question 1
    each(item.sample, &item.clip);
  });
}

// Asks the reader for the chains that nobody has read yet.
void read_missing(const CheckFlags& flags) {
  std::set<std::string> labels;
  std::vector<Sample> samples;
  each_sample(flags, [&](const Sample& sample, const SourceClip*) {
    if (sample.timeline.empty()) return;
    add_labels(sample, labels);
    samples.push_back(sample);
  });
  const auto spending = flags.budget.build();
  const AskedModel model = flags.reader.build(spending, "");
  AskedModelOptions options;
  options.provider = model.provider;
  options.model = model.model;
  options.parameters = model.parameters;
  options.timeout_seconds = model.timeout_seconds;
  options.workers = model.workers;
  options.prompt = read_prompt_file(flags.prompts.empty() ? default_prompts_dir() : flags.prompts, "check/default");
  if (options.prompt.text.find("{{chain}}") == std::string::npos)
    throw Error(ErrorCode::kInput, "the prompt check/default has no {{chain}}",
                "the text to translate must stand in it somewhere");
  options.progress = [line = std::make_shared<ProgressLine>()](std::size_t done, std::size_t total, double seconds) {
    (*line)({total, done, done, seconds, ""});
  };
  const std::string file = flags.readings_file();
  const KeptCounts counts = read_chains(file, samples, labels, options);
  log_info(fmt::format("{}: {} chains read, {} were there, {} answers refused, {} chains given up; {}", file, counts.written,
                       counts.known, counts.refused_answers, counts.given_up.size(), spent_line(*spending)));
  require_some_answer(counts, "the reader");
  if (!counts.given_up.empty()) log_warning(fmt::format("the last answer that could not be used: {}", counts.last_refusal));
}

// What is false in a chain, by the model's reading when there is a reader and by the rules otherwise.
class ClaimChecker {
 public:
  explicit ClaimChecker(const CheckFlags& flags) : reads_(flags.reads()) {
    if (flags.reader.given()) read_missing(flags);
    if (reads_) readings_ = Readings(flags.readings_file());
  }
  std::vector<std::string> wrong(const Sample& sample, const SourceClip* clip) {
    if (!reads_) return false_claims(sample, clip);
    if (sample.timeline.empty()) {
      ++untold_;
      return {};
    }
    const std::vector<std::string>* claims = readings_.find(sample);
    if (claims == nullptr) {
      ++unread_;
      return {};
    }
    JudgedClaims judged = judge_claims(sample, clip, *claims);
    ++read_, statements_ += judged.statements, open_ += judged.open;
    return std::move(judged.wrong);
  }
  void warn_of_unread() const {
    if (untold_ > 0)
      log_warning(fmt::format("{} of {} samples have no timeline: nothing of their chains was read", untold_,
                              untold_ + unread_ + read_));
    if (unread_ > 0)
      log_warning(fmt::format("{} of {} chains have no reading: nothing of them was held against their timeline", unread_,
                              unread_ + read_));
  }
  // "" without a reader.
  std::string summary() const {
    if (!reads_) return "";
    return fmt::format("reader: {} chains read, {} not; {} statements, {} of them beyond what a timeline tells\n", read_,
                       unread_, statements_, open_);
  }
  Json to_json() const {
    return Json{{"read", read_}, {"not_read", unread_}, {"no_timeline", untold_}, {"statements", statements_}, {"open", open_}};
  }
  bool reads() const { return reads_; }

 private:
  bool reads_;
  Readings readings_;
  std::int64_t read_ = 0, unread_ = 0, untold_ = 0, statements_ = 0, open_ = 0;
};

void run_check(const CheckFlags& flags) {
  std::map<std::string, std::int64_t> by_code;
  std::int64_t checked = 0, bad = 0;
  std::string listed;
  QualityReport quality;
  ClaimChecker checker(flags);
  each_sample(flags, [&](const Sample& sample, const SourceClip* clip) {
    const auto wrong = checker.wrong(sample, clip);
    const auto defects = sample_defects(sample, clip, &wrong);
    quality.add(sample);
    ++checked;
    if (!defects.empty()) listed += dump_json(Json{{"id", sample.id}, {"defects", defects}}) + "\n";
    if (!defects.empty() && ++bad <= kShown) fmt::print(stderr, "{}: {}\n", sample.id, defects[0]);
    std::set<std::string> codes;
    for (const std::string& d : defects) codes.insert(d.substr(0, d.find(':')));
    for (const std::string& code : codes) ++by_code[code];
  });
  if (checked == 0)
    throw Error(ErrorCode::kInput, "there is no sample to check",
                flags.samples.empty() ? "data run finishes the samples of a set; --where may let none through"
                                      : "is it the right file?");
  checker.warn_of_unread();
  if (!flags.defects.empty()) write_file_atomic(flags.defects, listed);
  if (bad > kShown && flags.defects.empty()) fmt::print(stderr, "… and {} more; --defects FILE lists them all\n", bad - kShown);
  if (flags.json) {
    Json out = {{"samples", checked}, {"with_defects", bad}, {"defects", by_code}, {"set", quality.to_json()}};
    if (checker.reads()) out["reader"] = checker.to_json();
    fmt::print("{}\n", dump_json(out, 2));
    return;
  }
  fmt::print("{} samples, {} with defects\n", checked, bad);
  for (const auto& [code, count] : by_code) fmt::print("{:>9} {}\n", count, code);
  fmt::print("{}{}", checker.summary(), quality.text());
}

struct MeasuredChecks {
  std::int64_t chains = 0, by_checker = 0, by_reviewer = 0;
};

// What the checker and the oracle as the reviewer make of chains with planted errors (tools/plant_errors.py).
void run_measure(const CheckFlags& flags) {
  std::map<std::string, MeasuredChecks> by_sort;
  const auto oracle = make_oracle_teacher();
  ClaimChecker checker(flags);
  std::ifstream in(flags.samples, std::ios::binary);
  if (!in) throw Error(ErrorCode::kInput, flags.samples + ": cannot be opened", "check the path");
  std::string line;
  for (int number = 1; std::getline(in, line); ++number) {
    const std::string where = flags.samples + ", line " + std::to_string(number);
    if (trimmed(line).empty()) continue;
    const Json json = parse_json(line, where);
    const Sample sample = sample_from_json(json, where);
    if (!json.contains("planted") || !json["planted"].is_string())
      throw Error(ErrorCode::kInput, where + ": no \"planted\"", "give a file that tools/plant_errors.py has written");
    MeasuredChecks& m = by_sort[json["planted"].get<std::string>()];
    ++m.chains;
    m.by_checker += checker.wrong(sample, nullptr).empty() ? 0 : 1;
    m.by_reviewer += oracle_refuses(*oracle, sample) ? 1 : 0;
  }
  MeasuredChecks clean = by_sort[""], planted;
  fmt::print("{:<12} {:>8} {:>10} {:>10}\n", "planted", "chains", "checker", "reviewer");
  for (const auto& [sort, m] : by_sort) {
    fmt::print("{:<12} {:>8} {:>10} {:>10}\n", sort.empty() ? "nothing" : sort, m.chains, m.by_checker, m.by_reviewer);
    if (sort.empty()) continue;
    planted.chains += m.chains;
    planted.by_checker += m.by_checker;
    planted.by_reviewer += m.by_reviewer;
  }
  const auto share = [](std::int64_t n, std::int64_t of) {
    return of == 0 ? 0.0 : 100.0 * static_cast<double>(n) / static_cast<double>(of);
  };
  checker.warn_of_unread();
  fmt::print("{}", checker.summary());
  for (const auto& [who, found, alarms] : {std::tuple{"checker", planted.by_checker, clean.by_checker},
                                           std::tuple{"reviewer", planted.by_reviewer, clean.by_reviewer}})
    fmt::print("{}: recall {:.2f} %, false alarms {:.2f} % of {} chains, precision {:.2f} %\n", who,
               share(found, planted.chains), share(alarms, clean.chains), clean.chains, share(found, found + alarms));
}

}  // namespace

void add_data_check(CLI::App& data) {
  auto flags = std::make_shared<CheckFlags>();
  CLI::App* app =
      data.add_subcommand("check",
                          "rules without a teacher: structure, leaks, letters, quotations, repetition, every claim that "
                          "touches the timeline; questions that recur, gold letters");
  flags->set.add_to(*app);
  app->get_option("--set")->required(false);
  app->add_option("--samples", flags->samples, "a sample file instead of a set's chains")->type_name("FILE");
  app->add_flag("--measure", flags->measure,
                "recall and false alarms on errors that tools/plant_errors.py planted in --samples");
  app->add_flag("--json", flags->json, "print JSON instead of a table");
  app->add_option("--defects", flags->defects,
                  "write every sample with defects to this file, JSON lines of id and defects, for data export --leave-out")
      ->type_name("FILE");
  flags->reader.add_to(*app, "reader-",
                       "who reads the chains into statements that the program judges (default: the rules alone)",
                       LlmFlags::Sampling::kByPrompt);
  app->add_option("--readings", flags->readings,
                  "file of readings, read first and appended to (default with a reader: SET/readings.jsonl or "
                  "SAMPLES.readings.jsonl); without --reader-api only what it holds is judged")
      ->type_name("FILE");
  flags->budget.add_to(*app);
  app->add_option("--prompts", flags->prompts, "folder of prompts with check/default.txt (default: the program's own)")
      ->type_name("DIR");
  app->callback([flags] {
    check_arguments(*flags);
    flags->measure ? run_measure(*flags) : run_check(*flags);
  });
}

}  // namespace areason
