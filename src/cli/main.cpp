#include <cstdio>
#include <exception>
#include <iostream>
#include <new>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/flag_checks.h"
#include "base/interrupt.h"
#include "cli/commands.h"

namespace areason {
namespace {

// Messages may quote foreign files and arguments: nothing of them ends the line or reaches the terminal as a control code.
std::string one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  return text;
}

int report(ErrorCode code, const std::string& message, const std::string& hint) {
  std::fprintf(stderr, "error: %s\nhint: %s\n", one_line(message).c_str(), one_line(hint).c_str());
  return static_cast<int>(code);
}

// A result that nobody can read is a failure: a full disk behind ">" would otherwise go unnoticed.
int end_output() {
  std::cout.flush();
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good()) return 0;
  return report(ErrorCode::kFailure, "standard output cannot be written", "check the free space where it goes");
}

// The first word that should be a command and is none ("data exprot"); nothing when there is none.
std::optional<std::string> unknown_command(CLI::App& app, int argc, char** argv) {
  CLI::App* at = &app;
  for (int i = 1; i < argc && argv[i][0] != '-' && at->get_require_subcommand_min() > 0; ++i) {
    const auto named = at->get_subcommands([&](CLI::App* command) { return command->check_name(argv[i]); });
    if (named.empty()) return argv[i];
    at = named.front();
  }
  return std::nullopt;
}

int run(int argc, char** argv) {
  CLI::App app;
  build_app(app);
  refuse_not_finite(app);
  if (const auto word = unknown_command(app, argc, argv))
    return report(ErrorCode::kUsage, "there is no command " + *word, "audio-reasoner --help lists the commands");
  try {
    app.parse(argc, argv);
    return end_output();
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) {  // --help, --version
      app.exit(e);
      return end_output();
    }
    return report(ErrorCode::kUsage, e.what(), "see audio-reasoner --help, or audio-reasoner COMMAND --help");
  } catch (const Error& e) {
    return report(e.code(), e.what(), e.hint());
  } catch (const std::bad_alloc&) {
    return report(ErrorCode::kFailure, "out of memory", "use a smaller model, a shorter clip or a machine with more memory");
  } catch (const std::exception& e) {
    return report(ErrorCode::kFailure, e.what(), "this is a bug: please report the command line and this message");
  }
}

}  // namespace
}  // namespace areason

int main(int argc, char** argv) {
  areason::install_interrupt_handler();
  return areason::run(argc, argv);
}
