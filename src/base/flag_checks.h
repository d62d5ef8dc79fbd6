#pragma once
// Checks of numbers on the command line, with messages in words (CLI11's own name the range "0.000000 to 1797…").
// Called by the flags of both programs. Header only: base itself does not link CLI11.
#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdlib>
#include <string>

namespace areason {

namespace flag_checks {

inline CLI::Validator number_that(bool (*holds)(double), const std::string& sign, const std::string& words) {
  const auto check = [=](const std::string& text) {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    return !text.empty() && *end == '\0' && holds(value) ? std::string() : text + " is not a number " + words;
  };
  return {check, sign, sign};
}

}  // namespace flag_checks

inline const CLI::Validator kNotNegative = flag_checks::number_that([](double x) { return x >= 0; }, ">= 0", "of 0 or more");
inline const CLI::Validator kPositive = flag_checks::number_that([](double x) { return x > 0; }, "> 0", "above 0");

// "nan" lies in every range of CLI11's, and "inf" in open ones. For all numbers with a fraction, of all commands.
inline void refuse_not_finite(CLI::App& app) {
  const CLI::Validator finite(
      [](const std::string& text) {
        char* end = nullptr;
        const double value = std::strtod(text.c_str(), &end);
        return *end != '\0' || std::isfinite(value) ? std::string() : text + " is not a finite number";
      },
      "");
  for (CLI::Option* option : app.get_options([](CLI::Option*) { return true; }))
    if (option->get_type_name().find("FLOAT") != std::string::npos) option->check(finite);
  for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; })) refuse_not_finite(*command);
}

}  // namespace areason
