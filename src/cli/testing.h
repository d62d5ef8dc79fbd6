#pragma once
// Runs command lines of the program inside a test. Only *_test.cpp files include it. Thread rule: one test at a time.
#include <CLI/CLI.hpp>
#include <iostream>
#include <sstream>
#include <string>

#include "cli/commands.h"

namespace areason {

// Runs a command line in this process with `input` as standard input; returns standard output.
inline std::string run(const std::string& command_line, const std::string& input = "") {
  std::istringstream in(input);
  std::ostringstream out;
  auto* const old_in = std::cin.rdbuf(in.rdbuf());
  auto* const old_out = std::cout.rdbuf(out.rdbuf());
  std::cin.clear();
  const auto restore = [&] {
    std::cin.rdbuf(old_in);
    std::cout.rdbuf(old_out);
  };
  try {
    CLI::App app;
    build_app(app);
    app.parse(command_line);
  } catch (...) {
    restore();
    throw;
  }
  restore();
  return out.str();
}

}  // namespace areason
