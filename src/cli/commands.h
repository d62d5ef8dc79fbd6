#pragma once
// The table of commands. Each command lives in one file src/cli/cmd_<name>.cpp with one register function that adds its CLI11
// subcommand and sets its callback; app.cpp only lists them. A callback throws Error; main turns it into the two lines
// "error: …" and "hint: …" on standard error and the documented exit status. Answers go to standard output, all else to
// standard error.
#include <CLI/CLI.hpp>
#include <string>

namespace areason {

void register_ask(CLI::App& app);
void register_chat(CLI::App& app);
void register_serve(CLI::App& app);
void register_probe(CLI::App& app);
void register_tokenize(CLI::App& app);
void register_data(CLI::App& app);
void register_eval(CLI::App& app);
void register_train(CLI::App& app);
void register_bench(CLI::App& app);
void register_quantize(CLI::App& app);
void register_docs(CLI::App& app);

// Adds the name, --version and every command to `app`.
void build_app(CLI::App& app);

// docs/cli.md: every command and flag of `app`, the exit codes and the environment variables, as Markdown.
std::string cli_reference(const CLI::App& app);

}  // namespace areason
