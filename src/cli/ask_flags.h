#pragma once
// The flags that `ask` and `chat` share: model, prompt, structure, sampling. Called by those two commands. Thread rule: values;
// the flags must outlive the parsing.
#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "reason/session.h"

namespace areason {

struct AskFlags {
  AskOptions options;  // numbers are parsed straight into it
  std::string model;
  int threads = 0;
  std::string structure = "guided";
  std::string long_audio = "windows";
  std::optional<std::string> choices;
  std::string budget;
  float repetition_penalty = 0;
  std::string kv_type = "auto";
  std::string cache_dir;
  double cache_gb = 8;
  int draft = 0;
  BackendOptions backend;

  void add_to(CLI::App& command);
  // The options with everything that needs a second look. Throws Error(kUsage).
  AskOptions finish() const;
  // How the model is loaded and run.
  SessionOptions session() const;
  std::string model_dir() const;

 private:
  void add_engine_flags(CLI::App& command);
};

// --backend, --device, --dtype, into `backend`, which must outlive the parsing.
void add_backend_flags(CLI::App& command, BackendOptions& backend);

// "planning=60,response=40". Throws Error(kUsage).
std::map<Section, int> parse_budget(std::string_view text);
// "A. a dog|B. a cat". Throws Error(kUsage) when there are fewer than two or two are equal.
std::vector<std::string> parse_choices(std::string_view text);

}  // namespace areason
