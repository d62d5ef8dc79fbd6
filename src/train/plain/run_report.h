#pragma once
// A run's logging.jsonl as one HTML page that needs nothing else: loss, learning rate, gradient norm and accuracy over steps,
// accuracy by task at the last evaluation, what was skipped and left out. Called by `audio-reasoner train report`. Lines that
// are torn (a killed run) are skipped; a step that was repeated after a resume counts with its last line. Errors: Error(kInput)
// naming the file. Thread rule: free functions.
#include <string>

namespace areason::train {

std::string run_report(const std::string& run_dir);

}  // namespace areason::train
