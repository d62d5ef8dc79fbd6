// audio-reasoner eval report: the paper's tables beside our runs; eval make-benchmark: nano's own benchmark.
#include <fmt/format.h>

#include <iostream>
#include <memory>

#include "base/files.h"
#include "base/log.h"
#include "cli/cmd_eval.h"
#include "eval/nano_benchmark.h"
#include "eval/report.h"
#include "eval/report_html.h"

namespace areason {
namespace {

struct ReportFlags {
  ReportOptions report;
  HtmlOptions html;
  std::string format = "text", out, stage = "mapped";
};

std::string rendered(const ReportFlags& flags) {
  const auto runs = collect_runs(flags.report);
  const auto tables = report_tables(runs);
  if (flags.format == "html") return report_to_html(tables, runs, flags.html);
  if (flags.format == "json") return dump_json(tables_to_json(tables, runs), 2) + "\n";
  return flags.format == "markdown" ? tables_to_markdown(tables) : tables_to_text(tables);
}

void add_report(CLI::App& eval) {
  auto flags = std::make_shared<ReportFlags>();
  CLI::App* app = eval.add_subcommand("report", "the paper's tables 4 to 8 as printed, with the figures of runs beside them");
  app->add_option("runs", flags->report.folders, "folders that eval run made, or folders of such folders")
      ->required()
      ->type_name("DIR");
  app->add_option("--format", flags->format, "html is one page with plots and the single samples")
      ->check(CLI::IsMember({"text", "markdown", "json", "html"}))
      ->capture_default_str();
  app->add_option("--out", flags->out, "write there instead of standard output")->type_name("FILE");
  app->add_option("--stage", flags->stage, "as for eval score")
      ->check(CLI::IsMember({"raw", "response", "mapped"}))
      ->capture_default_str();
  app->add_option("--samples", flags->html.samples, "html: most samples a run")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  app->add_option("--embed", flags->html.embed_mib, "html: MiB of clips put into the page; the others are linked")
      ->check(CLI::Range(0.0, 2000.0))
      ->capture_default_str();
  app->add_option("--resamples", flags->report.bootstrap.resamples, "of the bootstrap")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  app->callback([flags] {
    flags->report.stage = parse_stage(flags->stage);
    const std::string text = rendered(*flags);
    if (flags->out.empty()) {
      std::cout << text;
    } else {
      write_file_atomic(flags->out, text);
      log_info(flags->out + ": " + std::to_string(text.size()) + " bytes");
    }
  });
}

void add_make_benchmark(CLI::App& eval) {
  auto options = std::make_shared<NanoBenchmarkOptions>();
  CLI::App* app = eval.add_subcommand("make-benchmark",
                                      "write test files of `data synth` in the layouts of MMAU, AIR-Bench, MELD and CoVoST 2");
  app->add_option("--data", options->data, "a folder of data synth")->required()->type_name("DIR");
  app->add_option("--out", options->out, "gets mmau/, airbench/, meld/, covost2/ and benchmark.json with their hashes")
      ->required()
      ->type_name("DIR");
  app->add_option("--split", options->split, "which test file")
      ->check(CLI::IsMember({"test-known", "test-unseen", "val"}))
      ->capture_default_str();
  app->add_option("--per-kind", options->per_kind, "the first so many questions of each kind; 0: all")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  app->callback([options] { std::cout << dump_json(make_nano_benchmark(*options), 2) << "\n"; });
}

}  // namespace

void add_eval_report(CLI::App& eval) {
  add_report(eval);
  add_make_benchmark(eval);
}

}  // namespace areason
