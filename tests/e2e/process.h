#pragma once
// Runs the built audio-reasoner as a user would, with limits on time and memory, and keeps what it says. Used by the
// end-to-end tests only. Thread rule: one thread.
#include <string>
#include <vector>

namespace areason::e2e {

// Exit statuses (docs/cli.md).
inline constexpr int kUsage = 2;
inline constexpr int kInput = 3;   // input that cannot be read
inline constexpr int kRemote = 5;  // a remote provider failed

struct Result {
  int status = -1;    // exit status; -signal when a signal ended it
  bool hung = false;  // it ran into the time limit and was killed
  std::string out;    // standard output
  std::string err;    // standard error
};

struct RunOptions {
  std::string input = {};        // for standard input
  std::string output = {};       // a file in place of what Result::out has
  double seconds = 600;          // against a hang only: sanitizer builds on a busy machine need their time
  std::size_t memory_mb = 6000;  // address space; ignored under sanitizers, which reserve terabytes
  std::size_t file_bytes = 0;    // of any file; writes beyond fail as those to a full disk do; 0: no limit
};

Result run(const std::vector<std::string>& arguments, const RunOptions& options = {});

// The contract of every failure: the exit status, nothing on standard output, on standard error exactly one "error: " line
// that holds `names`, and exactly one "hint: " line.
void expect_failure(const Result& result, int status, const std::string& names);

}  // namespace areason::e2e
