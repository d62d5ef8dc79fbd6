#include "e2e/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <sstream>

namespace areason::e2e {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kLimitMemory = false;
#else
constexpr bool kLimitMemory = true;
#endif

using Clock = std::chrono::steady_clock;

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() { EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0); }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  void close_end(int i) {
    if (ends[i] >= 0) ::close(ends[i]);
    ends[i] = -1;
  }
};

[[noreturn]] void become(const std::vector<std::string>& arguments, const RunOptions& options, Pipe* pipes) {
  for (int fd = 0; fd < 3; ++fd) ::dup2(pipes[fd].ends[fd == 0 ? 0 : 1], fd);
  if (!options.output.empty()) {
    const int file = ::open(options.output.c_str(), O_WRONLY | O_CLOEXEC);
    if (file < 0 || ::dup2(file, 1) < 0) ::_exit(126);
  }
  if (kLimitMemory) {
    const rlim_t bytes = static_cast<rlim_t>(options.memory_mb) << 20;
    const rlimit limit{bytes, bytes};
    ::setrlimit(RLIMIT_AS, &limit);
  }
  if (options.file_bytes > 0) {
    const rlimit limit{options.file_bytes, options.file_bytes};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    ::signal(SIGXFSZ, SIG_IGN);
  }
  std::vector<char*> argv = {const_cast<char*>(AREASON_BINARY)};
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  ::execv(AREASON_BINARY, argv.data());
  _exit(127);
}

// Feeds and drains the pipes until both outputs are closed or time is up; false then.
bool converse(Pipe* pipes, const RunOptions& options, Result& result) {
  const auto end = Clock::now() + std::chrono::duration<double>(options.seconds);
  std::size_t fed = 0;
  std::string buffer(1 << 16, '\0');
  ::fcntl(pipes[0].ends[1], F_SETFL, O_NONBLOCK);
  while (pipes[1].ends[0] >= 0 || pipes[2].ends[0] >= 0) {
    if (fed == options.input.size()) pipes[0].close_end(1);
    pollfd waits[3] = {{pipes[0].ends[1], POLLOUT, 0}, {pipes[1].ends[0], POLLIN, 0}, {pipes[2].ends[0], POLLIN, 0}};
    ::poll(waits, 3, 200);
    if (Clock::now() > end) return false;
    if (waits[0].revents != 0) {
      const ssize_t n = ::write(pipes[0].ends[1], options.input.data() + fed, options.input.size() - fed);
      fed = n < 0 && errno != EAGAIN ? options.input.size() : fed + static_cast<std::size_t>(std::max<ssize_t>(n, 0));
    }
    for (int i = 1; i <= 2; ++i) {
      if (waits[i].revents == 0) continue;
      const ssize_t n = ::read(pipes[i].ends[0], buffer.data(), buffer.size());
      if (n <= 0)
        pipes[i].close_end(0);
      else
        (i == 1 ? result.out : result.err).append(buffer.data(), static_cast<std::size_t>(n));
    }
  }
  return true;
}

int lines_starting_with(const std::string& text, const std::string& start, std::string* last) {
  int count = 0;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(start, 0) != 0) continue;
    ++count;
    *last = line;
  }
  return count;
}

}  // namespace

Result run(const std::vector<std::string>& arguments, const RunOptions& options) {
  ::signal(SIGPIPE, SIG_IGN);
  // Every thread's heap would reserve its own part of the address space, and there is a thread a core.
  ::setenv("MALLOC_ARENA_MAX", "2", 1);
  Result result;
  Pipe pipes[3];
  const pid_t pid = ::fork();
  if (pid == 0) become(arguments, options, pipes);
  pipes[0].close_end(0);
  pipes[1].close_end(1);
  pipes[2].close_end(1);
  result.hung = !converse(pipes, options, result);
  if (result.hung) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  result.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return result;
}

void expect_failure(const Result& result, int status, const std::string& names) {
  EXPECT_FALSE(result.hung) << "it hangs; so far: " << result.err;
  EXPECT_EQ(result.status, status) << result.err;
  EXPECT_EQ(result.out, "");
  std::string error;
  std::string hint;
  EXPECT_EQ(lines_starting_with(result.err, "error: ", &error), 1) << result.err;
  EXPECT_EQ(lines_starting_with(result.err, "hint: ", &hint), 1) << result.err;
  EXPECT_NE(error.find(names), std::string::npos) << "does not name " << names << ": " << error;
  EXPECT_GT(hint.size(), 10u) << hint;
}

}  // namespace areason::e2e
