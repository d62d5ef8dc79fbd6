#include "synth/process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "base/error.h"
#include "base/files.h"
#include "base/interrupt.h"

extern char** environ;

namespace areason {
namespace {

using Clock = std::chrono::steady_clock;

// Waits with growing pauses: most helpers take 5 to 300 ms.
int wait_for(pid_t child, double timeout_seconds, bool& timed_out) {
  const auto end = Clock::now() + std::chrono::duration<double>(timeout_seconds);
  int status = 0;
  auto pause = std::chrono::microseconds(300);
  for (;;) {
    const pid_t done = waitpid(child, &status, WNOHANG);
    if (done == child) return status;
    if (done < 0 && errno != EINTR) return -1;
    if (Clock::now() > end) {
      timed_out = true;
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return status;
    }
    std::this_thread::sleep_for(pause);
    if (pause < std::chrono::milliseconds(4)) pause += pause / 4;
  }
}

class SilentStreams {
 public:
  SilentStreams() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  }
  ~SilentStreams() { posix_spawn_file_actions_destroy(&actions_); }
  SilentStreams(const SilentStreams&) = delete;
  SilentStreams& operator=(const SilentStreams&) = delete;
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

}  // namespace

void run_command(const Command& command) {
  std::vector<char*> arguments;
  for (const std::string& argument : command.arguments) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  SilentStreams streams;
  pid_t child = 0;
  const int spawned = posix_spawnp(&child, arguments[0], streams.get(), nullptr, arguments.data(), environ);
  if (spawned == ENOENT) {
    throw Error(ErrorCode::kInput, "the program " + command.arguments[0] + " is not installed",
                "apt-get install " + command.package);
  }
  if (spawned != 0) {
    throw Error(ErrorCode::kFailure, "cannot start " + command.arguments[0] + ": " + std::strerror(spawned),
                "free some memory");
  }
  bool timed_out = false;
  const int status = wait_for(child, command.timeout_seconds, timed_out);
  if (timed_out) throw Error(ErrorCode::kFailure, command.arguments[0] + " did not end in time", "try again on a free machine");
  // Ctrl-C reaches the child too, often before this process has noticed.
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGINT)
    throw Error(ErrorCode::kInterrupted, "interrupted", "run the same command again to go on");
  throw_if_interrupted();
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw Error(ErrorCode::kFailure, command.arguments[0] + " failed with status " + std::to_string(status),
                "run it by hand; reinstall " + command.package);
  }
}

bool program_exists(const std::string& name) {
  const char* path = std::getenv("PATH");
  if (!path) return false;
  const std::string folders = path;
  for (std::size_t from = 0; from <= folders.size();) {
    const std::size_t to = std::min(folders.find(':', from), folders.size());
    if (access((folders.substr(from, to - from) + "/" + name).c_str(), X_OK) == 0) return true;
    from = to + 1;
  }
  return false;
}

TemporaryFile::TemporaryFile(const std::string& directory, const std::string& suffix) {
  static std::atomic<unsigned long> counter{0};
  make_directories(directory);
  path_ = directory + "/" + std::to_string(getpid()) + "-" + std::to_string(counter++) + suffix;
}

TemporaryFile::~TemporaryFile() {
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

}  // namespace areason
