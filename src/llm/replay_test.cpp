#include "llm/replay.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/log.h"
#include "base/testing.h"
#include "llm/testing.h"
#include "llm/text_only.h"

namespace areason::llm {
namespace {

using namespace testing;

// Answers with the number of the question; stands where a network would be, since forked children use it.
class Echo : public Provider {
 public:
  Reply complete(const Request& request) override {
    ++asked;
    last = request;
    Reply reply;
    reply.finish = finish;
    reply.text = "to " + request.messages.back().parts.back().text;
    reply.usage = {true, 10, 5, 0, 0};
    reply.raw = "{\"x\": \"\xff\"}";
    return reply;
  }
  std::string name() const override { return "echo"; }
  int asked = 0;
  Finish finish = Finish::kStop;
  Request last;
};

std::vector<Json> lines_of(const std::string& path) {
  std::vector<Json> out;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) out.push_back(parse_json(line, path));
  return out;
}

TEST(Replay, RecordsAnswersOnceAndGivesThemBack) {
  const std::string path = scratch_path("llm_replay.jsonl");
  auto echo = std::make_shared<Echo>();
  {
    const auto provider = make_replay(echo, path, ReplayMode::kRecord);
    EXPECT_FALSE(provider->complete(ask("1")).replayed);
    EXPECT_TRUE(provider->complete(ask("1")).replayed);
    echo->finish = Finish::kBlocked;
    provider->complete(ask("2"));
    echo->finish = Finish::kServerError;
    provider->complete(ask("3"));
    provider->complete(ask("3"));
  }
  EXPECT_EQ(echo->asked, 4) << "an error is asked again";
  EXPECT_EQ(lines_of(path).size(), 2u) << "and not recorded";
  const auto replay = make_replay(nullptr, path, ReplayMode::kReplay);
  const Reply first = replay->complete(ask("1"));
  EXPECT_EQ(first.finish, Finish::kStop);
  EXPECT_EQ(first.text, "to 1");
  EXPECT_EQ(first.usage.input, 10);
  EXPECT_TRUE(first.replayed);
  EXPECT_EQ(replay->complete(ask("2")).finish, Finish::kBlocked);
  const Reply missing = replay->complete(ask("4"));
  EXPECT_EQ(missing.finish, Finish::kNotRecorded);
  EXPECT_NE(missing.error.find(path), std::string::npos);
}

TEST(Replay, TheHashTellsRequestsApart) {
  std::set<std::string> hashes;
  const auto add = [&](const Request& request) { EXPECT_TRUE(hashes.insert(request_hash(request)).second); };
  Request request = ask_about(tone(), "q");
  add(request);
  for (const auto& change : std::vector<std::function<void(Request&)>>{
           [](Request& r) { r.model = "other"; }, [](Request& r) { r.parameters.temperature = 0; },
           [](Request& r) { r.parameters.temperature = 0.5; }, [](Request& r) { r.parameters.top_p = 0.5; },
           [](Request& r) { r.parameters.top_k = 1; }, [](Request& r) { r.parameters.seed = 1; },
           [](Request& r) { r.parameters.stop = {"x"}; }, [](Request& r) { r.parameters.extra_json = "{}"; },
           [](Request& r) { r.parameters.max_output_tokens = 1; }, [](Request& r) { r.sample = 1; },
           [](Request& r) { r.messages[0].role = Role::kSystem; }, [](Request& r) { r.messages[0].parts[0].audio = tone(800); },
           [](Request& r) { r.messages[0].parts[1].text = "Q"; },
           [](Request& r) {
             r.messages[0].parts[0] = {r.messages[0].parts[0].audio->sha256, nullptr};
           }}) {
    Request changed = request;
    change(changed);
    add(changed);
  }
  Request same = request;
  same.timeout_seconds = 1;
  same.messages[0].parts[0].text = "another description";
  EXPECT_EQ(request_hash(same), request_hash(request));
}

TEST(Replay, ALineThatACrashCutIsRemoved) {
  const std::string path = scratch_path("llm_cut.jsonl");
  auto echo = std::make_shared<Echo>();
  { make_replay(echo, path, ReplayMode::kRecord)->complete(ask("1")); }
  const std::string whole = read_file(path);
  set_log_level(LogLevel::kError);
  for (std::size_t cut = 1; cut < whole.size(); cut += 7) {
    write_file_atomic(path, whole + whole.substr(0, cut));
    EXPECT_EQ(make_replay(nullptr, path, ReplayMode::kReplay)->complete(ask("1")).finish, Finish::kStop);
    { make_replay(echo, path, ReplayMode::kRecord)->complete(ask("2")); }
    EXPECT_EQ(lines_of(path).size(), 2u) << cut;
  }
  set_log_level(LogLevel::kInfo);
  write_file_atomic(path, "{\"hash\": 1}\n" + whole);
  EXPECT_THROW(make_replay(nullptr, path, ReplayMode::kReplay), Error) << "a broken line in the middle is nobody's crash";
  EXPECT_THROW(make_replay(nullptr, path + ".missing", ReplayMode::kReplay), Error);
  EXPECT_THROW(make_replay(nullptr, path, ReplayMode::kRecord), Error);
}

TEST(Replay, KillingTheWriterLosesNoAnswerThatWasGiven) {
  const std::string path = scratch_path("llm_kill.jsonl");
  int told = 0;
  for (int round = 0; round < 3; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const auto provider = make_replay(std::make_shared<Echo>(), path, ReplayMode::kRecord);
      for (int i = told;; ++i) {
        provider->complete(ask(std::to_string(i)));
        if (::write(pipe_ends[1], "x", 1) != 1) ::_exit(1);
      }
    }
    ::close(pipe_ends[1]);
    char byte = 0;
    for (int i = 0; i < 25 && ::read(pipe_ends[0], &byte, 1) == 1; ++i) ++told;
    ::kill(child, SIGKILL);
    while (::read(pipe_ends[0], &byte, 1) == 1) ++told;
    ::close(pipe_ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
  }
  const auto replay = make_replay(nullptr, path, ReplayMode::kReplay);
  ASSERT_GE(told, 75);
  for (int i = 0; i < told; ++i) EXPECT_EQ(replay->complete(ask(std::to_string(i))).text, "to " + std::to_string(i));
}

TEST(Replay, TwoProcessesRecordIntoOneFile) {
  const std::string path = scratch_path("llm_two.jsonl");
  pid_t children[2];
  for (int c = 0; c < 2; ++c) {
    children[c] = ::fork();
    if (children[c] == 0) {
      const auto provider = make_replay(std::make_shared<Echo>(), path, ReplayMode::kRecord);
      for (int i = 0; i < 100; ++i) provider->complete(ask(std::to_string(c * 1000 + i)));
      ::_exit(0);
    }
  }
  for (const pid_t child : children) {
    int status = 1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(lines_of(path).size(), 200u);
}

TEST(TextOnly, ClipsBecomeTheirDescriptions) {
  auto echo = std::make_shared<Echo>();
  const auto provider = make_text_only(echo);
  provider->complete(ask_about(tone(), "What is heard?"));
  ASSERT_EQ(echo->last.messages[0].parts.size(), 2u);
  EXPECT_EQ(echo->last.messages[0].parts[0].audio, nullptr);
  EXPECT_EQ(echo->last.messages[0].parts[0].text, "a pure tone");
  Request mute = ask_about(tone(), "What is heard?");
  mute.messages[0].parts[0].text.clear();
  EXPECT_THROW(provider->complete(mute), Error);
}

}  // namespace
}  // namespace areason::llm
