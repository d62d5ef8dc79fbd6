#pragma once
// For tests only: a real PostgreSQL server of Debian's, started in a temporary directory of its own (socket only, no network),
// gone with the object; it also ends when the test is killed. Starting takes one to three seconds.
// Thread rule: one test at a time.
#include <fcntl.h>
#include <glob.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace areason::store::testing {

class PostgresServer {
 public:
  PostgresServer() {
    bin_ = find_bin();
    if (bin_.empty()) return;
    char directory[] = "/tmp/areason-pg-XXXXXX";  // whatever TMPDIR says: the name of a socket has 107 bytes at most
    if (::mkdtemp(directory) == nullptr) return;
    directory_ = directory;
    // PostgreSQL refuses to run as root; the package brings a user for it.
    if (::geteuid() == 0) user_ = ::getpwnam("postgres");
    if (user_ != nullptr && ::chown(directory, user_->pw_uid, user_->pw_gid) != 0) return;
    const std::string data = directory_ + "/data";
    // The locale of the environment may not be installed.
    if (wait(start({bin_ + "/initdb", "-D", data, "-A", "trust", "-U", "test", "-E", "UTF8", "--locale=C", "--no-sync"})) != 0)
      return;
    // fsync off: what is tested is the death of workers, not of the machine; whose connections live on for a while.
    pid_ = start({bin_ + "/postgres", "-D", data, "-k", directory_, "-c", "listen_addresses=", "-c", "fsync=off", "-c",
                  "max_connections=400"});
    while (::waitpid(pid_, nullptr, WNOHANG) == 0 && !ready()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    running_ = ready();
  }
  ~PostgresServer() {
    if (pid_ > 0) {
      ::kill(pid_, SIGQUIT);
      wait(pid_);
    }
    std::error_code ignored;
    if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
  }
  PostgresServer(const PostgresServer&) = delete;
  PostgresServer& operator=(const PostgresServer&) = delete;

  bool running() const { return running_; }
  // The address of a database that is made new by every call.
  std::string new_database() {
    const std::string name = "t" + std::to_string(++databases_);
    wait(start({bin_ + "/psql", "-q", "-h", directory_, "-U", "test", "-d", "postgres", "-c", "CREATE DATABASE " + name}));
    return "postgresql:///" + name + "?host=" + directory_ + "&user=test";
  }

 private:
  static std::string find_bin() {
    glob_t found{};
    std::string out;
    if (::glob("/usr/lib/postgresql/*/bin/postgres", 0, nullptr, &found) == 0)
      out = std::filesystem::path(found.gl_pathv[found.gl_pathc - 1]).parent_path().string();
    ::globfree(&found);
    return out;
  }
  bool ready() const { return wait(start({bin_ + "/pg_isready", "-q", "-h", directory_})) == 0; }

  pid_t start(const std::vector<std::string>& arguments) const {
    std::vector<char*> argv;
    for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    const pid_t pid = ::fork();
    if (pid != 0) return pid;
    const int null = ::open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; ++fd) ::dup2(null, fd);
    if (user_ != nullptr && (::setgid(user_->pw_gid) != 0 || ::setuid(user_->pw_uid) != 0)) _exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (::chdir(directory_.c_str()) == 0) ::execv(argv[0], argv.data());
    _exit(127);
  }
  static int wait(pid_t pid) {
    int status = -1;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
  }

  std::string bin_, directory_;
  const passwd* user_ = nullptr;
  pid_t pid_ = -1;
  bool running_ = false;
  int databases_ = 0;
};

inline void say_no_postgres() {
  std::fprintf(
      stderr,
      "\n*** PostgreSQL IS NOT HERE (apt-get install postgresql libpq-dev): its half of the contract is NOT TESTED ***\n");
}

}  // namespace areason::store::testing
