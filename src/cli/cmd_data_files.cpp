// audio-reasoner data import | export: clips into a set, and samples out of it.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/flag_checks.h"
#include "base/json.h"
#include "base/log.h"
#include "base/thread_pool.h"
#include "cli/data_flags.h"
#include "cli/paths.h"
#include "cota/export.h"
#include "cota/export_folder.h"
#include "cota/import.h"
#include "cota/import_sources.h"
#include "cota/stage_run.h"

namespace areason {

namespace fs = std::filesystem;

namespace {

std::pair<std::string, std::string> two_parts(const std::string& text, const char* what) {
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size())
    throw Error(ErrorCode::kUsage, "\"" + text + "\" is not " + what, "write two parts with a colon between them");
  return {text.substr(0, colon), text.substr(colon + 1)};
}

// The commonest; mixed clips have all that they are made of, in some hundred combinations.
void tell_licences(const std::map<std::string, std::int64_t>& licences) {
  constexpr std::size_t kMost = 12;
  std::vector<std::pair<std::string, std::int64_t>> by_count(licences.begin(), licences.end());
  std::stable_sort(by_count.begin(), by_count.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::int64_t others = 0;
  for (std::size_t i = 0; i < by_count.size(); ++i) {
    if (i < kMost) fmt::print("{:>9} clips, {}\n", by_count[i].second, by_count[i].first);
    if (i >= kMost) others += by_count[i].second;
  }
  if (others > 0)
    fmt::print("{:>9} clips under {} other licences or sets of them (export writes each clip's own)\n", others,
               by_count.size() - kMost);
}

void run_and_tell_import(ImportOptions& options) {
  if (options.threads <= 0) options.threads = available_cores();
  const ImportReport r = run_import(
      options, [](const ImportReport& now) { log_debug(fmt::format("{} rows, {} imported", now.rows, now.imported)); });
  fmt::print("{} rows: {} imported, {} already there, {} missing, {} broken (listed in {}/import-problems.jsonl)\n", r.rows,
             r.imported, r.known, r.missing, r.broken, options.set);
  fmt::print("duplicates by content in the set: {}, {} of them across a train/test border (the training side is left out)\n",
             r.duplicates, r.across_splits);
  tell_licences(r.licences);
}

void add_import(CLI::App& data) {
  auto options = std::make_shared<ImportOptions>();
  options->threads = 0;
  CLI::App* app = data.add_subcommand("import", "clips with what is known about them, from a source as released, into a set");
  std::vector<std::string> names;
  std::string about = "kind of source:";
  for (const ImportKind& kind : import_kinds()) {
    names.push_back(kind.name);
    about += std::string(" ") + kind.name + " (" + kind.about + ");";
  }
  about.back() = '.';
  app->add_option("kind", options->kind, about)->required()->check(CLI::IsMember(names));
  app->add_option("path", options->path, "folder or table of the source")->required();
  app->add_option("--set", options->set, "folder of the set; later imports add to it")->required()->type_name("DIR");
  app->add_option("--audio", options->audio, "folder of the sound files (default: beside the tables)")->type_name("DIR");
  app->add_option("--split", options->split, "split of clips that have none of their own")->type_name("NAME");
  app->add_option("--limit", options->limit, "most rows; 0: all")->check(kNotNegative)->capture_default_str();
  app->add_option("--threads", options->threads, "0: all cores")->capture_default_str()->check(CLI::Range(0, 1024));
  app->callback([options] { run_and_tell_import(*options); });
}

std::unique_ptr<ExportSource> source_of(const SetFlags& set, store::JobStore& store) {
  std::vector<std::string> excluded;
  if (fs::exists(set.clips_file()))
    read_source_clips(set.clips_file(), [&](SourceClip&& clip) {
      if (!clip.excluded.empty()) excluded.push_back(clip.id);
    });
  return export_from_store(store, set.filter(), std::move(excluded));
}

void tell_export(const ExportReport& r, const std::string& out) {
  fmt::print("{} samples in {} ({} refused by the review left out{})\n", r.samples, out, r.refused,
             r.left_out > 0 ? fmt::format(", {} more by --leave-out", r.left_out) : "");
  for (const auto& [split, count] : r.splits) fmt::print("{:>9} {}\n", count, split);
}

struct ExportFlags {
  SetFlags set;
  std::string samples, audio_root, format = "jsonl", keep = "approved";
  std::optional<std::string> leave_out;
  ExportOptions options;
};

void run_export(ExportFlags& flags) {
  flags.options.format = export_format(flags.format);
  flags.options.keep = flags.keep == "all" ? Keep::kAll : Keep::kApproved;
  if (flags.samples.empty() == flags.set.set.empty())
    throw Error(ErrorCode::kUsage, "data export needs either --set or --samples",
                "--set DIR for a set, --samples FILE for a sample file");
  if (flags.leave_out) flags.options.left_out = ids_with_defects(*flags.leave_out);
  if (flags.options.val_share + flags.options.test_share > 1)
    throw Error(ErrorCode::kUsage, "--val-share and --test-share are more than everything together",
                "make their sum 1 or less");
  if (!flags.samples.empty()) flags.set.refuse_with_samples();
  flags.options.inputs = {flags.samples.empty() ? flags.set.set : parent_directory(flags.samples)};
  if (!flags.samples.empty())
    return tell_export(export_samples(*export_from_file(flags.samples, flags.audio_root), flags.options), flags.options.out);
  const auto store = flags.set.open_existing();
  tell_export(export_samples(*source_of(flags.set, *store), flags.options), flags.options.out);
}

void add_export(CLI::App& data) {
  auto flags = std::make_shared<ExportFlags>();
  CLI::App* app = data.add_subcommand("export", "reviewed samples for a trainer: JSONL, ms-swift, Hugging Face, WebDataset");
  flags->set.add_to(*app);
  app->get_option("--set")->required(false);
  app->add_option("--samples", flags->samples, "a sample file instead of a set")->type_name("FILE");
  app->add_option(
         "--audio-root", flags->audio_root,
         "with --samples: the folder its audio lies in; absolute paths, as an earlier export wrote them, must lie in it too")
      ->type_name("DIR");
  app->add_option("--format", flags->format,
                  "jsonl (the project's own), swift, hf (audiofolder with a card), webdataset (tar shards)")
      ->check(CLI::IsMember({"jsonl", "swift", "hf", "webdataset"}))
      ->capture_default_str();
  app->add_option("--out", flags->options.out,
                  "folder: a new or empty one, or that of an earlier export, whose files it replaces")
      ->required()
      ->type_name("DIR");
  app->add_option("--keep", flags->keep, "approved, or all with their verdicts")
      ->check(CLI::IsMember({"approved", "all"}))
      ->capture_default_str();
  app->add_option("--leave-out", flags->leave_out, "samples with defects, as data check --defects lists them")
      ->type_name("FILE");
  app->add_option("--seed", flags->options.seed, "of the order, and of splits for clips that have none")
      ->check(kNotNegative)
      ->capture_default_str();
  app->add_option("--val-share", flags->options.val_share, "of the groups without a split")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app->add_option("--test-share", flags->options.test_share, "of the groups without a split")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app->add_option("--shard", flags->options.shard_samples, "samples a tar shard")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app->callback([flags] { run_export(*flags); });
}

}  // namespace

void SetFlags::add_to(CLI::App& app) {
  app.add_option("--set", set, "folder of the set (data import makes it)")->required()->type_name("DIR");
  app.add_option("--store", store,
                 "where jobs and answers are kept: a file, or postgresql://user@host/database (default: DIR/jobs.db)")
      ->type_name("ADDRESS");
  app.add_option("--where", where,
                 "only these: FIELD=VALUE of item, clip, source, task, split; * stands for anything; several are "
                 "all meant")
      ->delimiter(',')
      ->type_name("FIELD=VALUE");
}

void SetFlags::refuse_with_samples() const {
  if (!store.empty() || !where.empty())
    throw Error(ErrorCode::kUsage, std::string(where.empty() ? "--store" : "--where") + " is for --set",
                "--samples takes a whole file");
}

std::string SetFlags::store_address() const { return store.empty() ? set + "/jobs.db" : store; }

std::unique_ptr<store::JobStore> SetFlags::open() const { return store::open_store(store_address()); }

std::unique_ptr<store::JobStore> SetFlags::open_existing() const {
  require_set();
  const std::string address = store_address();
  // An address is no file; open_store() says what is wrong with it.
  if (address.find("://") == std::string::npos && !fs::exists(address))
    throw Error(ErrorCode::kInput, address + ": no such store, so no teacher has worked on the set yet",
                store.empty() ? "audio-reasoner data run --set " + set + " makes its samples" : "check --store");
  return open();
}

void SetFlags::require_set() const {
  if (!fs::is_directory(set))
    throw Error(ErrorCode::kInput, set + ": no such folder", "check --set; audio-reasoner data import makes a set");
  if (!fs::exists(clips_file()))
    throw Error(ErrorCode::kInput, set + ": holds no set (no clips.jsonl)",
                "check --set; audio-reasoner data import makes a set");
}

std::map<std::string, std::string> SetFlags::filter() const {
  std::map<std::string, std::string> out;
  for (const std::string& part : where) {
    const std::size_t equals = part.find('=');
    if (equals == std::string::npos || equals == 0)
      throw Error(ErrorCode::kUsage, "--where \"" + part + "\" is not FIELD=VALUE", "e.g. --where source=clotho,split=train");
    out[part.substr(0, equals)] = part.substr(equals + 1);
  }
  return out;
}

void import_into(const SetFlags& set, const std::string& kind_and_path) {
  ImportOptions options;
  std::tie(options.kind, options.path) = two_parts(kind_and_path, "KIND:PATH");
  options.set = set.set;
  options.threads = 0;
  run_and_tell_import(options);
}

void export_set(const SetFlags& set, const std::string& format_and_folder) {
  ExportFlags flags;
  flags.set = set;
  std::tie(flags.format, flags.options.out) = two_parts(format_and_folder, "FORMAT:DIR");
  run_export(flags);
}

void check_export(const SetFlags& set, const std::string& format_and_folder) {
  const auto [format, folder] = two_parts(format_and_folder, "FORMAT:DIR");
  export_format(format);
  check_export_folder(folder, {set.set});
}

std::string default_prompts_dir() {
  std::error_code ignored;
  const auto usable = [&](const fs::path& dir) { return fs::exists(dir / "annotate/default.txt", ignored); };
  const fs::path installed = executable_dir().parent_path() / "share/areason/prompts";
  if (usable(installed)) return installed.string();
  fs::path dir = executable_dir();
  for (int up = 0; up < 4 && dir.has_relative_path(); ++up, dir = dir.parent_path())
    if (usable(dir / "prompts")) return (dir / "prompts").string();
  return "prompts";
}

void add_data_files(CLI::App& data) {
  add_import(data);
  add_export(data);
}

}  // namespace areason
