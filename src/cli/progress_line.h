#pragma once
// How far a long command is: one line on standard error, rewritten on a terminal, logged elsewhere; at most every two seconds
// and once more at the end. Called by ask and eval. Units: seconds. Thread rule: one thread at a time.
#include <string>

#include "reason/batch.h"

namespace areason {

struct Progress {
  std::size_t total = 0, done = 0;  // `done` includes what an earlier run had finished
  std::size_t now = 0;              // of this run, the failed ones included
  double seconds = 0;               // of this run
  std::string more;                 // ", 120 tokens a second"
};

class ProgressLine {
 public:
  void operator()(const Progress& progress);

 private:
  double reported_ = 0;
};

// The same for batches of our own engine.
class BatchProgressLine {
 public:
  void operator()(const BatchStats& stats);

 private:
  ProgressLine line_;
};

}  // namespace areason
