// One contract, two real engines. Every check gets a new store; PostgreSQL's are databases of one server.
#include "store/job_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <random>
#include <set>
#include <thread>

#include "base/error.h"
#include "base/testing.h"
#include "store/testing.h"

namespace areason::store {
namespace {

constexpr double kLong = 1000;

NewJob job(int number, const std::string& stage = "annotate", const std::string& version = "v1") {
  const std::string item = "clip" + std::to_string(number);
  return {{item, stage, version}, {item, number % 2 == 0 ? "even_set" : "oddXset", "sound_qa", "train"}, "payload of " + item};
}

std::vector<NewJob> jobs(int count) {
  std::vector<NewJob> out;
  for (int i = 0; i < count; ++i) out.push_back(job(i));
  return out;
}

JobEnd done(std::int64_t id, const std::string& text, JobCost cost = {1, 10, 5, 100}) {
  return {id, JobState::kDone, {text, "ok", "", "hash", "teacher", cost}, {}};
}

std::vector<Job> all(JobStore& store, JobState state, const JobFilter& filter = {}) {
  std::vector<Job> out;
  store.each(filter, state, [&](Job&& j) { out.push_back(std::move(j)); });
  return out;
}

void adding_twice_adds_once(const std::string& address) {
  const auto store = open_store(address);
  EXPECT_EQ(store->add(jobs(3)), 3u);
  auto again = jobs(4);
  again[0].payload = "another";
  EXPECT_EQ(store->add(again), 1u);
  EXPECT_EQ(store->add({job(0, "think"), job(0, "annotate", "v2")}), 2u);
  const auto open = all(*open_store(address), JobState::kOpen);
  ASSERT_EQ(open.size(), 6u);
  EXPECT_EQ(open[0].payload, "payload of clip0");
  EXPECT_EQ(open[3].key.item, "clip3");
  EXPECT_EQ(open[1].labels.source, "oddXset");
}

void a_job_is_claimed_once(const std::string& address) {
  const auto store = open_store(address), other = open_store(address);
  store->add(jobs(5));
  const auto first = store->claim("a", {}, 3, kLong);
  ASSERT_EQ(first.size(), 3u);
  EXPECT_EQ(first[0].key.item, "clip0");
  EXPECT_EQ(first[2].key.item, "clip2");
  EXPECT_EQ(first[0].claims, 1);
  const auto second = other->claim("b", {}, 9, kLong);
  ASSERT_EQ(second.size(), 2u);
  EXPECT_EQ(second[0].key.item, "clip3");
  EXPECT_TRUE(store->claim("c", {}, 9, kLong).empty());
}

void filters_are_exact(const std::string& address) {
  const auto store = open_store(address);
  store->add({job(1), job(2), job(3, "think"), job(4, "annotate", "v2")});
  EXPECT_EQ(store->claim("a", {"think", {}, {}}, 9, 0).size(), 1u);
  EXPECT_EQ(store->claim("a", {"", {"v2", "v3"}, {}}, 9, 0).size(), 1u);
  EXPECT_EQ(all(*store, JobState::kLeased, {"", {}, {{"source", "odd*"}}}).size(), 1u);
  // _ and % are themselves, * is anything, case counts.
  EXPECT_EQ(store->claim("a", {"", {}, {{"source", "odd_set"}}}, 9, 0).size(), 0u);
  EXPECT_EQ(store->claim("a", {"", {}, {{"source", "even_set"}}}, 9, 0).size(), 2u);
  EXPECT_EQ(store->claim("a", {"", {}, {{"source", "EVEN_SET"}}}, 9, 0).size(), 0u);
  EXPECT_EQ(store->claim("a", {"", {}, {{"item", "%"}}}, 9, 0).size(), 0u);
  EXPECT_EQ(store->claim("a", {"", {}, {{"item", "*1"}, {"task", "sound_qa"}}}, 9, 0).size(), 1u);
  EXPECT_THROW(store->claim("a", {"", {}, {{"payload; DROP TABLE jobs", "x"}}}, 9, 0), Error);
}

void a_lease_ends_unless_renewed(const std::string& address) {
  const auto store = open_store(address);
  store->add(jobs(2));
  ASSERT_EQ(store->claim("dead", {}, 1, 0).size(), 1u);
  const auto again = store->claim("b", {}, 1, 0);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again[0].key.item, "clip0");
  EXPECT_EQ(again[0].claims, 2);
  EXPECT_EQ(again[0].owner, "b");
  EXPECT_EQ(store->renew("dead", kLong), 0u);
  EXPECT_EQ(store->renew("b", kLong), 1u);
  const auto rest = store->claim("c", {}, 9, kLong);
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].key.item, "clip1");
}

void the_first_answer_stays(const std::string& address) {
  const auto store = open_store(address);
  store->add(jobs(1));
  const auto slow = store->claim("slow", {}, 1, 0);
  const auto quick = store->claim("quick", {}, 1, kLong);
  // The slow worker lost its lease, but its answer is the first and has been paid for.
  EXPECT_EQ(store->finish("slow", {done(slow[0].id, "first")}), std::vector<bool>{true});
  auto late = done(quick[0].id, "second");
  late.follow_ups = {job(9, "think")};
  EXPECT_EQ(store->finish("quick", {late}), std::vector<bool>{false});
  const Job kept = store->get(slow[0].id);
  EXPECT_EQ(kept.answer.text, "first");
  EXPECT_EQ(kept.answer.cost.requests, 2);
  EXPECT_EQ(kept.answer.cost.money_pico, 200);
  EXPECT_TRUE(all(*store, JobState::kOpen).empty()) << "follow-ups of an answer that did not count";
  // Nor can the loser open it again or fail it.
  EXPECT_EQ(store->finish("quick", {{quick[0].id, JobState::kFailed, {}, {}}}), std::vector<bool>{false});
  EXPECT_EQ(store->get(slow[0].id).state, JobState::kDone);
}

void follow_ups_come_with_the_answer(const std::string& address) {
  const auto store = open_store(address);
  store->add(jobs(1));
  auto end = done(store->claim("a", {}, 1, kLong)[0].id, "x");
  end.follow_ups = {job(1, "think"), job(2, "think"), job(1, "think")};
  store->finish("a", {end});
  EXPECT_EQ(all(*store, JobState::kOpen, {"think", {}, {}}).size(), 2u);
}

void a_refused_answer_is_tried_again(const std::string& address) {
  const auto store = open_store(address);
  store->add(jobs(1));
  const auto first = store->claim("a", {}, 1, kLong)[0];
  store->finish("a", {{first.id, JobState::kOpen, {"bad", "refused", "no caption", "h", "t", {1, 7, 3, 50}}, {}}});
  const auto second = store->claim("b", {}, 1, kLong)[0];
  EXPECT_EQ(second.tries, 1);
  EXPECT_EQ(second.answer.reason, "no caption");
  EXPECT_EQ(second.answer.text, "bad");
  store->finish("b", {{second.id, JobState::kFailed, {"worse", "refused", "no question", "h", "t", {1, 7, 3, 50}}, {}}});
  EXPECT_TRUE(store->claim("c", {}, 1, kLong).empty());
  const auto counts = store->counts({}).at("annotate");
  EXPECT_EQ(counts.failed, 1);
  EXPECT_EQ(counts.cost.input_tokens, 14);
  EXPECT_EQ(counts.outcomes.at("refused"), 1);
  EXPECT_EQ(store->reopen_failed({"think", {}, {}}), 0u);
  EXPECT_EQ(store->reopen_failed({}), 1u);
  EXPECT_EQ(store->claim("c", {}, 1, kLong)[0].tries, 0);
}

void what_is_given_back_counts_for_nothing(const std::string& address) {
  const auto store = open_store(address);
  store->add(jobs(3));
  store->claim("a", {}, 2, kLong);
  store->claim("b", {}, 1, kLong);
  EXPECT_EQ(store->release("a"), 2u);
  EXPECT_TRUE(store->unfinished({"annotate", {"v1"}, {}}));
  EXPECT_FALSE(store->unfinished({"annotate", {"v2"}, {}}));
  const auto again = store->claim("c", {}, 9, kLong);
  ASSERT_EQ(again.size(), 2u);
  EXPECT_EQ(again[0].claims, 1);
}

// Its last answer stays, as do its tries; only what was paid is added. Who has lost the lease changes nothing but that.
void what_nobody_was_asked_is_open_again(const std::string& address) {
  const auto store = open_store(address);
  store->add(jobs(1));
  const auto first = store->claim("a", {}, 1, kLong)[0];
  store->finish("a", {{first.id, JobState::kOpen, {"bad", "unusable", "no caption", "h", "t", {1, 7, 3, 50}}, {}}});
  store->claim("b", {}, 1, kLong);
  JobEnd unasked{first.id, JobState::kDone, {"", "unreachable", "refused", "h2", "t2", {5, 1, 0, 0}}, {}};
  unasked.unasked = true;
  EXPECT_EQ(store->finish("thief", {unasked}), std::vector<bool>{false});
  EXPECT_EQ(store->get(first.id).state, JobState::kLeased);
  EXPECT_EQ(store->finish("b", {unasked}), std::vector<bool>{true});
  const Job open = store->get(first.id);
  EXPECT_EQ(open.state, JobState::kOpen);
  EXPECT_EQ(open.claims, 1);
  EXPECT_EQ(open.tries, 1);
  EXPECT_EQ(open.owner, "");
  EXPECT_EQ(open.answer.text + open.answer.outcome + open.answer.reason, "badunusableno caption");
  EXPECT_EQ(open.answer.cost.requests, 11);
  EXPECT_EQ(open.answer.cost.input_tokens, 9);
}

void any_text_is_kept(const std::string& address) {
  const auto store = open_store(address);
  std::string payload(1 << 20, 'x');
  payload += "'); DROP TABLE jobs; -- \" \\ \xe9\x9b\xa8\xf0\x9f\x8e\xb5 \n\t";
  NewJob j = job(0);
  j.payload = payload;
  store->add({j});
  const Job claimed = store->claim("it's", {}, 1, kLong)[0];
  EXPECT_EQ(claimed.payload, payload);
  store->finish("it's", {done(claimed.id, std::string("nul\0 latin \xe9", 12))});
  EXPECT_EQ(store->get(claimed.id).answer.text, "nul  latin \xef\xbf\xbd");
}

void many_are_read_in_pages(const std::string& address) {
  const auto store = open_store(address);
  store->add(jobs(1203));
  std::set<std::string> seen;
  for (const Job& j : all(*store, JobState::kOpen)) seen.insert(j.key.item);
  EXPECT_EQ(seen.size(), 1203u);
  EXPECT_THROW(store->get(999999), Error);
}

void notes_and_unfinished_jobs(const std::string& address) {
  const auto store = open_store(address), other = open_store(address);
  EXPECT_EQ(store->note("a"), "");
  store->set_note("a", "1");
  store->set_note("a", "2'\"");
  EXPECT_EQ(other->note("a"), "2'\"");
  store->add(jobs(5));
  EXPECT_EQ(other->unfinished_jobs(), 5);
  store->finish("a", {done(store->claim("a", {}, 1, kLong)[0].id, "x")});
  EXPECT_EQ(other->unfinished_jobs(), 4);
}

void turns_are_shared(const std::string& address) {
  const auto store = open_store(address), other = open_store(address);
  const std::vector<TurnLimit> three = {{1000, 3, 0}}, tokens = {{1000, 0, 100}}, brief = {{0.05, 1, 0}};
  const auto first = std::chrono::steady_clock::now();
  for (JobStore* s : {store.get(), other.get(), store.get()}) EXPECT_EQ(s->take_turn("a", three, 1).wait_seconds, 0);
  for (JobStore* s : {store.get(), other.get()}) {
    const double wait = s->take_turn("a", three, 1).wait_seconds;
    const std::chrono::duration<double> since = std::chrono::steady_clock::now() - first;
    EXPECT_GT(wait + since.count(), 1009)
        << "a turn counts for a whole stretch after the server must have had it, in ten seconds";
    EXPECT_LT(wait, 1011);
  }
  const Turn large = store->take_turn("b", tokens, 60);
  EXPECT_EQ(large.wait_seconds, 0) << "another gate";
  EXPECT_GT(other->take_turn("b", tokens, 60).wait_seconds, 0);
  store->end_turn(large.ticket, 10);
  EXPECT_EQ(other->take_turn("b", tokens, 60).wait_seconds, 0) << "what was not used is free again";
  // Turns are free again when the stretch is over, and not before.
  const auto begin = std::chrono::steady_clock::now();
  store->end_turn(store->take_turn("c", brief, 1).ticket, 1);
  double wait = 0;
  while ((wait = other->take_turn("c", brief, 1).wait_seconds) > 0)
    std::this_thread::sleep_for(std::chrono::duration<double>(wait));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(45));
}

HoldRequest hold_of(std::int64_t tokens, std::int64_t money, const char* owner = "a", double lease = kLong) {
  return {"USD", owner, {tokens, money}, {1000, 10'000}, lease};
}

void a_purse_is_shared(const std::string& address) {
  const auto store = open_store(address), other = open_store(address);
  const Hold first = store->hold(hold_of(400, 100)), second = other->hold(hold_of(400, 100));
  ASSERT_EQ(first.answer, Hold::Answer::kGranted);
  ASSERT_EQ(second.answer, Hold::Answer::kGranted);
  EXPECT_EQ(store->hold(hold_of(400, 100)).answer, Hold::Answer::kLater) << "those on their way may cost less";
  EXPECT_EQ(store->hold(hold_of(1001, 100)).answer, Hold::Answer::kNever);
  EXPECT_EQ(store->hold(hold_of(1, 10'001)).answer, Hold::Answer::kNever) << "money is a limit of its own";
  EXPECT_TRUE(other->settle(first.ticket, {150, 9'000}, Bill::kKnown));
  EXPECT_FALSE(store->settle(first.ticket, {150, 9'000}, Bill::kKnown)) << "a bill is booked once";
  EXPECT_EQ(store->hold(hold_of(1, 1'001)).answer, Hold::Answer::kNever);
  const Hold third = store->hold(hold_of(400, 100));
  ASSERT_EQ(third.answer, Hold::Answer::kGranted);
  EXPECT_TRUE(store->settle(second.ticket, {}, Bill::kUnknown));
  EXPECT_TRUE(store->settle(third.ticket, {999, 999}, Bill::kNothing));
  const Spending s = other->spending("USD");
  EXPECT_EQ(s.answers, 1);
  EXPECT_EQ(s.billed.tokens, 150);
  EXPECT_EQ(s.billed.money_pico, 9'000);
  EXPECT_EQ(s.unconfirmed, 1);
  EXPECT_EQ(s.unconfirmed_most.tokens, 400);
  EXPECT_EQ(s.held.tokens, 0);
  EXPECT_EQ(other->spending("EUR").billed.tokens, 0);
}

// What a killed process held stays spent, but nobody waits for its bill; a larger budget goes on.
void the_dead_hold_without_being_waited_for(const std::string& address) {
  const auto store = open_store(address);
  const Hold dead = store->hold(hold_of(900, 0, "dead", 0));
  ASSERT_EQ(dead.answer, Hold::Answer::kGranted);
  EXPECT_EQ(store->hold(hold_of(200, 0)).answer, Hold::Answer::kNever);
  HoldRequest larger = hold_of(200, 0);
  larger.limit.tokens = 2000;
  const Hold more = store->hold(larger);
  ASSERT_EQ(more.answer, Hold::Answer::kGranted);
  store->settle(more.ticket, {}, Bill::kNothing);
  store->renew_holds("dead", kLong);
  EXPECT_EQ(store->hold(hold_of(200, 0)).answer, Hold::Answer::kLater) << "it lives after all";
  EXPECT_TRUE(store->settle(dead.ticket, {100, 0}, Bill::kKnown)) << "a late bill corrects what was reckoned";
  EXPECT_EQ(store->hold(hold_of(200, 0)).answer, Hold::Answer::kGranted);
}

void a_purse_never_runs_over(const std::string& address) {
  const auto store = open_store(address), other = open_store(address);
  std::vector<std::thread> threads;
  std::atomic<std::int64_t> spent{0};
  const auto spend = [&](JobStore& mine) {
    for (;;) {
      const Hold h = mine.hold(hold_of(100, 10));
      if (h.answer == Hold::Answer::kNever) return;
      if (h.answer == Hold::Answer::kLater) continue;
      spent += 40;
      mine.settle(h.ticket, {40, 4}, Bill::kKnown);
    }
  };
  for (int i = 0; i < 6; ++i) threads.emplace_back([&, i] { spend(i % 2 == 0 ? *store : *other); });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(spent, 920) << "until another request of at most 100 might not fit into 1000";
  EXPECT_EQ(store->spending("USD").billed.tokens, spent);
}

void threads_and_connections_share(const std::string& address) {
  const auto store = open_store(address), other = open_store(address);
  store->add(jobs(200));
  std::atomic<int> claimed{0};
  const auto work = [&](JobStore& mine, const std::string& name) {
    for (auto got = mine.claim(name, {}, 3, kLong); !got.empty(); got = mine.claim(name, {}, 3, kLong)) {
      claimed += static_cast<int>(got.size());
      std::vector<JobEnd> ends;
      for (const Job& j : got) ends.push_back(done(j.id, name));
      mine.finish(name, ends);
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) threads.emplace_back([&, i] { work(i % 2 == 0 ? *store : *other, "w" + std::to_string(i)); });
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(claimed, 200);
  EXPECT_EQ(store->counts({}).at("annotate").cost.requests, 200);
}

// A process that answers jobs, says so on the pipe once each answer is stored, and adds a follow-up with every answer.
[[noreturn]] void worker_process(const std::string& address, int pipe) {
  const std::string owner = "pid" + std::to_string(::getpid());
  const auto store = open_store(address);
  for (;;) {
    const auto got = store->claim(owner, {"annotate", {}, {}}, 2, 0.2);
    if (got.empty() && store->counts({}).at("annotate").leased == 0) _exit(0);
    for (const Job& j : got) {
      JobEnd end = done(j.id, owner);
      end.follow_ups = {{{j.key.item, "think", "v1"}, j.labels, ""}};
      if (!store->finish(owner, {end})[0]) continue;
      const std::int64_t id = j.id;
      if (::write(pipe, &id, sizeof id) != sizeof id) _exit(1);
    }
  }
}

void killed_workers_lose_and_double_nothing(const std::string& address) {
  constexpr int kJobs = 240, kWorkers = 8;
  open_store(address)->add(jobs(kJobs));
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const auto start = [&] {
    const pid_t pid = ::fork();
    if (pid == 0) worker_process(address, ends[1]);
    return pid;
  };
  std::vector<pid_t> pids;
  for (int i = 0; i < kWorkers; ++i) pids.push_back(start());
  std::set<std::int64_t> told;
  std::mt19937 random(7);
  int killed = 0;
  // After every few answers one worker dies on the spot and another takes its place.
  for (std::int64_t id = 0; told.size() < kJobs && ::read(ends[0], &id, sizeof id) == sizeof id;) {
    EXPECT_TRUE(told.insert(id).second) << "job " << id << " was answered twice";
    if (told.size() % 12 == 0 && told.size() < kJobs - 40) {
      const std::size_t victim = random() % pids.size();
      ::kill(pids[victim], SIGKILL);
      ::waitpid(pids[victim], nullptr, 0);
      pids[victim] = start();
      ++killed;
    }
    const auto store_done = killed > 0 && told.size() + static_cast<std::size_t>(killed) >= kJobs;
    if (store_done && open_store(address)->counts({}).at("annotate").done == kJobs) break;
  }
  for (const pid_t pid : pids) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  const auto store = open_store(address);
  EXPECT_GT(killed, 10);
  EXPECT_EQ(all(*store, JobState::kDone).size(), static_cast<std::size_t>(kJobs));
  for (const std::int64_t id : told) EXPECT_EQ(store->get(id).state, JobState::kDone) << "a finished answer was lost";
  EXPECT_EQ(all(*store, JobState::kOpen, {"think", {}, {}}).size(), static_cast<std::size_t>(kJobs))
      << "each answer brings its follow-up, once";
  ::close(ends[0]);
  ::close(ends[1]);
}

void hold_to_contract(const std::function<std::string()>& new_store) {
  const std::pair<const char*, void (*)(const std::string&)> checks[] = {
      {"adding_twice_adds_once", adding_twice_adds_once},
      {"a_job_is_claimed_once", a_job_is_claimed_once},
      {"filters_are_exact", filters_are_exact},
      {"a_lease_ends_unless_renewed", a_lease_ends_unless_renewed},
      {"the_first_answer_stays", the_first_answer_stays},
      {"follow_ups_come_with_the_answer", follow_ups_come_with_the_answer},
      {"a_refused_answer_is_tried_again", a_refused_answer_is_tried_again},
      {"what_is_given_back_counts_for_nothing", what_is_given_back_counts_for_nothing},
      {"what_nobody_was_asked_is_open_again", what_nobody_was_asked_is_open_again},
      {"any_text_is_kept", any_text_is_kept},
      {"many_are_read_in_pages", many_are_read_in_pages},
      {"notes_and_unfinished_jobs", notes_and_unfinished_jobs},
      {"turns_are_shared", turns_are_shared},
      {"a_purse_is_shared", a_purse_is_shared},
      {"the_dead_hold_without_being_waited_for", the_dead_hold_without_being_waited_for},
      {"a_purse_never_runs_over", a_purse_never_runs_over},
      {"threads_and_connections_share", threads_and_connections_share},
      {"killed_workers_lose_and_double_nothing", killed_workers_lose_and_double_nothing},
  };
  for (const auto& [name, check] : checks) {
    SCOPED_TRACE(name);
    check(new_store());
  }
}

TEST(JobStoreContract, Sqlite) {
  const ScratchDir folder;
  int stores = 0;
  hold_to_contract([&] { return folder.file("deep/" + std::to_string(++stores) + ".db"); });
}

TEST(JobStoreContract, PostgreSql) {
  testing::PostgresServer server;
  if (!server.running() || !has_postgres()) {
    testing::say_no_postgres();
    GTEST_SKIP();
  }
  hold_to_contract([&] { return server.new_database(); });
}

std::string message_of(const std::string& address) {
  try {
    open_store(address);
  } catch (const Error& e) {
    return std::string(e.what()) + " " + e.hint();
  }
  return "";
}

TEST(JobStore, BadAddressesAreRefusedWithoutShowingPasswords) {
  EXPECT_NE(message_of("mysql://x").find("neither"), std::string::npos);
  EXPECT_NE(message_of("/proc/no/such.db"), "");
  EXPECT_NE(message_of("CMakeLists.txt").find("CMakeLists.txt"), std::string::npos);
  for (const char* address : {"postgresql://me:geheim77@localhost/x", "postgres://localhost/x?password=geheim77",
                              "postgresql://me:geheim77@[/x", "postgresql:///x?host=/no/such/place"}) {
    const std::string message = message_of(address);
    EXPECT_NE(message, "");
    EXPECT_EQ(message.find("geheim77"), std::string::npos) << message;
  }
  if (!has_postgres()) {
    EXPECT_NE(message_of("postgresql://localhost/x").find("without PostgreSQL"), std::string::npos);
  }
}

}  // namespace
}  // namespace areason::store
