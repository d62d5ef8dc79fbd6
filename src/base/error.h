#pragma once
// The one error type of the project. Library code throws Error; three borders catch it: the CLI's main, a request of the
// server, a job worker. Nobody calls exit, abort or assert on input. Thread rule: values, free to copy.
#include <stdexcept>
#include <string>
#include <utility>

namespace areason {

// Each code is also the exit status of the command line (docs/cli.md).
enum class ErrorCode {
  kFailure = 1,        // anything without a better code
  kUsage = 2,          // bad flags or arguments
  kInput = 3,          // an input file cannot be read or makes no sense
  kModel = 4,          // a checkpoint cannot be used
  kRemote = 5,         // a remote provider failed
  kInterrupted = 130,  // stopped by Ctrl-C
};

class Error : public std::runtime_error {
 public:
  // `message` names the thing that is wrong, `hint` the way out. Both are one line.
  Error(ErrorCode code, const std::string& message, std::string hint)
      : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}
  ErrorCode code() const { return code_; }
  const std::string& hint() const { return hint_; }

 private:
  ErrorCode code_;
  std::string hint_;
};

}  // namespace areason
