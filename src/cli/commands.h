#pragma once
// The table of commands. Each command lives in one file src/cli/cmd_<name>.cpp with one register function that adds its CLI11
// subcommand and sets its callback; main.cpp only lists them. A callback throws Error; main turns it into the two lines
// "error: …" and "hint: …" on standard error and the documented exit status. Answers go to standard output, all else to
// standard error.
#include <CLI/CLI.hpp>

namespace areason {

void register_ask(CLI::App& app);
void register_chat(CLI::App& app);
void register_probe(CLI::App& app);
void register_tokenize(CLI::App& app);
void register_data(CLI::App& app);
void register_train(CLI::App& app);

}  // namespace areason
