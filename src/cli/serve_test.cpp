// The built command as a server: what it prints, its key from the environment, its end by a signal.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <httplib.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace {

// `audio-reasoner serve` on a port of its own.
class Command {
 public:
  explicit Command(const char* keys = "one,two", const char* most_tokens = "2048") {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDERR_FILENO);
      ::setenv("AREASON_API_KEY", keys, 1);
      ::execl(AREASON_BINARY, AREASON_BINARY, "serve", "--model", "models/nano", "--port", "0", "--threads", "1",
              "--max-new-tokens", most_tokens, nullptr);
      ::_exit(127);
    }
    ::close(ends[1]);
    errors_ = ::fdopen(ends[0], "r");
  }
  ~Command() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    std::fclose(errors_);
  }
  // The next line of standard error; "" at its end.
  std::string line() {
    char buffer[4096];
    return std::fgets(buffer, sizeof buffer, errors_) == nullptr ? "" : buffer;
  }
  int end(int signal) {
    ::kill(pid_, signal);
    return status();
  }
  // Of the command that ends.
  int status() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
  FILE* errors_ = nullptr;
};

TEST(ServeCommand, SaysWhereItListensAnswersAndEnds) {
  for (const int signal : {SIGINT, SIGTERM}) {
    Command command;
    const std::string said = command.line();
    const auto begin = said.find("http://127.0.0.1:"), end = said.find("/v1");
    ASSERT_NE(end, std::string::npos) << said;
    EXPECT_NE(said.find("serving nano at "), std::string::npos) << said;
    httplib::Client client(said.substr(begin, end - begin));
    client.set_read_timeout(600);
    EXPECT_EQ(client.Get("/v1/models")->status, 401);
    const httplib::Headers key = {{"Authorization", "Bearer two"}};
    EXPECT_NE(client.Get("/v1/models", key)->body.find("\"nano\""), std::string::npos);
    const auto answer = client.Post("/v1/chat/completions", key, R"({"messages": [{"role": "user", "content": "Hello?"}]})",
                                    "application/json");
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200) << answer->body;
    EXPECT_EQ(command.end(signal), 0);
    EXPECT_FALSE(client.Get("/health"));
  }
}

TEST(ServeCommand, AVariableWithoutAKeyIsRefused) {
  for (const char* keys : {"", ",", " , "}) {
    Command command(keys);
    EXPECT_NE(command.line().find("AREASON_API_KEY holds no key"), std::string::npos) << keys;
    EXPECT_EQ(command.status(), 2) << keys;
  }
}

TEST(ServeCommand, ALimitThatNoAnswerFitsIntoIsRefusedAsAskDoes) {
  Command command("one", "20");
  EXPECT_NE(command.line().find("at most 20 new tokens cannot hold the five sections"), std::string::npos);
  EXPECT_NE(command.line().find("(--max-new-tokens)"), std::string::npos);
  EXPECT_EQ(command.status(), 2);
}

}  // namespace
