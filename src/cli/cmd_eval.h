#pragma once
// The parts of `audio-reasoner eval`, one file each. Called by cmd_eval.cpp only. Thread rule: as commands.h.
#include <CLI/CLI.hpp>

namespace areason {

void add_eval_run(CLI::App& eval);     // run, prompts
void add_eval_judge(CLI::App& eval);   // judge
void add_eval_report(CLI::App& eval);  // report, make-benchmark

}  // namespace areason
