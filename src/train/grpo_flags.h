#pragma once
// The flags of `--method grpo`. Called by main.cpp. Thread rule: free functions.
#include <CLI/CLI.hpp>

#include "train/trainer.h"

namespace areason::train {

void add_grpo_options(CLI::App& app, TrainOptions& options);

}  // namespace areason::train
