// Two thousand jobs through the real command, against a server that speaks the teachers' wire formats and fails in all their
// ways: every answer is stored once, the rate limit holds, costs are exact; also with processes that are killed, and with eight
// of them on a real PostgreSQL.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <random>

#include "audio/write.h"
#include "base/files.h"
#include "base/json.h"
#include "base/testing.h"
#include "cli/teacher_server.h"
#include "cli/testing.h"
#include "store/job_store.h"
#include "store/testing.h"

namespace areason {
namespace {

namespace fs = std::filesystem;
using store::JobState;
using testing_jobs::Fault;
using testing_jobs::Given;
using testing_jobs::TeacherServer;

constexpr int kClips = 312;
constexpr int kRequestsPerSecond = 600;
constexpr std::int64_t kInputPico = 1'500'000, kOutputPico = 6'000'000;  // of a token, as prices.json says

// The two that depend on real time. Where every request is counted nothing may run out, however long the machine stalls;
// where processes are killed their leases must end soon.
struct Times {
  const char *lease, *timeout;  // seconds
  double slow_share;            // of the server's answers that come after the timeout only
};
constexpr Times kPatient = {"600", "300", 0}, kHasty = {"2", "3", 0.003};

class JobsRun {
 public:
  JobsRun(const char* api, std::string store_address, const Times& times)
      : server(times.slow_share), api_(api), times_(times), store_(std::move(store_address)) {
    llm::testing::test_key();
    std::string table;
    for (int i = 0; i < kClips; ++i) {
      Waveform tone;
      for (int n = 0; n < 400; ++n) tone.samples.push_back(0.3f * std::sin(0.02f * static_cast<float>(n * (i + 10))));
      make_directories(folder_ + "/clips");
      const std::string name = "clips/" + std::to_string(i) + ".wav";
      write_wav(folder_ + "/" + name, tone);
      table += dump_json(Json{{"file", name}, {"caption", "tone " + std::to_string(i)}, {"licence", "CC0"}}) + "\n";
    }
    write_file_atomic(folder_ + "/table.jsonl", table);
    write_file_atomic(folder_ + "/prices.json", R"({"currency": "USD", "models": {"m": {"input": 1.5, "output": 6.0}}})");
    run("data import table " + folder_ + "/table.jsonl --set " + set());
    if (store_.empty()) store_ = set() + "/jobs.db";
  }
  ~JobsRun() {
    for (const pid_t pid : pids_) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
    }
  }

  void start() {
    std::vector<std::string> words = {AREASON_BINARY,
                                      "data",
                                      "run",
                                      "--set",
                                      set(),
                                      "--store",
                                      store_,
                                      "--teacher",
                                      api_,
                                      "--model",
                                      "m",
                                      "--url",
                                      server.url(),
                                      "--workers",
                                      "8",
                                      "--lease",
                                      times_.lease,
                                      "--key-variable",
                                      llm::testing::kTestKeyVariable,
                                      "--timeout",
                                      times_.timeout,
                                      "--first-wait",
                                      "0.02",
                                      "--prices",
                                      folder_ + "/prices.json",
                                      "--requests-per-minute",
                                      std::to_string(kRequestsPerSecond * 60)};
    words.insert(words.end(), extra.begin(), extra.end());
    std::vector<char*> argv;
    for (std::string& w : words) argv.push_back(w.data());
    argv.push_back(nullptr);
    const std::string log = folder_ + "/log" + std::to_string(started_++);
    const pid_t pid = ::fork();
    if (pid == 0) {
      const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
      ::dup2(out, 1);
      ::dup2(out, 2);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    pids_.push_back(pid);
  }
  void kill_one(std::size_t which) {
    ::kill(pids_[which], SIGKILL);
    ::waitpid(pids_[which], nullptr, 0);
    pids_.erase(pids_.begin() + static_cast<std::ptrdiff_t>(which));
  }
  std::size_t running() const { return pids_.size(); }
  void wait_for_all() {
    for (const int status : wait_for_each()) EXPECT_EQ(status, 0) << logs();
  }
  std::vector<int> wait_for_each() {
    std::vector<int> out;
    for (const pid_t pid : pids_) {
      out.push_back(-1);
      ::waitpid(pid, &out.back(), 0);
    }
    pids_.clear();
    return out;
  }
  std::string logs() const {
    std::string out;
    for (int i = 0; i < started_; ++i) out += read_file(folder_ + "/log" + std::to_string(i));
    return out;
  }
  std::string set() const { return folder_ + "/set"; }
  std::unique_ptr<store::JobStore> open() const { return store::open_store(store_); }

  TeacherServer server;
  std::vector<std::string> extra;  // more words of the command

 private:
  // In memory where that can be had: thousands of commits wait for a disk that others use too.
  const ScratchDir scratch_{::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : scratch_root()};
  const std::string& folder_ = scratch_.path();
  std::string api_;
  Times times_;
  std::string store_;
  std::vector<pid_t> pids_;
  int started_ = 0;
};

struct Totals {
  std::int64_t requests = 0, input = 0, output = 0, answers = 0, most_input = 0;
};
Totals totals_of(const std::map<std::string, std::vector<Given>>& ledger) {
  Totals t;
  for (const auto& [prompt, given] : ledger) {
    for (const Given& g : given) {
      ++t.requests;
      t.input += g.input;
      t.output += g.output;
      t.answers += g.fault == Fault::kNone ? 1 : 0;
      t.most_input = std::max(t.most_input, g.input);
    }
  }
  return t;
}

// Every prompt has one job, and the job has one of the answers that the server gave to this prompt. Returns the booked costs.
store::JobCost expect_each_answer_once(const JobsRun& jobs, const std::map<std::string, std::vector<Given>>& ledger) {
  std::map<std::string, std::string> prompt_of;  // by answer
  std::size_t answered = 0, blocked = 0;
  for (const auto& [prompt, given] : ledger) {
    bool good = false;
    for (const Given& g : given) {
      if (g.fault == Fault::kNone) prompt_of[g.text] = prompt;
      good = good || g.fault == Fault::kNone;
    }
    ++(good ? answered : blocked);
  }
  const auto store = jobs.open();
  store::JobCost cost;
  std::set<std::string> seen;
  std::size_t failed = 0;
  store->each({}, JobState::kDone, [&](store::Job&& job) {
    cost += job.answer.cost;
    const auto it = prompt_of.find(job.answer.text);
    ASSERT_NE(it, prompt_of.end()) << job.key.item << " has an answer that nobody gave";
    EXPECT_TRUE(seen.insert(it->second).second) << job.key.item << ": two jobs for one prompt";
  });
  store->each({}, JobState::kFailed, [&](store::Job&& job) {
    cost += job.answer.cost;
    ++failed;
    EXPECT_EQ(job.answer.outcome, "blocked") << job.answer.reason;
  });
  for (const JobState state : {JobState::kOpen, JobState::kLeased})
    store->each({}, state, [&](store::Job&& job) { ADD_FAILURE() << job.key.item << " was never finished"; });
  EXPECT_EQ(seen.size(), answered) << "an answer was lost";
  EXPECT_EQ(failed, blocked);
  EXPECT_GT(seen.size() + failed, 2000u);
  EXPECT_GT(failed, 10u);
  return cost;
}

void expect_no_key(const JobsRun& jobs) {
  for (const auto& file : fs::recursive_directory_iterator(jobs.set())) {
    if (file.is_regular_file()) {
      EXPECT_EQ(read_file(file.path().string()).find(llm::testing::kTestKey), std::string::npos) << file.path();
    }
  }
  EXPECT_EQ(jobs.logs().find(llm::testing::kTestKey), std::string::npos);
}

void one_process_does_all(const char* api) {
  JobsRun jobs(api, "", kPatient);
  jobs.start();
  jobs.wait_for_all();
  EXPECT_EQ(jobs.server.complaints(), std::vector<std::string>());
  const auto ledger = jobs.server.ledger();
  const Totals given = totals_of(ledger);
  const store::JobCost cost = expect_each_answer_once(jobs, ledger);
  EXPECT_EQ(cost.requests, given.requests);
  EXPECT_EQ(cost.input_tokens, given.input);
  EXPECT_EQ(cost.output_tokens, given.output);
  EXPECT_EQ(cost.money_pico, given.input * kInputPico + given.output * kOutputPico);
  EXPECT_LE(jobs.server.most_within(1), static_cast<std::size_t>(kRequestsPerSecond));
  for (const auto& [prompt, all] : ledger)
    EXPECT_EQ(std::count_if(all.begin(), all.end(), [](const Given& g) { return g.fault == Fault::kNone; }),
              all.back().fault == Fault::kNone ? 1 : 0)
        << "asked again what was answered:\n"
        << prompt.substr(0, 300);
  expect_no_key(jobs);
}

// Processes die on the spot after every few answers, and others take their place.
void killed_processes_lose_nothing(const char* api, const std::string& store, int processes) {
  JobsRun jobs(api, store, kHasty);
  for (int i = 0; i < processes; ++i) jobs.start();
  std::mt19937 random(3);
  std::int64_t killed = 0;
  for (std::size_t next = 120; next < 1900; next += 120) {
    jobs.server.wait_for_answers(next, [] { return false; });
    jobs.kill_one(random() % jobs.running());
    jobs.start();
    ++killed;
  }
  jobs.wait_for_all();
  EXPECT_EQ(jobs.server.complaints(), std::vector<std::string>());
  const auto ledger = jobs.server.ledger();
  const Totals given = totals_of(ledger);
  const store::JobCost cost = expect_each_answer_once(jobs, ledger);
  // What a process was sent when it died it cannot have booked: at most one answer a worker. Nothing is booked twice.
  const std::int64_t most_lost = killed * 8;
  EXPECT_LE(cost.input_tokens, given.input);
  EXPECT_GE(cost.input_tokens, given.input - most_lost * given.most_input);
  EXPECT_LE(cost.output_tokens, given.output);
  EXPECT_EQ(cost.money_pico, cost.input_tokens * kInputPico + cost.output_tokens * kOutputPico);
  EXPECT_LE(jobs.server.most_within(1), static_cast<std::size_t>(kRequestsPerSecond)) << "the limit holds for all together";
  EXPECT_GT(killed, 10);
}

std::int64_t money_of(const Totals& t) { return t.input * kInputPico + t.output * kOutputPico; }

// Eight processes share one budget: together they spend no more than it, every one of them says so and ends, what was spent is
// known to the token, and a larger budget finishes the set.
void one_budget_for_all(const char* api, const std::string& store) {
  constexpr std::int64_t kLimit = 2'500'000'000'000;
  JobsRun jobs(api, store, kPatient);
  jobs.extra = {"--budget", "2.5"};
  for (int i = 0; i < 8; ++i) jobs.start();
  for (const int status : jobs.wait_for_each()) EXPECT_NE(status, 0) << "the budget was no reason to stop";
  const Totals given = totals_of(jobs.server.ledger());
  EXPECT_LE(money_of(given), kLimit) << "each process had the whole budget";
  EXPECT_GT(money_of(given), kLimit / 2) << "stopped far too early";
  const store::Spending spent = jobs.open()->spending("USD");
  EXPECT_EQ(spent.billed.money_pico, money_of(given));
  EXPECT_EQ(spent.billed.tokens, given.input + given.output);
  EXPECT_EQ(spent.held.tokens, 0);
  const std::string logs = jobs.logs();
  EXPECT_NE(logs.find("the budget of 2.500000 USD does not allow another request"), std::string::npos) << logs;
  EXPECT_NE(logs.find("a larger --budget"), std::string::npos);
  jobs.extra = {"--budget", "100"};
  for (int i = 0; i < 8; ++i) jobs.start();
  jobs.wait_for_all();
  const auto ledger = jobs.server.ledger();
  EXPECT_EQ(expect_each_answer_once(jobs, ledger).money_pico, money_of(totals_of(ledger)));
  EXPECT_EQ(jobs.open()->spending("USD").billed.money_pico, money_of(totals_of(ledger)));
}

TEST(DataJobsSlow, EightProcessesShareABudgetOnSqlite) { one_budget_for_all("openai", ""); }
TEST(DataJobsSlow, EightProcessesShareABudgetOnPostgres) {
  store::testing::PostgresServer server;
  if (!server.running() || !store::has_postgres()) {
    store::testing::say_no_postgres();
    GTEST_SKIP();
  }
  one_budget_for_all("gemini", server.new_database());
}

TEST(DataJobsSlow, GeminiFormat) { one_process_does_all("gemini"); }
TEST(DataJobsSlow, OpenAiFormat) { one_process_does_all("openai"); }
TEST(DataJobsSlow, KilledProcessesOnSqlite) { killed_processes_lose_nothing("openai", "", 3); }
TEST(DataJobsSlow, EightKilledProcessesOnPostgres) {
  store::testing::PostgresServer server;
  if (!server.running() || !store::has_postgres()) {
    store::testing::say_no_postgres();
    GTEST_SKIP();
  }
  killed_processes_lose_nothing("gemini", server.new_database(), 8);
}

}  // namespace
}  // namespace areason
